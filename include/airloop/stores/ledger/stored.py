"""What a verification reads: rows of the chain as they are stored, and the records of the stages that appended them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from airloop.stores import tables

KIND_OF_STAGE = {
    "decide": "decision",
    "refit": "refitted",
    "triage": "triage",
    "promote": "done",
    "roll_back": "rolled_back",
    "take_back": "rolled_back",
}
"""Stage -> kind of the entry that its record names."""

UNREADABLE = "airloop.unreadable"
"""Key of a record that cannot be read."""

Rows = Sequence[dict[str, Any]]

_table = tables.ledger_entries
_heads = tables.ledger_heads
_runs = tables.stage_runs
# Made once: a statement costs more to make than to run, and a ledger that is followed is asked before each answer.
_RECORDS_AFTER = sa.select(_runs.c.id, _runs.c.stage, _runs.c.record).where(
    _runs.c.pipeline == sa.bindparam("pipeline"),
    _runs.c.stage.in_([*KIND_OF_STAGE]),
    _runs.c.record != "",
    _runs.c.id > sa.bindparam("number"),
)
_HEAD = sa.select(_heads).where(_heads.c.pipeline == sa.bindparam("pipeline"))
_ROWS_FROM = sa.select(_table).where(
    _table.c.pipeline == sa.bindparam("pipeline"), _table.c.sequence >= sa.bindparam("first")
)


@dataclass(frozen=True)
class Stored:
    """What is looked at.

    Attributes:
        rows: The newest rows of the chain, without a gap where there is none.
        older: Of the rows before those that `records` name; each with `next_hash`, what the row after it says its hash
            is.
        written_down: The newest number and hash as of the last append; None in homes older than that habit.
        records: Stage -> its newest records.
        newest_record: The largest number among them; 0 without any.
    """

    rows: Rows
    older: Rows
    written_down: Mapping[str, Any] | None
    records: Mapping[str, Sequence[dict[str, Any]]]
    newest_record: int

    @property
    def all_rows(self) -> Rows:
        """Both, by sequence."""
        return (*self.older, *self.rows)


def read_stored(connection: sa.Connection, pipeline: str, *, sequence: int = 0, record: int = 0) -> Stored:
    """Read the entries from a sequence on, that one included, the records after a number, and what those name."""
    while True:
        written_down = _written_down(connection, pipeline)
        rows = _rows(connection, pipeline, first=sequence)
        numbered = _records(connection, pipeline, after=record)
        named = {int(content.get("sequence") or 0) for _, _, content in numbered}
        older = _older(connection, pipeline, [number for number in named if number < sequence])
        # PostgreSQL shows each query what was committed before it: nothing may have been appended in between.
        if _written_down(connection, pipeline) == written_down:
            break
    records: dict[str, list[dict[str, Any]]] = {stage: [] for stage in KIND_OF_STAGE}
    for _, stage, content in numbered:
        records[stage].append(content)
    newest = max((number for number, _, _ in numbered), default=0)
    return Stored(rows, older, written_down, records, newest)


def _written_down(connection: sa.Connection, pipeline: str) -> dict[str, Any] | None:
    row = connection.execute(_HEAD, {"pipeline": pipeline}).mappings().first()
    return None if row is None else dict(row)


def _rows(connection: sa.Connection, pipeline: str, *, first: int) -> Rows:
    rows = connection.execute(_ROWS_FROM, {"pipeline": pipeline, "first": first}).mappings()
    return sorted((dict(row) for row in rows), key=lambda row: int(row["sequence"]))


def _older(connection: sa.Connection, pipeline: str, numbers: Sequence[int]) -> Rows:
    """Rows with what the row after each says its hash is."""
    if not numbers:
        return []
    after = _table.alias("after")
    follows = sa.and_(after.c.pipeline == _table.c.pipeline, after.c.sequence == _table.c.sequence + 1)
    query = sa.select(_table, after.c.previous_hash.label("next_hash")).join_from(_table, after, follows, isouter=True)
    named = query.where(_table.c.pipeline == pipeline, _table.c.sequence.in_(numbers))
    return [dict(row) for row in connection.execute(named.order_by(_table.c.sequence)).mappings()]


def _records(connection: sa.Connection, pipeline: str, *, after: int) -> list[tuple[int, str, dict[str, Any]]]:
    """Number, stage and content of records, by number."""
    # Sorted here: in that order SQLite walks the records of all stages.
    rows = sorted(connection.execute(_RECORDS_AFTER, {"pipeline": pipeline, "number": after}).all(), key=itemgetter(0))
    return [(int(number), str(stage), record_of(text)) for number, stage, text in rows]


def record_of(text: Any) -> dict[str, Any]:
    """A record, or that it is none: a verification says so."""
    try:
        record = json.loads(text)
    except (TypeError, ValueError):
        record = None
    return record if isinstance(record, dict) else {UNREADABLE: True}
