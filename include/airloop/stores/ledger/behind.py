"""What lies behind a verified head: what decides is compared with what was verified, and the whole chain is walked.

Rows and records that decide are as many as trainings: each look reads them as they are stored, and those of the look
before have to be among them. Entries that decide nothing (what triage said) are as many as windows: each look walks
WALK entries from where the look before it stopped, chain and hashes, and begins again at the end.
"""

from typing import Any

import sqlalchemy as sa

from airloop.errors import DataContractError
from airloop.settings import Settings
from airloop.stores import state, tables
from airloop.stores.ledger.chain import FIRST_HASH, row_hash
from airloop.stores.ledger.history import KINDS

WALK = 100

_START = (0, FIRST_HASH)
_DECIDING_STAGES = ("decide", "refit", "promote", "roll_back")

_table = tables.ledger_entries
_runs = tables.stage_runs
_COLUMNS = tuple(_table.c.keys())
# Made once: a statement costs more to make than to run.
_ENTRIES = sa.select(_table).where(
    _table.c.pipeline == sa.bindparam("pipeline"), _table.c.kind.in_((*KINDS, "acknowledged"))
)
_RECORDS = sa.select(_runs.c.id, _runs.c.record).where(
    _runs.c.pipeline == sa.bindparam("pipeline"), _runs.c.stage.in_(_DECIDING_STAGES), _runs.c.record != ""
)
_NEXT = (
    sa.select(_table)
    .where(_table.c.pipeline == sa.bindparam("pipeline"), _table.c.sequence > sa.bindparam("after"))
    .order_by(_table.c.sequence)
    .limit(sa.bindparam("walk"))
)


class Behind:
    """The past of one pipeline's ledger as it was when it was verified."""

    def __init__(self, settings: Settings, pipeline: str) -> None:
        """Read what decides; call it before the verification that vouches for it."""
        self._pipeline, self._walked = pipeline, _START
        with state.reading(settings) as connection:
            self._decides = self._deciding(connection)

    def unchanged(self, connection: sa.Connection) -> bool:
        """Whether all that decided is still there as it was, and the next entries of the walk are sound.

        What was appended since counts as verified from now on: the caller has verified it, or will.
        """
        before, self._decides = self._decides, self._deciding(connection)
        # Mostly nothing was added, and nothing has to be hashed.
        kept = before == self._decides or {*before} <= {*self._decides}
        return kept and self._walk(connection)

    def _deciding(self, connection: sa.Connection) -> list[tuple[Any, ...]]:
        named = {"pipeline": self._pipeline}
        rows, records = connection.execute(_ENTRIES, named).all(), connection.execute(_RECORDS, named).all()
        return [*map(tuple, rows), *map(tuple, records)]

    def _walk(self, connection: sa.Connection) -> bool:
        rows = connection.execute(_NEXT, {"pipeline": self._pipeline, "after": self._walked[0], "walk": WALK}).all()
        for row in (dict(zip(_COLUMNS, values, strict=True)) for values in rows):
            follows = (row["sequence"] - 1, row["previous_hash"]) == self._walked
            if not follows or not _holds(row):
                return False
            self._walked = (row["sequence"], row["hash"])
        if len(rows) < WALK:
            self._walked = _START
        return True


def _holds(row: dict[str, Any]) -> bool:
    try:
        return row_hash(row) == str(row["hash"])
    except DataContractError:  # bytes in the place of a text
        return False
