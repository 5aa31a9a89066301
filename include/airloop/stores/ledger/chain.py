"""The chain of entries: numbered from 1 without a gap, each with the hash of the one before; only ever appended.

The database's UNIQUE(pipeline, sequence) makes the head a compare-and-set.
"""

import hashlib
import json
import logging
import random
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from airloop.errors import DataContractError, GuardRefused
from airloop.settings import Settings
from airloop.stores import state, tables
from airloop.stores.ledger.entry import Draft, Entry, entry_of
from airloop.stores.ledger.kinds import refuse_other_writers
from airloop.stores.ledger.queries import entries

logger = logging.getLogger(__name__)

FIRST_HASH = "0" * 64

_ATTEMPTS = 1000

_LONGEST_PAUSE_SECONDS = 0.05

_table = tables.ledger_entries

_heads = tables.ledger_heads

_ONE_SPELLING = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


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
    refuse_other_writers(kind)
    text = canonical(payload)
    if not text.isascii():
        _refuse_half_characters(text)
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
        draft = make(entries(settings, pipeline, kinds=kinds, effective_at=effective_at, until=newest))
        if isinstance(draft, Entry):
            return draft
        at_time, payload = draft.effective_at, draft.payload
        try:
            return append(settings, pipeline, kind=kind, effective_at=at_time, payload=payload, expected_head=newest)
        except HeadMoved:
            _pause(attempt)
    raise GuardRefused(f"ledger of {pipeline}: the head moved {_ATTEMPTS} times meanwhile; too many writers")


class HeadMoved(GuardRefused):
    """Another writer was faster."""


def head(settings: Settings, pipeline: str) -> int:
    """Sequence of the newest entry; 0 when there is none."""
    with state.reading(settings) as connection:
        return _head(connection, pipeline)[0]


def heads(settings: Settings, pipelines: Collection[str]) -> dict[str, tuple[int, str]]:
    """Number and hash of each pipeline's newest entry: what a process that follows the ledger asks again and again."""
    with state.reading(settings) as connection:
        return {pipeline: _head(connection, pipeline) for pipeline in pipelines}


def row_hash(row: dict[str, Any]) -> str:
    """SHA-256 over all columns of a row but its hash."""
    return hashlib.sha256(canonical({key: value for key, value in row.items() if key != "hash"}).encode()).hexdigest()


def canonical(content: dict[str, Any]) -> str:
    """JSON with one spelling for one content.

    Raises:
        DataContractError: JSON cannot carry it.
    """
    try:
        return _ONE_SPELLING.encode(content)
    except (TypeError, ValueError, RecursionError) as error:
        raise DataContractError(f"the ledger holds JSON only: {error}") from error


def _refuse_half_characters(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DataContractError(f"the ledger holds Unicode only: {error.reason}") from error


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
