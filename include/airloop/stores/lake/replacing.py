"""Rows put in place of what a table holds of a window, or of all of it: one transaction, and none for the same rows."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from airloop.errors import ConfigError, DataContractError
from airloop.files import delta_log
from airloop.files.delta_files import matching
from airloop.records import TableVersion, Window
from airloop.settings import Settings
from airloop.stores import month_rewrite
from airloop.stores.lake.commits import committed
from airloop.stores.lake.contents import content_digest, in_order, in_order_like
from airloop.stores.lake.tables import PARTITION, between, months_of, open_table, window_predicate, with_month


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
    rows = in_order(rows, sort_by)
    digest, table = content_digest(rows), open_table(uri, settings)
    if table is not None and digest == _held(table, uri, rows, time_column=time_column, window=window, sort_by=sort_by):
        version = table.version()
    else:
        rows = with_month(rows, time_column)
        version = _replace(uri, table, rows, settings, time_column=time_column, window=window)
    return TableVersion(uri.rsplit("/", 1)[-1], uri, version, rows.num_rows, digest)


def _replace(
    uri: str, table: DeltaTable | None, rows: pa.Table, settings: Settings, *, time_column: str, window: Window
) -> int:
    """Write the rows of a window; `table` is the table as it was opened, None of one that was not there."""
    how: dict[str, Any] = {"partition_by": [PARTITION], "schema_mode": "merge"}
    how |= {"post_commithook_properties": delta_log.KEPT}

    def write(options: Any) -> int | None:
        if month_rewrite.reads_back(time_column):
            predicate = window_predicate(time_column, window)
            # A table that is open is brought to its newest version, which costs what came since, and not its age.
            place = {"table_or_uri": uri, "storage_options": options} if table is None else {"table_or_uri": table}
            write_deltalake(**place, data=rows, mode="overwrite", predicate=predicate, **how)
            return None if table is None else table.version()
        if open_table(uri, settings) is None:
            write_deltalake(uri, rows, storage_options=options, mode="error", **how)
        else:
            of_window = between(time_column, window)
            month_rewrite.rewrite(uri, rows, of_window=of_window, months=months_of(window), options=options)
        return None

    return _commit(uri, settings, write)


def replace_table(uri: str, rows: pa.Table, settings: Settings, *, sort_by: Sequence[str]) -> TableVersion:
    """Put `rows` in place of a static table's whole content; the same content again writes no new version."""
    rows = in_order(rows, sort_by)
    digest = content_digest(rows)
    table = open_table(uri, settings)
    if (
        table is not None
        and content_digest(in_order_like(table.to_pyarrow_dataset().to_table(), rows, sort_by)) == digest
    ):
        version = table.version()
    else:
        version = _commit(
            uri,
            settings,
            lambda options: write_deltalake(
                uri,
                rows,
                storage_options=options,
                mode="overwrite",
                schema_mode="overwrite",
                post_commithook_properties=delta_log.KEPT,
            ),
        )
    return TableVersion(uri.rsplit("/", 1)[-1], uri, version, rows.num_rows, digest)


def _refuse_strays(uri: str, rows: pa.Table, time_column: str, window: Window) -> None:
    if PARTITION in rows.schema.names:
        raise ConfigError(f"{uri}: the column name {PARTITION!r} is the lake's own; rows need another")
    inside = rows.filter(between(time_column, window)).num_rows
    if inside != rows.num_rows:
        raise DataContractError(f"{uri} {window}: {rows.num_rows - inside} rows with {time_column} outside the window")


def _held(
    table: DeltaTable, uri: str, like: pa.Table, *, time_column: str, window: Window, sort_by: Sequence[str]
) -> str:
    """The digest of what a table holds of a window."""
    where = between(time_column, window)
    dataset = matching(table, where)
    _refuse_other_types(uri, like.schema, dataset.schema)
    rows = dataset.to_table(filter=where)
    return content_digest(in_order_like(rows, like, sort_by))


def _refuse_other_types(uri: str, written: pa.Schema, in_table: pa.Schema) -> None:
    for field in written:
        if field.name in in_table.names and in_table.field(field.name).type != field.type:
            stored = in_table.field(field.name).type
            raise ConfigError(
                f"{uri}: column {field.name!r} is {stored} in the table and {field.type} in the new rows; "
                "give the column another name, or remove the table and build it again"
            )


def _commit(uri: str, settings: Settings, write: Callable[[Any], int | None]) -> int:
    """Write, again when another writer's commit came between; the version seen after the write.

    Args:
        write: Is given the storage options, and is called again after another writer's commit. It gives the version
            where it knows it: to open an old table once more costs as much as to read an hour of it.
    """
    options = settings.storage_options or None

    def written() -> int:
        if "://" not in uri:
            Path(uri).mkdir(parents=True, exist_ok=True)
        version = write(options)
        if version is None:
            version = DeltaTable(uri, storage_options=options, without_files=True).version()
        return int(version)

    return committed(uri, written)
