"""What a verification reads: rows of the chain as they are stored, and the records of the stages that appended them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from airloop.settings import Settings
from airloop.stores import state, tables
from airloop.stores.ledger.history import KINDS

STAGE_OF_KIND = {
    "decision": "decide",
    "refitted": "refit",
    "triage": "triage",
    "done": "promote",
    "rolled_back": "roll_back",
}
"""Kind of entry -> the stage whose record names it."""

UNREADABLE = "airloop.unreadable"
"""Key of a record that cannot be read."""

Rows = Sequence[dict[str, Any]]
_Numbered = list[tuple[int, dict[str, Any]]]

_table = tables.ledger_entries
_heads = tables.ledger_heads
_runs = tables.stage_runs
# Made once: a statement costs more to make than to run, and a ledger that is followed is asked before each answer.
_RECORDS_AFTER = sa.select(_runs.c.id, _runs.c.stage, _runs.c.record).where(
    _runs.c.pipeline == sa.bindparam("pipeline"),
    _runs.c.stage.in_([*STAGE_OF_KIND.values()]),
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
        older: Of the rows before: decisions, promotions, what was acknowledged, and the very last one; each with
            `next_hash`, what the row after it says its hash is.
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


def read_stored(settings: Settings, pipeline: str, newest: int | None) -> Stored:
    """Read the newest entries and records of each stage, and of the entries before them what decides; None: all."""
    # There are as many decisions as trainings, and each that was promoted has to be on record.
    limits = {"triage": newest, "decide": None, "refit": None, "promote": newest, "roll_back": newest}
    with state.reading(settings) as connection:
        while True:
            written_down = _written_down(connection, pipeline)
            rows = _newest_rows(connection, pipeline, newest)
            older = _older(connection, pipeline, rows[0]["sequence"] if rows else 1)
            records = {stage: _records(connection, pipeline, stage, newest=limit) for stage, limit in limits.items()}
            # PostgreSQL shows each query what was committed before it: nothing may have been appended in between.
            if _written_down(connection, pipeline) == written_down:
                return _stored(rows, older, written_down, records)


def read_appended(connection: sa.Connection, pipeline: str, *, sequence: int, record: int) -> Stored:
    """Read the entries from a sequence on, that one included, the records after a number, and what those name."""
    while True:
        written_down = _written_down(connection, pipeline)
        rows = _rows_from(connection, pipeline, sequence)
        records = _records_after(connection, pipeline, record)
        named = {int(content.get("sequence") or 0) for of_stage in records.values() for _, content in of_stage}
        before = [number for number in named if number < sequence]
        older = _entries(connection, pipeline, _table.c.sequence.in_(before)) if before else []
        if _written_down(connection, pipeline) == written_down:
            return _stored(rows, older, written_down, records)


def _stored(
    rows: Rows, older: Rows, written_down: Mapping[str, Any] | None, numbered: Mapping[str, _Numbered]
) -> Stored:
    numbers = [number for of_stage in numbered.values() for number, _ in of_stage]
    records = {stage: [record for _, record in of_stage] for stage, of_stage in numbered.items()}
    return Stored(rows, older, written_down, records, max(numbers, default=0))


def _written_down(connection: sa.Connection, pipeline: str) -> dict[str, Any] | None:
    row = connection.execute(_HEAD, {"pipeline": pipeline}).mappings().first()
    return None if row is None else dict(row)


def _newest_rows(connection: sa.Connection, pipeline: str, newest: int | None) -> Rows:
    query = sa.select(_table).where(_table.c.pipeline == pipeline).order_by(_table.c.sequence.desc()).limit(newest)
    return [dict(row) for row in connection.execute(query).mappings()][::-1]


def _rows_from(connection: sa.Connection, pipeline: str, first: int) -> Rows:
    rows = connection.execute(_ROWS_FROM, {"pipeline": pipeline, "first": first}).mappings()
    return sorted((dict(row) for row in rows), key=lambda row: int(row["sequence"]))


def _older(connection: sa.Connection, pipeline: str, first: int) -> Rows:
    if first <= 1:
        return []
    before = _table.c.sequence < first
    # Two questions, sorted here: together, or in their order, SQLite answers them by walking the whole chain.
    by_sequence: dict[int, dict[str, Any]] = {}
    for condition in (_table.c.kind.in_((*KINDS, "acknowledged")), _table.c.sequence == first - 1):
        by_sequence |= {int(row["sequence"]): row for row in _entries(connection, pipeline, sa.and_(before, condition))}
    return [by_sequence[sequence] for sequence in sorted(by_sequence)]


def _entries(connection: sa.Connection, pipeline: str, condition: sa.ColumnElement[bool]) -> Rows:
    """Rows with what the row after each says its hash is."""
    after = _table.alias("after")
    follows = sa.and_(after.c.pipeline == _table.c.pipeline, after.c.sequence == _table.c.sequence + 1)
    query = sa.select(_table, after.c.previous_hash.label("next_hash")).join_from(_table, after, follows, isouter=True)
    rows = connection.execute(query.where(_table.c.pipeline == pipeline, condition)).mappings()
    return sorted((dict(row) for row in rows), key=lambda row: int(row["sequence"]))


def _records(connection: sa.Connection, pipeline: str, stage: str, *, newest: int | None) -> _Numbered:
    of_stage = sa.and_(_runs.c.pipeline == pipeline, _runs.c.stage == stage, _runs.c.record != "")
    query = sa.select(_runs.c.id, _runs.c.record).where(of_stage).order_by(_runs.c.id.desc()).limit(newest)
    return [(int(number), _record(text)) for number, text in connection.execute(query)]


def _records_after(connection: sa.Connection, pipeline: str, number: int) -> dict[str, _Numbered]:
    records: dict[str, _Numbered] = {stage: [] for stage in STAGE_OF_KIND.values()}
    found = connection.execute(_RECORDS_AFTER, {"pipeline": pipeline, "number": number}).all()
    for record_number, stage, text in sorted(found, reverse=True):
        records[stage].append((int(record_number), _record(text)))
    return records


def _record(text: Any) -> dict[str, Any]:
    """A record, or that it is none: a verification says so."""
    try:
        record = json.loads(text)
    except (TypeError, ValueError):
        record = None
    return record if isinstance(record, dict) else {UNREADABLE: True}
