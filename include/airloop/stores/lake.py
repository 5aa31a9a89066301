"""The Delta lake: tables at `<lake>/<pipeline>/<layer>/<table>`, partitioned by month, versioned by every write."""

import hashlib
import logging
import random
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from airloop import delta_versions
from airloop.delta_files import matching
from airloop.errors import ConfigError, DataContractError, UpstreamUnavailable
from airloop.records import TableVersion, Window
from airloop.settings import Settings
from airloop.stores import compaction, month_rewrite

logger = logging.getLogger(__name__)

PARTITION = month_rewrite.PARTITION
_COMMIT_TRIES = 40
INSTANT = pa.timestamp("us", tz="UTC")


def table_uri(settings: Settings, pipeline: str, layer: str, table: str) -> str:
    """Where a table lies; `layer` is raw, clean, quarantine, features, predictions or snapshots."""
    return f"{settings.lake_uri}/{pipeline}/{layer}/{table}"


def open_table(uri: str, settings: Settings, *, version: int | None = None) -> DeltaTable | None:
    """The table at `uri`, or None when nothing was written yet.

    Without a version the newest one, or the one at which it is held (airloop.delta_versions).

    Raises:
        DataContractError: It has no such version.
        UpstreamUnavailable: The store does not answer.
    """
    version = delta_versions.held_version(uri) if version is None else version
    if version == delta_versions.NOT_WRITTEN:
        return None
    try:
        if "://" not in uri:
            Path(uri).stat()  # Delta would make the folder, and panic where it cannot
        return DeltaTable(uri, version=version, storage_options=settings.storage_options or None)
    except (FileNotFoundError, TableNotFoundError):
        return None
    except OSError as error:
        raise UpstreamUnavailable(f"{uri} cannot be opened: {error}") from error
    except DeltaError as error:
        if version is None:
            raise
        raise DataContractError(f"{uri} has no version {version}: {error}") from error


def read(
    uri: str,
    settings: Settings,
    *,
    where: pc.Expression | None = None,
    columns: Sequence[str] | None = None,
    version: int | None = None,
) -> pa.Table:
    """Read rows of a table, without the partition column unless asked for.

    Raises:
        UpstreamUnavailable: The table does not exist yet.
    """
    table = open_table(uri, settings, version=version)
    if table is None:
        raise UpstreamUnavailable(f"{uri}: nothing was written here yet; run the stage that writes it first")
    dataset = matching(table, where)
    names = list(columns) if columns else [name for name in dataset.schema.names if name != PARTITION]
    return dataset.to_table(columns=names, filter=where)


def instant(value: datetime) -> pa.Scalar:
    """An instant as the tables' columns hold it."""
    return pa.scalar(value, INSTANT)


def between(column: str, window: Window) -> pc.Expression:
    """`window.start <= column < window.end`."""
    start, end = (pa.scalar(bound, INSTANT) for bound in (window.start, window.end))
    return (ds.field(column) >= start) & (ds.field(column) < end)


def replace_window(
    uri: str, rows: pa.Table, settings: Settings, *, time_column: str, window: Window, sort_by: Sequence[str]
) -> TableVersion:
    """Put `rows` in place of what the table holds of the window, in one transaction.

    The same content again writes no new version, so a rerun changes nothing.

    Args:
        rows: Every `time_column` value lies in the window; timestamps in microseconds UTC.
        sort_by: The table's key. Rows are stored in its order, ties in the order of the other columns but lists, which
            makes the digest independent of file order.

    Raises:
        DataContractError: A row lies outside the window, or has no time: no later write would replace it.
        ConfigError: A column is named like the partition, or has another type than the table's.
        UpstreamUnavailable: The store does not answer, or other writers were faster several times in a row.
    """
    _refuse_strays(uri, rows, time_column, window)
    rows = _sorted(rows, sort_by)
    digest = content_digest(rows)
    found = _current(uri, rows, settings, time_column=time_column, window=window, sort_by=sort_by)
    if found is not None and found[0] == digest:
        version = found[1]
    else:
        version = _replace(uri, with_month(rows, time_column), settings, time_column=time_column, window=window)
    return TableVersion(uri.rsplit("/", 1)[-1], uri, version, rows.num_rows, digest)


def _replace(uri: str, rows: pa.Table, settings: Settings, *, time_column: str, window: Window) -> int:
    how: dict[str, Any] = {"partition_by": [PARTITION], "schema_mode": "merge"}

    def write(options: Any) -> None:
        if month_rewrite.reads_back(time_column):
            predicate = window_predicate(time_column, window)
            write_deltalake(uri, rows, storage_options=options, mode="overwrite", predicate=predicate, **how)
        elif open_table(uri, settings) is None:
            write_deltalake(uri, rows, storage_options=options, mode="error", **how)
        else:
            held = between(time_column, window)
            month_rewrite.rewrite(uri, rows, held=held, months=_months(window), options=options)

    return _commit(uri, settings, write)


def replace_table(uri: str, rows: pa.Table, settings: Settings, *, sort_by: Sequence[str]) -> TableVersion:
    """Put `rows` in place of a static table's whole content; the same content again writes no new version."""
    rows = _sorted(rows, sort_by)
    digest = content_digest(rows)
    table = open_table(uri, settings)
    if (
        table is not None
        and content_digest(_sorted_like(table.to_pyarrow_dataset().to_table(), rows, sort_by)) == digest
    ):
        version = table.version()
    else:
        version = _commit(
            uri,
            settings,
            lambda options: write_deltalake(
                uri, rows, storage_options=options, mode="overwrite", schema_mode="overwrite"
            ),
        )
    return TableVersion(uri.rsplit("/", 1)[-1], uri, version, rows.num_rows, digest)


def files_digest(uri: str, settings: Settings, *, window: Window | None = None) -> str:
    """A digest that changes exactly when rows of the window's months were written; '' for no table yet.

    Files that compaction put together (airloop.stores.compaction) count as those they replaced. A static table has no
    months: all of its files count.
    """
    table = open_table(uri, settings)
    if table is None:
        return ""
    kept = table.files()
    if window is not None:
        first, last = _months(window)
        named = ((path, month_of(path)) for path in kept)
        kept = [path for path, month in named if not month or first <= month <= last]
    return _sha256(sorted(compaction.originals(uri, kept, settings)))


def month_of(path: str) -> str:
    """The month that a file of a table holds rows of, like 2013-01; '' for a table without months."""
    return path.partition(f"{PARTITION}=")[2][:7]


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


def window_predicate(time_column: str, window: Window, *, table: str = "") -> str:
    """`between` in Delta's SQL, bounded by partitions too; `table` is put before each column."""
    bounds = [f"{bound:%Y-%m-%dT%H:%M:%S.%f}Z" for bound in (window.start, window.end)]
    first, last = _months(window)
    months = f"{table}{PARTITION} >= '{first}' AND {table}{PARTITION} <= '{last}'"
    return f"{months} AND {table}{time_column} >= '{bounds[0]}' AND {table}{time_column} < '{bounds[1]}'"


def _months(window: Window) -> tuple[str, str]:
    # The end is not part of the window: a window that ends with January holds nothing of February.
    return f"{window.start:%Y-%m}", f"{window.end - timedelta.resolution:%Y-%m}"


def _refuse_strays(uri: str, rows: pa.Table, time_column: str, window: Window) -> None:
    if PARTITION in rows.schema.names:
        raise ConfigError(f"{uri}: the column name {PARTITION!r} is the lake's own; rows need another")
    inside = rows.filter(between(time_column, window)).num_rows
    if inside != rows.num_rows:
        raise DataContractError(f"{uri} {window}: {rows.num_rows - inside} rows with {time_column} outside the window")


def _current(
    uri: str, like: pa.Table, settings: Settings, *, time_column: str, window: Window, sort_by: Sequence[str]
) -> tuple[str, int] | None:
    table = open_table(uri, settings)
    if table is None:
        return None
    where = between(time_column, window)
    dataset = matching(table, where)
    _refuse_other_types(uri, like.schema, dataset.schema)
    rows = dataset.to_table(filter=where)
    return content_digest(_sorted_like(rows, like, sort_by)), table.version()


def _refuse_other_types(uri: str, written: pa.Schema, held: pa.Schema) -> None:
    for field in written:
        if field.name in held.names and held.field(field.name).type != field.type:
            raise ConfigError(
                f"{uri}: column {field.name!r} is {held.field(field.name).type} in the table and {field.type} in the "
                "new rows; give the column another name, or remove the table and build it again"
            )


def _sorted_like(rows: pa.Table, like: pa.Table, sort_by: Sequence[str]) -> pa.Table:
    if not set(like.schema.names) <= set(rows.schema.names):
        return rows
    gone = [name for name in rows.schema.names if name not in (*like.schema.names, PARTITION)]
    if any(rows[name].null_count < rows.num_rows for name in gone):
        return rows
    return _sorted(rows.select(like.schema.names).cast(like.schema), sort_by)


def _sorted(rows: pa.Table, sort_by: Sequence[str]) -> pa.Table:
    ties = [field.name for field in rows.schema if field.name not in sort_by and not pa.types.is_nested(field.type)]
    return rows.sort_by([(name, "ascending") for name in (*sort_by, *ties)]).combine_chunks()


def with_month(rows: pa.Table, time_column: str) -> pa.Table:
    """The rows with the partition they belong to."""
    return rows.append_column(PARTITION, pc.strftime(rows[time_column], format="%Y-%m"))


def _commit(uri: str, settings: Settings, write: Callable[[Any], None]) -> int:
    """Write, again when another writer's commit came between; the version seen after the write.

    Args:
        write: Is given the storage options; looks at the table anew in each call.
    """
    options = settings.storage_options or None
    for attempt in range(1, _COMMIT_TRIES + 1):
        try:
            if "://" not in uri:
                Path(uri).mkdir(parents=True, exist_ok=True)
            write(options)
            return int(DeltaTable(uri, storage_options=options).version())
        except DeltaError as error:
            # The second of two writers that make a table is told so in words only.
            if not isinstance(error, CommitFailedError) and "already exists" not in str(error):
                raise
            logger.info("%s: another writer committed first (try %d): %s", uri, attempt, error)
            # Growing and random: of many windows written at once (a burst of files) each gets its turn.
            time.sleep(random.uniform(0, 0.1 * attempt))
        except OSError as error:
            raise UpstreamUnavailable(f"{uri} cannot be written: {error}") from error
    raise UpstreamUnavailable(f"{uri}: {_COMMIT_TRIES} writes in a row met a concurrent commit; retry")
