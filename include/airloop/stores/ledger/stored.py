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
            rows = _rows(connection, pipeline, newest=newest)
            older = _older(connection, pipeline, rows[0]["sequence"] if rows else 1)
            records = {stage: _records(connection, pipeline, stage, newest=limit) for stage, limit in limits.items()}
            # PostgreSQL shows each query what was committed before it: nothing may have been appended in between.
            if _written_down(connection, pipeline) == written_down:
                return _stored(rows, older, written_down, records)


def read_appended(settings: Settings, pipeline: str, *, sequence: int, record: int) -> Stored:
    """Read the entries from a sequence on, that one included, the records after a number, and what those name."""
    with state.reading(settings) as connection:
        while True:
            written_down = _written_down(connection, pipeline)
            rows = _rows(connection, pipeline, first=sequence)
            stages = STAGE_OF_KIND.values()
            records = {stage: _records(connection, pipeline, stage, after=record) for stage in stages}
            named = {int(content.get("sequence") or 0) for of_stage in records.values() for _, content in of_stage}
            older = _entries(connection, pipeline, _table.c.sequence.in_([n for n in named if n < sequence]))
            if _written_down(connection, pipeline) == written_down:
                return _stored(rows, older, written_down, records)


def _stored(
    rows: Rows, older: Rows, written_down: Mapping[str, Any] | None, numbered: Mapping[str, _Numbered]
) -> Stored:
    numbers = [number for of_stage in numbered.values() for number, _ in of_stage]
    records = {stage: [record for _, record in of_stage] for stage, of_stage in numbered.items()}
    return Stored(rows, older, written_down, records, max(numbers, default=0))


def _written_down(connection: sa.Connection, pipeline: str) -> dict[str, Any] | None:
    row = connection.execute(sa.select(_heads).where(_heads.c.pipeline == pipeline)).mappings().first()
    return None if row is None else dict(row)


def _rows(connection: sa.Connection, pipeline: str, *, newest: int | None = None, first: int = 0) -> Rows:
    condition = sa.and_(_table.c.pipeline == pipeline, _table.c.sequence >= first)
    query = sa.select(_table).where(condition).order_by(_table.c.sequence.desc()).limit(newest)
    return [dict(row) for row in connection.execute(query).mappings()][::-1]


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


def _records(
    connection: sa.Connection, pipeline: str, stage: str, *, newest: int | None = None, after: int = 0
) -> _Numbered:
    runs = tables.stage_runs
    of_stage = sa.and_(runs.c.pipeline == pipeline, runs.c.stage == stage, runs.c.record != "", runs.c.id > after)
    query = sa.select(runs.c.id, runs.c.record).where(of_stage).order_by(runs.c.id.desc()).limit(newest)
    return [(int(number), _record(text)) for number, text in connection.execute(query)]


def _record(text: Any) -> dict[str, Any]:
    """A record, or that it is none: a verification says so."""
    try:
        record = json.loads(text)
    except (TypeError, ValueError):
        record = None
    return record if isinstance(record, dict) else {UNREADABLE: True}
