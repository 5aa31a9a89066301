"""What a verification reads: rows of the chain as they are stored, and the records of the stages that appended them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from airloop.errors import DataContractError
from airloop.settings import Settings
from airloop.stores import state, tables
from airloop.stores.ledger.chain import Entry, entry_of
from airloop.stores.ledger.history import KINDS

STAGE_OF_KIND = {
    "decision": "decide",
    "refitted": "refit",
    "triage": "triage",
    "done": "promote",
    "rolled_back": "roll_back",
}
"""Kind of entry -> the stage whose record names it."""

Rows = Sequence[dict[str, Any]]

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
    """

    rows: Rows
    older: Rows
    written_down: Mapping[str, Any] | None
    records: Mapping[str, Sequence[dict[str, Any]]]

    @property
    def all_rows(self) -> Rows:
        """Both, by sequence."""
        return (*self.older, *self.rows)


def read_stored(settings: Settings, pipeline: str, newest: int | None) -> Stored:
    """Read the newest entries and records of each stage, and of the entries before them what decides; None: all."""
    with state.reading(settings) as connection:
        while True:
            written_down = _written_down(connection, pipeline)
            rows = _rows(connection, pipeline, newest)
            older = _older(connection, pipeline, rows[0]["sequence"] if rows else 1)
            # There are as many decisions as trainings, and each that was promoted has to be on record.
            limits = {"triage": newest, "decide": None, "refit": None, "promote": newest, "roll_back": newest}
            records = {stage: _records(connection, pipeline, stage, limit) for stage, limit in limits.items()}
            # PostgreSQL shows each query what was committed before it: nothing may have been appended in between.
            if _written_down(connection, pipeline) == written_down:
                return Stored(rows, older, written_down, records)


def _written_down(connection: sa.Connection, pipeline: str) -> dict[str, Any] | None:
    row = connection.execute(sa.select(_heads).where(_heads.c.pipeline == pipeline)).mappings().first()
    return None if row is None else dict(row)


def _rows(connection: sa.Connection, pipeline: str, newest: int | None) -> Rows:
    query = sa.select(_table).where(_table.c.pipeline == pipeline).order_by(_table.c.sequence.desc()).limit(newest)
    return [dict(row) for row in connection.execute(query).mappings()][::-1]


def _older(connection: sa.Connection, pipeline: str, first: int) -> Rows:
    if first <= 1:
        return []
    after = _table.alias("after")
    follows = sa.and_(after.c.pipeline == _table.c.pipeline, after.c.sequence == _table.c.sequence + 1)
    query = sa.select(_table, after.c.previous_hash.label("next_hash")).join_from(_table, after, follows, isouter=True)
    before = query.where(_table.c.pipeline == pipeline, _table.c.sequence < first)
    # Two questions, sorted here: together, or in their order, SQLite answers them by walking the whole chain.
    found: dict[int, dict[str, Any]] = {}
    for wanted in (_table.c.kind.in_((*KINDS, "acknowledged")), _table.c.sequence == first - 1):
        rows = connection.execute(before.where(wanted)).mappings()
        found |= {int(row["sequence"]): dict(row) for row in rows}
    return [found[sequence] for sequence in sorted(found)]


def _records(connection: sa.Connection, pipeline: str, stage: str, newest: int | None) -> list[dict[str, Any]]:
    runs = tables.stage_runs
    query = sa.select(runs.c.record).where(runs.c.pipeline == pipeline, runs.c.stage == stage, runs.c.record != "")
    return [json.loads(text) for text in connection.execute(query.order_by(runs.c.id.desc()).limit(newest)).scalars()]


def readable(row: Mapping[str, Any]) -> Entry | None:
    """A row as entry; None where somebody wrote what is not an entry: its hash tells."""
    try:
        return entry_of({key: value for key, value in row.items() if key != "next_hash"})
    except (ValueError, DataContractError):
        return None
