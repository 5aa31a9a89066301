"""Rows that a table takes once, by their key, whoever adds them at the same time on whichever machine."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, write_deltalake

from airloop.files import delta_log
from airloop.records import Window
from airloop.settings import Settings
from airloop.stores import lake


def append_once(
    uri: str, rows: pa.Table, settings: Settings, *, time_column: str, key: Sequence[str], window: Window
) -> tuple[int, int]:
    """Add the rows whose key the table does not hold; returns how many those are, and the table's version then.

    The look and the write are one Delta commit, which only succeeds on the version that was looked at: when another
    writer came between, both are done again. A lock would only hold for the processes of one machine.

    Args:
        key: Columns without nulls that identify a row, `time_column` among them; unique in `rows`.
        window: Holds the `time_column` of every row; bounds what is looked at.

    Raises:
        UpstreamUnavailable: The store does not answer, or other writers were faster many times in a row.
    """
    month = lake.with_month(rows, time_column)
    return lake.committed(uri, lambda: _add(uri, month, settings, where=_same(key, time_column, window)))


def _add(uri: str, rows: pa.Table, settings: Settings, *, where: str) -> tuple[int, int]:
    options = settings.storage_options or None
    table = lake.open_table(uri, settings)
    if table is None:
        if "://" not in uri:
            Path(uri).mkdir(parents=True, exist_ok=True)
        write_deltalake(uri, rows, mode="error", partition_by=[lake.PARTITION], storage_options=options)
        return rows.num_rows, int(DeltaTable(uri, version=0, storage_options=options).version())
    merged = (
        # Without tries of its own: they would commit what was looked at before the other writer's commit.
        table.merge(
            rows,
            predicate=where,
            source_alias="new",
            target_alias="held",
            commit_properties=CommitProperties(max_commit_retries=0),
            post_commithook_properties=delta_log.KEPT,
        )
        .when_not_matched_insert_all()
        .execute()
    )
    return int(merged["num_target_rows_inserted"]), int(table.version())


def _same(key: Sequence[str], time_column: str, window: Window) -> str:
    equal = [f'held."{column}" = new."{column}"' for column in (*key, lake.PARTITION)]
    return " AND ".join([*equal, lake.window_predicate(time_column, window, table="held.")])
