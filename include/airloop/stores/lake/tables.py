"""Tables at `<lake>/<pipeline>/<layer>/<table>`, partitioned by month, and the conditions that pick a window of one."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from airloop.errors import DataContractError, UpstreamUnavailable
from airloop.files import delta_versions
from airloop.files.delta_files import matching
from airloop.records import Window
from airloop.settings import Settings
from airloop.stores import month_rewrite

PARTITION = month_rewrite.PARTITION

_WAY_OUT = "restore the lake from a backup, or remove this table's folder and run the data stages of its windows again"
INSTANT = pa.timestamp("us", tz="UTC")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def table_uri(settings: Settings, pipeline: str, layer: str, table: str) -> str:
    """Where a table lies; `layer` is raw, clean, quarantine, features, predictions or snapshots."""
    return f"{settings.lake_uri}/{pipeline}/{layer}/{table}"


def open_table(uri: str, settings: Settings, *, version: int | None = None) -> DeltaTable | None:
    """The table at `uri`, or None when nothing was written yet.

    Without a version the newest one, or the one at which it is held (airloop.files.delta_versions).

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
            raise UpstreamUnavailable(f"{uri} cannot be read as a Delta table: {error}; {_WAY_OUT}") from error
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
        UpstreamUnavailable: The table does not exist yet, or a file of it is gone.
    """
    table = open_table(uri, settings, version=version)
    if table is None:
        raise UpstreamUnavailable(f"{uri}: nothing was written here yet; run the stage that writes it first")
    try:
        dataset = matching(table, where)
        names = list(columns) if columns else [name for name in dataset.schema.names if name != PARTITION]
        return dataset.to_table(columns=names, filter=where)
    except FileNotFoundError as error:
        raise UpstreamUnavailable(f"{uri}: a file of the table is gone: {error}; {_WAY_OUT}") from error


def instant(value: datetime) -> pa.Scalar:
    """An instant as the tables' columns hold it."""
    return pa.scalar(value, INSTANT)


def between(column: str, window: Window) -> pc.Expression:
    """`window.start <= column < window.end`."""
    start, end = (pa.scalar(bound, INSTANT) for bound in (window.start, window.end))
    return (ds.field(column) >= start) & (ds.field(column) < end)


def month_of(path: str) -> str:
    """The month that a file of a table holds rows of, like 2013-01; '' for a table without months."""
    return path.partition(f"{PARTITION}=")[2][:7]


def window_predicate(time_column: str, window: Window, *, table: str = "") -> str:
    """`between` in Delta's SQL, bounded by partitions too; `table` is put before each column."""
    start, end = map(_sql_instant, (window.start, window.end))
    first, last = months_of(window)
    months = f"{table}{PARTITION} >= '{first}' AND {table}{PARTITION} <= '{last}'"
    return f"{months} AND {table}{time_column} >= {start} AND {table}{time_column} < {end}"


def _sql_instant(instant: datetime) -> str:
    # Beside a text the column would be cast, and every file of the month be opened: files are ruled out by an instant
    # alone. Their bounds are in milliseconds, cut off, and would rule out too much for a finer one.
    if instant.microsecond % 1000:
        return f"'{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z'"
    return f"to_timestamp_micros({(instant - _EPOCH) // timedelta.resolution})"


def months_of(window: Window) -> tuple[str, str]:
    """First and last month of a window; one that ends with January holds nothing of February."""
    return f"{window.start:%Y-%m}", f"{window.end - timedelta.resolution:%Y-%m}"


def with_month(rows: pa.Table, time_column: str) -> pa.Table:
    """The rows with the partition they belong to."""
    return rows.append_column(PARTITION, pc.strftime(rows[time_column], format="%Y-%m"))
