"""A time column may be named as a table names it: a window is replaced whole, and nothing beside it is touched."""

from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from tests.support.lake_rows import FEBRUARY, JANUARY

from airloop.records import Window
from airloop.settings import Settings, load_settings
from airloop.stores import lake, month_rewrite

ODD = [
    "Zeitpunkt (Beginn)",
    'a"b',
    "a'b",
    "a.b",
    "1x",
    "a,b=c",
    "a{b}",
    "%x",
    "a\\b",
    "a:b",
    "null",
    "interval",
    "true",
]
PLAIN = ["at", "At", "date", "day", "month_", "日時", "Größe", "_x"]
DECEMBER_TO_MARCH = Window(JANUARY.start - timedelta(days=1), FEBRUARY.end)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path)


def replace(uri: str, settings: Settings, column: str, window: Window, rows: dict[datetime, int]) -> int:
    table = pa.table({column: pa.array(list(rows), lake.INSTANT), "v": pa.array(list(rows.values()), pa.int64())})
    return lake.replace_window(uri, table, settings, time_column=column, window=window, sort_by=["v"]).version


@pytest.mark.parametrize("column", [*ODD, *PLAIN])
def test_a_window_is_replaced_once_and_its_neighbours_stay(column: str, settings: Settings) -> None:
    uri = lake.table_uri(settings, "toy", "raw", "jobs")
    week = Window(JANUARY.start + timedelta(days=7), JANUARY.start + timedelta(days=14))
    across = Window(JANUARY.end - timedelta(days=3), FEBRUARY.start + timedelta(days=3))
    replace(uri, settings, column, week, {week.start: 1, week.end - timedelta.resolution: 2})
    replace(uri, settings, column, across, {across.start: 3, FEBRUARY.start: 4})
    first = replace(uri, settings, column, week, {week.start: 5})
    assert replace(uri, settings, column, week, {week.start: 5}) == first
    held = lake.read(uri, settings, where=lake.between(column, DECEMBER_TO_MARCH))
    assert sorted(held["v"].to_pylist()) == [3, 4, 5]
    replace(uri, settings, column, week, {})
    assert sorted(lake.read(uri, settings)["v"].to_pylist()) == [3, 4]


@pytest.mark.parametrize("column", [*ODD, *PLAIN])
def test_only_a_name_that_delta_reads_back_stands_in_a_predicate(column: str) -> None:
    assert month_rewrite.reads_back(column) == (column in PLAIN)
