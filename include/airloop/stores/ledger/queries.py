"""Entries looked up in the database, by the index."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from airloop.settings import Settings
from airloop.stores import state, tables
from airloop.stores.ledger.entry import Entry, readable, shown

_table = tables.ledger_entries


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
    """Entries by sequence: all, or those of some kinds, of one effective_at, up to a sequence, about a version.

    A row that cannot be read as an entry (its hash tells) is left out, or of the kind `unreadable` where all are asked.
    """
    query = sa.select(_table).where(_table.c.pipeline == pipeline)
    every_kind = {*kinds, *({kind} if kind else ())}
    if every_kind:
        query = query.where(_table.c.kind.in_(every_kind))
    if effective_at is not None:
        query = query.where(_table.c.effective_at == state.instant_text(effective_at))
    if until is not None:
        query = query.where(_table.c.sequence <= until)
    if about_version is not None:  # in the database: thousands of payloads are not decoded for a few
        query = query.where(_table.c.payload.contains(f'"version":{about_version}', autoescape=True))
    with state.reading(settings) as connection:
        rows = [dict(row) for row in connection.execute(query).mappings()]
    # Sorted here: asked for an order, SQLite walks the whole chain in it instead of looking up a few kinds.
    if every_kind or effective_at is not None:  # whoever asks for a kind acts on it
        return tuple(entry for row in sorted(rows, key=_sequence) if (entry := readable(row)))
    return tuple(shown(row) for row in sorted(rows, key=_sequence))


def _sequence(row: Mapping[str, Any]) -> int:
    return int(row["sequence"])


def newest(settings: Settings, pipeline: str, kind: str) -> Entry | None:
    """The newest entry of a kind, by the index; None when there is none."""
    of_kind = sa.and_(_table.c.pipeline == pipeline, _table.c.kind == kind)
    query = sa.select(_table).where(of_kind).order_by(_table.c.sequence.desc()).limit(1)
    with state.reading(settings) as connection:
        row = connection.execute(query).mappings().first()
    return readable(dict(row)) if row else None


def at(settings: Settings, pipeline: str, instant: datetime) -> tuple[Entry, ...]:
    """The entries that had taken effect by `instant` (effective_at <= instant, data time), by sequence."""
    return tuple(entry for entry in entries(settings, pipeline) if entry.effective_at <= instant)
