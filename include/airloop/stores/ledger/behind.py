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


class Behind:
    """The past of one pipeline's ledger as it was when it was verified."""

    def __init__(self, settings: Settings, pipeline: str) -> None:
        """Read what decides; call it before the verification that vouches for it."""
        self._settings, self._pipeline, self._walked = settings, pipeline, _START
        with state.reading(settings) as connection:
            self._decides = self._deciding(connection)

    def unchanged(self) -> bool:
        """Whether all that decided is still there as it was, and the next entries of the walk are sound.

        What was appended since counts as verified from now on: the caller has verified it, or will.
        """
        with state.reading(self._settings) as connection:
            before, self._decides = self._decides, self._deciding(connection)
            return before <= self._decides and self._walk(connection)

    def _deciding(self, connection: sa.Connection) -> frozenset[Any]:
        of_kinds = sa.and_(_table.c.pipeline == self._pipeline, _table.c.kind.in_((*KINDS, "acknowledged")))
        rows = map(tuple, connection.execute(sa.select(_table).where(of_kinds)))
        of_stages = sa.and_(_runs.c.pipeline == self._pipeline, _runs.c.stage.in_(_DECIDING_STAGES))
        records = sa.select(_runs.c.id, _runs.c.record).where(of_stages, _runs.c.record != "")
        return frozenset([*rows, *map(tuple, connection.execute(records))])

    def _walk(self, connection: sa.Connection) -> bool:
        after = sa.and_(_table.c.pipeline == self._pipeline, _table.c.sequence > self._walked[0])
        query = sa.select(_table).where(after).order_by(_table.c.sequence).limit(WALK)
        rows = connection.execute(query).mappings().all()
        for row in rows:
            follows = (row["sequence"] - 1, row["previous_hash"]) == self._walked
            if not follows or not _holds(dict(row)):
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
