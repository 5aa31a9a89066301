"""The chain of entries: numbered from 1 without a gap, each with the hash of the one before; only ever appended.

The database's UNIQUE(pipeline, sequence) makes the head a compare-and-set.
"""

import hashlib
import json
import logging
import random
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from airloop.errors import DataContractError, GuardRefused
from airloop.records import Record, parse_instant, run_context
from airloop.settings import Settings
from airloop.stores import state, tables

logger = logging.getLogger(__name__)

WRITERS: dict[str, tuple[str, ...]] = {
    "trained": ("train",),
    "decision": ("decide",),
    "refitted": ("refit",),
    "intended": ("promote", "roll_back"),
    "done": ("promote",),
    "triage": ("triage",),
    "reconciled": (),
    "measured": ("triage",),
    "alarm": ("ingest", "validate_raw", "validate_features", "monitor"),
    "answered": (),
    "acknowledged": (),
    "sealed": ("score",),
    "rolled_back": ("roll_back",),
    "approved": (),
    "rejected": (),
    "superseded": (),
    "shadowed": ("promote",),
    "locked": (),
    "unlocked": (),
}
"""Kind of entry -> the stages that write it; outside of any stage (a person's command) each may be written."""

KINDS: dict[str, str] = {
    "trained": "which version a training made, of which rows, and who started it",
    "decision": "what the gate decided about a version, on which evidence, and why",
    "refitted": "which version a decision puts in force: the judged one's refit on all mature rows, or itself",
    "intended": "a promotion or a rollback has begun; its alias may or may not have moved yet",
    "done": "the version is champion for windows that start at or after `effective_at`",
    "triage": "what a monitored window calls for, on which evidence",
    "measured": "what a promotion gained on the first rows after it, beside what the gate had measured",
    "reconciled": "the alias `champion` was moved back, or a promotion or rollback was given up",
    "alarm": "what a stage noticed about a window, or an alias that pointed at a version never promoted",
    "answered": "a person's answer to an alarm",
    "acknowledged": "problems of the ledger itself that a person goes on with",
    "sealed": "SHA-256 of a champion's files, of one that was promoted before digests were taken",
    "rolled_back": "a former champion is in force again from `effective_at` on; nothing is promoted until `unlocked`",
    "approved": "a person lets the version of a decision be promoted, and why",
    "rejected": "a person (or the deadline) refuses to let it be promoted, and why",
    "superseded": "nobody can approve it any more, and why",
    "shadowed": "what a version that waits was worth on live traffic beside the champion: passed, or refused for good",
    "locked": "a person stopped promotions, and why",
    "unlocked": "a person lets promotions go on, and why",
}
"""Kind of entry -> what it says."""

FIRST_HASH = "0" * 64

_ATTEMPTS = 1000
_LONGEST_PAUSE_SECONDS = 0.05
_table = tables.ledger_entries
_heads = tables.ledger_heads


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


def append(
    settings: Settings,
    pipeline: str,
    *,
    kind: str,
    effective_at: datetime,
    payload: dict[str, Any],
    expected_head: int | None = None,
) -> Entry:
    """Append one entry; its hash is logged.

    `expected_head` is the sequence of the newest entry the caller has seen (0: an empty ledger). None appends whatever
    the head is, and tries again when another writer was faster.

    Raises:
        GuardRefused: The head is not `expected_head`, or a stage that does not write this kind asks for it.
        DataContractError: An unknown kind, or a payload that JSON cannot carry (NaN and infinity included).
    """
    _refuse_other_writers(kind)
    text = canonical(payload)
    for attempt in range(_ATTEMPTS):
        try:
            with state.transaction(settings) as connection:
                row = _next_row(connection, pipeline, expected_head)
                row |= {"kind": kind, "effective_at": state.instant_text(effective_at), "payload": text}
                row |= {"recorded_at": state.instant_text(datetime.now(UTC))}
                row |= {"hash": row_hash(row)}
                connection.execute(_table.insert().values(**row))
                _remember_head(connection, row)
        except sa.exc.IntegrityError:  # another writer took this number first
            _pause(attempt)
            continue
        logger.info("ledger of %s: entry %d (%s), hash %s", pipeline, row["sequence"], kind, row["hash"])
        return entry_of(row)
    raise GuardRefused(f"ledger of {pipeline}: no free number after {_ATTEMPTS} attempts; too many writers")


def append_once(
    settings: Settings,
    pipeline: str,
    *,
    kind: str,
    make: Callable[[tuple[Entry, ...]], Entry | Draft],
    kinds: Collection[str],
    effective_at: datetime | None = None,
) -> Entry:
    """Append what `make` drafts, unless it finds the entry; asked again whenever another writer was faster.

    Between its look and the append no entry comes in. `make` may raise GuardRefused: nothing is then appended.

    Args:
        make: Called with the entries of `kinds` (and of `effective_at` when it is given), by sequence.
    """
    for attempt in range(_ATTEMPTS):
        newest = head(settings, pipeline)
        made = make(entries(settings, pipeline, kinds=kinds, effective_at=effective_at, until=newest))
        if isinstance(made, Entry):
            return made
        at_time, payload = made.effective_at, made.payload
        try:
            return append(settings, pipeline, kind=kind, effective_at=at_time, payload=payload, expected_head=newest)
        except HeadMoved:
            _pause(attempt)
    raise GuardRefused(f"ledger of {pipeline}: the head moved {_ATTEMPTS} times meanwhile; too many writers")


class HeadMoved(GuardRefused):
    """Another writer was faster."""


def entries(
    settings: Settings,
    pipeline: str,
    *,
    kind: str | None = None,
    kinds: Collection[str] = (),
    effective_at: datetime | None = None,
    until: int | None = None,
    about_version: int | None = None,
) -> tuple[Entry, ...]:
    """Entries by sequence: all, or those of some kinds, of one effective_at, up to a sequence, about a version."""
    query = sa.select(_table).where(_table.c.pipeline == pipeline)
    wanted = {*kinds, *({kind} if kind else ())}
    if wanted:
        query = query.where(_table.c.kind.in_(wanted))
    if effective_at is not None:
        query = query.where(_table.c.effective_at == state.instant_text(effective_at))
    if until is not None:
        query = query.where(_table.c.sequence <= until)
    if about_version is not None:  # in the database: thousands of payloads are not decoded for a few
        query = query.where(_table.c.payload.contains(f'"version":{about_version}', autoescape=True))
    with state.reading(settings) as connection:
        rows = [dict(row) for row in connection.execute(query).mappings()]
    # Sorted here: asked for an order, SQLite walks the whole chain in it instead of looking up a few kinds.
    return tuple(entry_of(row) for row in sorted(rows, key=_sequence))


def _sequence(row: Mapping[str, Any]) -> int:
    return int(row["sequence"])


def newest(settings: Settings, pipeline: str, kind: str) -> Entry | None:
    """The newest entry of a kind, by the index; None when there is none."""
    of_kind = sa.and_(_table.c.pipeline == pipeline, _table.c.kind == kind)
    query = sa.select(_table).where(of_kind).order_by(_table.c.sequence.desc()).limit(1)
    with state.transaction(settings) as connection:
        row = connection.execute(query).mappings().first()
    return entry_of(dict(row)) if row else None


def head(settings: Settings, pipeline: str) -> int:
    """Sequence of the newest entry; 0 when there is none."""
    with state.reading(settings) as connection:
        return _head(connection, pipeline)[0]


def heads(settings: Settings, pipelines: Collection[str]) -> dict[str, tuple[int, str]]:
    """Number and hash of each pipeline's newest entry: what a process that follows the ledger asks again and again."""
    with state.reading(settings) as connection:
        return {pipeline: _head(connection, pipeline) for pipeline in pipelines}


def at(settings: Settings, pipeline: str, instant: datetime) -> tuple[Entry, ...]:
    """The entries that had taken effect by `instant` (effective_at <= instant, data time), by sequence."""
    return tuple(entry for entry in entries(settings, pipeline) if entry.effective_at <= instant)


def payload_of(record: Record) -> dict[str, Any]:
    """A record as payload: all of it but the number it has in the ledger."""
    return {key: value for key, value in record.to_json().items() if key != "sequence"}


def entry_of(row: dict[str, Any]) -> Entry:
    """A row of the table as an entry."""
    instants = {name: parse_instant(row[name]) for name in ("effective_at", "recorded_at")}
    return Entry(**{**row, **instants, "payload": json.loads(row["payload"])})


def row_hash(row: dict[str, Any]) -> str:
    """SHA-256 over all columns of a row but its hash."""
    return hashlib.sha256(canonical({key: value for key, value in row.items() if key != "hash"}).encode()).hexdigest()


def canonical(content: dict[str, Any]) -> str:
    """JSON with one spelling for one content.

    Raises:
        DataContractError: JSON cannot carry it.
    """
    try:
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise DataContractError(f"the ledger holds JSON only: {error}") from error


def _refuse_other_writers(kind: str) -> None:
    if kind not in WRITERS:
        raise DataContractError(f"the ledger has no entries of kind {kind!r} (kinds: {', '.join(WRITERS)})")
    stage = run_context.current_stage()
    if stage is not None and stage not in WRITERS[kind]:
        writers = ", ".join(WRITERS[kind]) or "a person's command"
        raise GuardRefused(f"stage {stage} writes no entries of kind {kind!r} into the ledger: {writers} does")


def _next_row(connection: sa.Connection, pipeline: str, expected_head: int | None) -> dict[str, Any]:
    newest, newest_hash = _head(connection, pipeline)
    if expected_head is not None and newest != expected_head:
        raise HeadMoved(
            f"somebody else decided meanwhile: the ledger of {pipeline} is at entry {newest}, not {expected_head}"
        )
    return {"pipeline": pipeline, "sequence": newest + 1, "previous_hash": newest_hash}


def _head(connection: sa.Connection, pipeline: str) -> tuple[int, str]:
    query = sa.select(_table.c.sequence, _table.c.hash).where(_table.c.pipeline == pipeline)
    newest = connection.execute(query.order_by(_table.c.sequence.desc()).limit(1)).first()
    return (0, FIRST_HASH) if newest is None else (int(newest.sequence), str(newest.hash))


def _remember_head(connection: sa.Connection, row: dict[str, Any]) -> None:
    """Write the newest number and hash down a second time: a chain cut or rewritten by itself no longer fits."""
    values = {"sequence": row["sequence"], "hash": row["hash"]}
    updated = connection.execute(_heads.update().where(_heads.c.pipeline == row["pipeline"]).values(**values))
    if updated.rowcount == 0:
        connection.execute(_heads.insert().values(pipeline=row["pipeline"], **values))


def _pause(attempt: int) -> None:
    time.sleep(random.uniform(0, min(0.001 * (attempt + 1), _LONGEST_PAUSE_SECONDS)))
