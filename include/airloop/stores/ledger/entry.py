"""One line of the ledger, as a record and as a row of the table."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from airloop.errors import DataContractError
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


UNREADABLE = "unreadable"
_NO_TIME = datetime.min.replace(tzinfo=UTC)


def entry_of(row: dict[str, Any]) -> Entry:
    """A row of the table as an entry.

    Raises:
        ValueError: Somebody wrote what is not an entry: no JSON, or no object.
        DataContractError: A time that is none.
    """
    payload = json.loads(row["payload"])
    if not isinstance(payload, dict):
        raise ValueError("a payload is an object")  # noqa: TRY004 whatever is not an entry is one kind of error
    instants = {name: parse_instant(row[name]) for name in ("effective_at", "recorded_at")}
    return Entry(**{**row, **instants, "payload": payload})


def readable(row: Mapping[str, Any]) -> Entry | None:
    """A row as entry; None where somebody wrote what is not an entry: its hash tells."""
    try:
        return entry_of({key: value for key, value in row.items() if key != "next_hash"})
    except (TypeError, ValueError, DataContractError):
        return None


def shown(row: Mapping[str, Any]) -> Entry:
    """A row as entry for people and packs: one that cannot be read is of the kind UNREADABLE, and says so."""
    entry = readable(row)
    if entry is not None:
        return entry
    says = f"somebody wrote what cannot be read as {row['kind']}: `airloop ledger verify {row['pipeline']}`"
    return Entry(
        pipeline=str(row["pipeline"]),
        sequence=int(row["sequence"]),
        kind=UNREADABLE,
        effective_at=_NO_TIME,
        payload={"says": says},
        recorded_at=_NO_TIME,
        previous_hash=str(row["previous_hash"]),
        hash=str(row["hash"]),
    )
