"""What a table holds, as a digest: of its rows in the order of a key, or of the names of its files."""

import hashlib
from collections.abc import Sequence

import pyarrow as pa

from airloop.records import Window
from airloop.settings import Settings
from airloop.stores import compaction
from airloop.stores.lake.tables import PARTITION, month_of, months_of, open_table


def files_digest(uri: str, settings: Settings, *, window: Window | None = None) -> str:
    """A digest that changes exactly when rows of the window's months were written; '' for no table yet.

    Files that compaction put together (airloop.stores.compaction) count as those they replaced. A static table has no
    months: all of its files count.
    """
    table = open_table(uri, settings)
    if table is None:
        return ""
    files = table.files()
    if window is not None:
        first, last = months_of(window)
        named = ((path, month_of(path)) for path in files)
        files = [path for path, month in named if not month or first <= month <= last]
    return _sha256(sorted(compaction.originals(uri, files, settings)))


def content_digest(rows: pa.Table) -> str:
    """SHA-256 over the Arrow IPC bytes of sorted rows: equal content and order give equal digests."""
    sink = pa.BufferOutputStream()
    # Taking every row copies it: what happened to lie under a null, or beside a slice, is not content.
    batches = rows.take(pa.arange(0, rows.num_rows)).combine_chunks().replace_schema_metadata(None)
    with pa.ipc.new_stream(sink, batches.schema) as writer:
        writer.write_table(batches)
    return hashlib.sha256(sink.getvalue()).hexdigest()


def _sha256(parts: list[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def in_order_like(rows: pa.Table, like: pa.Table, sort_by: Sequence[str]) -> pa.Table:
    """The rows cast to the schema of `like`, in order; as they are where one of their columns would be lost."""
    if not set(like.schema.names) <= set(rows.schema.names):
        return rows
    gone = [name for name in rows.schema.names if name not in (*like.schema.names, PARTITION)]
    if any(rows[name].null_count < rows.num_rows for name in gone):
        return rows
    return in_order(rows.select(like.schema.names).cast(like.schema), sort_by)


def in_order(rows: pa.Table, sort_by: Sequence[str]) -> pa.Table:
    """The rows in the order of a key, ties in the order of the other columns but lists."""
    ties = [field.name for field in rows.schema if field.name not in sort_by and not pa.types.is_nested(field.type)]
    return rows.sort_by([(name, "ascending") for name in (*sort_by, *ties)]).combine_chunks()
