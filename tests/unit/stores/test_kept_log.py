"""Whoever writes to a table, its log stays until maintenance cleans it: a version that something names can be read."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from tests.support import lake_rows
from tests.support.lake_rows import FEBRUARY, JANUARY

from airloop.settings import Settings, load_settings
from airloop.stores import compaction, lake
from airloop.stores.append_once import append_once

OLD_SECONDS = 40 * 86_400


def replaced(uri: str, settings: Settings, number: int) -> None:
    lake_rows.replace(uri, settings, JANUARY, lake_rows.row(number, JANUARY))


def replaced_in_its_months(uri: str, settings: Settings, number: int) -> None:
    rows = pa.table({"a b": pa.array([JANUARY.start], lake.INSTANT), "v": [number]})
    lake.replace_window(uri, rows, settings, time_column="a b", window=JANUARY, sort_by=["v"])


def replaced_as_a_whole(uri: str, settings: Settings, number: int) -> None:
    lake.replace_table(uri, pa.table({"v": [number]}), settings, sort_by=["v"])


def added(uri: str, settings: Settings, number: int) -> None:
    rows = lake_rows.table(lake_rows.row(number, FEBRUARY))
    append_once(uri, rows, settings, time_column="at", key=("id", "at"), window=FEBRUARY)


def compacted(uri: str, settings: Settings, number: int) -> None:
    added(uri, settings, number)
    if number > 1:
        compaction.compact_month(uri, "2020-02", settings)


def as_delta_does(uri: str, _settings: Settings, number: int) -> None:
    write_deltalake(uri, pa.table({"v": [number]}), mode="overwrite")


def age(uri: str) -> None:
    before = time.time() - OLD_SECONDS
    for entry in (Path(uri) / "_delta_log").iterdir():
        os.utime(entry, (before, before))


def first_is_there(uri: str, settings: Settings, write: Callable[[str, Settings, int], None]) -> bool:
    """Whether the first version can be opened after writes of which each would clean the log."""
    Path(uri).mkdir(parents=True)
    write(uri, settings, 1)
    DeltaTable(uri).alter.set_table_properties({"delta.checkpointInterval": "1"})
    for number in (2, 3, 4):
        age(uri)
        write(uri, settings, number)
    assert list((Path(uri) / "_delta_log").glob("*.checkpoint.parquet"))
    try:
        return DeltaTable(uri, version=0).version() == 0
    except Exception:
        return False


@pytest.mark.parametrize("write", [replaced, replaced_in_its_months, replaced_as_a_whole, added, compacted])
def test_an_old_version_can_be_opened_whoever_writes(tmp_path, write):
    assert first_is_there(str(tmp_path / "table"), load_settings(home=tmp_path), write)


def test_delta_by_itself_would_remove_its_entries(tmp_path):
    assert not first_is_there(str(tmp_path / "table"), load_settings(home=tmp_path), as_delta_does)
