"""One line of the ledger, as a record and as a row of the table."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from airloop.records import Record, parse_instant


@dataclass(frozen=True)
class Entry(Record):
    """One line of the ledger.

    Attributes:
        kind: One of WRITERS. `done` and `rolled_back` put `payload["version"]` in force for windows that start at or
            after `effective_at`.
        effective_at: Data time at which the entry takes effect.
        recorded_at: Wall clock of the append; nothing is decided by it.
        hash: SHA-256 over all other fields, `previous_hash` (of the entry before; zeros for the first) included.
    """

    pipeline: str
    sequence: int
    kind: str
    effective_at: datetime
    payload: dict[str, Any]
    recorded_at: datetime
    previous_hash: str
    hash: str


@dataclass(frozen=True)
class Draft:
    """What an entry is to say and when it takes effect (data time)."""

    effective_at: datetime
    payload: dict[str, Any]


def payload_of(record: Record) -> dict[str, Any]:
    """A record as payload: all of it but the number it has in the ledger."""
    return {key: value for key, value in record.to_json().items() if key != "sequence"}


def entry_of(row: dict[str, Any]) -> Entry:
    """A row of the table as an entry."""
    instants = {name: parse_instant(row[name]) for name in ("effective_at", "recorded_at")}
    return Entry(**{**row, **instants, "payload": json.loads(row["payload"])})
