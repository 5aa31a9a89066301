"""Values of the SQLite online store that outlived their view's ttl; Redis lets keys expire itself (key_ttl_seconds)."""

import sqlite3
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from airloop.config import Pipeline
from airloop.errors import UpstreamUnavailable
from airloop.features.online_expiry import expired_by_now
from airloop.settings import Settings

_BUSY_SECONDS = 30
_ROWS_A_TIME = 50_000
_EMPTY_SHARE = 0.5
"""The file is rewritten when more than this share of its pages is empty."""

# Only instants as airloop writes them: whole seconds.
_OLD = "typeof(event_ts) = 'integer' AND event_ts < ?"
_BYTES = "length(entity_key) + length(feature_name) + length(value)"


def remove(pipeline: Pipeline, settings: Settings, *, dry_run: bool) -> dict[str, tuple[int, int]]:
    """Remove them: of each view how many values, and their bytes; of views without any nothing.

    Raises:
        UpstreamUnavailable: The online store is locked for too long, or broken.
    """
    file = _file(settings)
    if file is None:
        return {}
    removed, expired = {}, expired_by_now(pipeline, settings)
    try:
        with closing(sqlite3.connect(file, timeout=_BUSY_SECONDS, isolation_level=None)) as connection:
            for view, instant in expired.items():
                count, size = _old_values(connection, f"{pipeline.name}_{view}", instant, dry_run=dry_run)
                if count:
                    removed[view] = (count, size)
            if removed and not dry_run:
                _shrink(connection)
    except sqlite3.Error as error:
        raise UpstreamUnavailable(f"the online store {file}: {error}") from error
    return removed


def _file(settings: Settings) -> Path | None:
    store = settings.online_store
    path = Path(store["path"]) if store.get("type") == "sqlite" else None
    return path if path is not None and path.exists() else None


def _old_values(connection: sqlite3.Connection, name: str, instant: datetime, *, dry_run: bool) -> tuple[int, int]:
    known = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,)).fetchone()
    if known is None:
        return 0, 0
    table, before = '"' + name.replace('"', '""') + '"', int(instant.timestamp())
    count, size = connection.execute(f"SELECT count(*), sum({_BYTES}) FROM {table} WHERE {_OLD}", (before,)).fetchone()
    # A part at a time: whoever materializes meanwhile waits for one part only.
    some = f"DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} WHERE {_OLD} LIMIT {_ROWS_A_TIME})"
    while not dry_run and connection.execute(some, (before,)).rowcount > 0:
        pass
    return int(count), int(size or 0)


def _shrink(connection: sqlite3.Connection) -> None:
    pages, empty = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count"))
    if empty > _EMPTY_SHARE * pages:
        with suppress(sqlite3.OperationalError):  # somebody holds it; its pages are filled again, or the next time
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
