"""The ledger: the append-only, hash-chained history of what was decided; in force is what it says, never an alias.

Entries of a pipeline are numbered from 1 without a gap; the database's UNIQUE(pipeline, sequence) makes `expected_head`
a compare-and-set. A chain shows every changed, inserted or removed entry before its end. That the newest ones were cut
off shows only against what else names them: stage records here, the head's hash wherever it was written down.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from airloop import state
from airloop.errors import DataContractError, GuardRefused
from airloop.records import Record, parse_instant
from airloop.settings import Settings

KINDS = ("decision", "intended", "done", "triage", "reconciled", "alarm", "answered")

_FIRST_HASH = "0" * 64
_ATTEMPTS = 1000
_STAGE_OF_KIND = {"decision": "decide", "triage": "triage", "done": "promote"}
_table = state.ledger_entries


@dataclass(frozen=True)
class Entry(Record):
    """One line of the ledger.

    Attributes:
        kind: One of KINDS. `done` puts `payload["version"]` in force for windows that start at or after `effective_at`.
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


def append(
    settings: Settings,
    pipeline: str,
    *,
    kind: str,
    effective_at: datetime,
    payload: dict[str, Any],
    expected_head: int | None = None,
) -> Entry:
    """Append one entry.

    `expected_head` is the sequence of the newest entry the caller has seen (0: an empty ledger). None appends whatever
    the head is, and tries again when another writer was faster.

    Raises:
        GuardRefused: The head is not `expected_head`.
        DataContractError: An unknown kind, or a payload that JSON cannot carry (NaN and infinity included).
    """
    if kind not in KINDS:
        raise DataContractError(f"the ledger has no entries of kind {kind!r} (kinds: {', '.join(KINDS)})")
    text = _canonical(payload)
    for _ in range(_ATTEMPTS):
        try:
            with state.transaction(settings) as connection:
                row = _next_row(connection, pipeline, expected_head)
                row |= {"kind": kind, "effective_at": state.instant_text(effective_at), "payload": text}
                row |= {"recorded_at": state.instant_text(datetime.now(UTC))}
                row |= {"hash": _hash(row)}
                connection.execute(_table.insert().values(**row))
            return _entry(row)
        except sa.exc.IntegrityError:  # another writer took this number first
            continue
    raise GuardRefused(f"ledger of {pipeline}: no free number after {_ATTEMPTS} attempts; too many writers")


def append_once(
    settings: Settings,
    pipeline: str,
    *,
    kind: str,
    effective_at: datetime,
    payload: dict[str, Any],
    existing: Callable[[Sequence[Entry]], Entry | None],
) -> Entry:
    """Append unless `existing` finds the entry among all entries; looked up again whenever another writer was faster.

    `existing` may raise GuardRefused: nothing is then appended. Between its look and the append no entry comes in.
    """
    for _ in range(_ATTEMPTS):
        seen = entries(settings, pipeline)
        found = existing(seen)
        if found is not None:
            return found
        head_seen = seen[-1].sequence if seen else 0
        try:
            return append(
                settings, pipeline, kind=kind, effective_at=effective_at, payload=payload, expected_head=head_seen
            )
        except GuardRefused:
            continue
    raise GuardRefused(f"ledger of {pipeline}: the head moved {_ATTEMPTS} times meanwhile; too many writers")


def entries(settings: Settings, pipeline: str, *, kind: str | None = None) -> tuple[Entry, ...]:
    """All entries, or those of one kind, by sequence."""
    return tuple(_entry(row) for row in _rows(settings, pipeline) if kind in (None, row["kind"]))


def head(settings: Settings, pipeline: str) -> int:
    """Sequence of the newest entry; 0 when there is none."""
    with state.transaction(settings) as connection:
        return _head(connection, pipeline)[0]


def at(settings: Settings, pipeline: str, instant: datetime) -> tuple[Entry, ...]:
    """The entries that had taken effect by `instant` (effective_at <= instant, data time), by sequence."""
    return tuple(entry for entry in entries(settings, pipeline) if entry.effective_at <= instant)


def champion_at(settings: Settings, pipeline: str, instant: datetime) -> int | None:
    """Version in force at `instant`: of the `done` entry with the largest effective_at <= instant, ties by sequence."""
    in_force = [entry for entry in at(settings, pipeline, instant) if entry.kind == "done"]
    newest = max(in_force, key=lambda entry: (entry.effective_at, entry.sequence), default=None)
    return None if newest is None else int(newest.payload["version"])


def latest(seen: Sequence[Entry], kind: str) -> Entry | None:
    """The newest entry of a kind among entries in sequence order."""
    return next((entry for entry in reversed(seen) if entry.kind == kind), None)


def payload_of(record: Record) -> dict[str, Any]:
    """A record as payload: all of it but the number it has in the ledger."""
    return {key: value for key, value in record.to_json().items() if key != "sequence"}


def verify(settings: Settings, pipeline: str) -> list[str]:
    """Recompute the whole chain; an empty list means that nothing was changed, inserted, removed or cut off."""
    problems = []
    previous, expected = _FIRST_HASH, 1
    rows = _rows(settings, pipeline)
    for row in rows:
        sequence = row["sequence"]
        if sequence != expected:
            problems.append(f"entry {sequence} follows entry {expected - 1}: entries between them are missing")
        elif row["previous_hash"] != previous:
            problems.append(f"entry {sequence} does not continue entry {expected - 1}: one of them was replaced")
        if _hash(row) != row["hash"]:
            problems.append(f"entry {sequence} ({row['kind']}) was changed: its content does not match its hash")
        previous, expected = row["hash"], sequence + 1
    return problems + _missing_from_stage_records(settings, pipeline, {row["sequence"]: row["kind"] for row in rows})


def require_intact(settings: Settings, pipeline: str) -> None:
    """Refuse to act on a ledger that was tampered with.

    Raises:
        GuardRefused: `verify` found a problem.
    """
    problems = verify(settings, pipeline)
    if problems:
        raise GuardRefused(f"the ledger of {pipeline} does not verify: {problems[0]} (problems: {len(problems)})")


def _missing_from_stage_records(settings: Settings, pipeline: str, kinds: dict[int, str]) -> list[str]:
    problems = []
    for kind, stage in _STAGE_OF_KIND.items():
        records = state.latest_records(settings, pipeline, stage)
        named = {int(record["sequence"]) for record in records if record.get("sequence") is not None}
        lost = sorted(sequence for sequence in named if kinds.get(sequence) != kind)
        problems += [f"entry {sequence} ({kind}) is missing: the record of {stage} names it" for sequence in lost]
    return problems


def _next_row(connection: sa.Connection, pipeline: str, expected_head: int | None) -> dict[str, Any]:
    newest, newest_hash = _head(connection, pipeline)
    if expected_head is not None and newest != expected_head:
        raise GuardRefused(
            f"somebody else decided meanwhile: the ledger of {pipeline} is at entry {newest}, not {expected_head}"
        )
    return {"pipeline": pipeline, "sequence": newest + 1, "previous_hash": newest_hash}


def _head(connection: sa.Connection, pipeline: str) -> tuple[int, str]:
    query = sa.select(_table.c.sequence, _table.c.hash).where(_table.c.pipeline == pipeline)
    newest = connection.execute(query.order_by(_table.c.sequence.desc()).limit(1)).first()
    return (0, _FIRST_HASH) if newest is None else (int(newest.sequence), str(newest.hash))


def _rows(settings: Settings, pipeline: str) -> list[dict[str, Any]]:
    query = sa.select(_table).where(_table.c.pipeline == pipeline).order_by(_table.c.sequence)
    with state.transaction(settings) as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def _entry(row: dict[str, Any]) -> Entry:
    instants = {name: parse_instant(row[name]) for name in ("effective_at", "recorded_at")}
    return Entry(**{**row, **instants, "payload": json.loads(row["payload"])})


def _hash(row: dict[str, Any]) -> str:
    return hashlib.sha256(_canonical({key: value for key, value in row.items() if key != "hash"}).encode()).hexdigest()


def _canonical(content: dict[str, Any]) -> str:
    try:
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise DataContractError(f"the ledger holds JSON only: {error}") from error
