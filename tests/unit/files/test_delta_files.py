"""Whatever the window, the files chosen hold the rows that a scan of the whole table finds; most are never opened."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import given, settings
from hypothesis import strategies as st

from airloop.files.delta_files import matching
from airloop.records import Window
from airloop.stores import lake

START = datetime(2024, 1, 28, tzinfo=UTC)
HOURS = 150


def hour(number, *, per_hour=4):
    """Rows of one hour: the last is a microsecond before its end, and one of two knows no second instant."""
    start = START + timedelta(hours=number)
    moments = [start + timedelta(minutes=15 * row) for row in range(per_hour - 1)]
    moments.append(start + timedelta(hours=1) - timedelta.resolution)
    later = [moment if row % 2 else None for row, moment in enumerate(moments)]
    return pa.table(
        {
            "key": [f"{number}-{row}" for row in range(per_hour)],
            "at": pa.array(moments, lake.INSTANT),
            "later": pa.array(later, lake.INSTANT),
        }
    )


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A year in small: every hour a commit, in the partition of its month, the hours not in their order."""
    uri = str(tmp_path_factory.mktemp("lake") / "hours")
    for number in [*range(0, HOURS, 2), *range(1, HOURS, 2)]:
        rows = lake.with_month(hour(number), "at")
        write_deltalake(uri, rows, mode="append", partition_by=[lake.PARTITION])
    return DeltaTable(uri)


@settings(max_examples=25, deadline=None)
@given(
    column=st.sampled_from(["at", "later"]),
    since=st.integers(-5, HOURS + 5),
    length=st.integers(0, 30),
    shift=st.sampled_from([timedelta(0), timedelta.resolution, -timedelta.resolution]),
)
def test_a_window_finds_what_a_scan_of_all_files_finds(table, column, since, length, shift):
    start = START + timedelta(hours=since) + shift
    bounds = [pa.scalar(moment, lake.INSTANT) for moment in (start, start + timedelta(hours=length))]
    where = (ds.field(column) >= bounds[0]) & (ds.field(column) < bounds[1])
    found = matching(table, where).to_table(filter=where).sort_by("key")
    assert found.equals(table.to_pyarrow_dataset().to_table(filter=where).sort_by("key"))
    assert set(found["month"].to_pylist()) <= {"2024-01", "2024-02"}


@pytest.mark.parametrize(
    "where", [ds.field("later").is_null(), ds.field("key") == "7-1", ds.field("month") == "2024-02"]
)
def test_other_filters_find_what_a_scan_finds(table, where):
    found = matching(table, where).to_table(filter=where).sort_by("key")
    assert found.num_rows
    assert found.equals(table.to_pyarrow_dataset().to_table(filter=where).sort_by("key"))


def test_a_window_of_one_hour_looks_at_the_files_of_its_neighbours_only(table):
    where = lake.between("at", Window(START + timedelta(hours=70), START + timedelta(hours=71)))
    assert len(table.files()) == HOURS
    assert len(list(matching(table, where).get_fragments())) <= 2 * int(HOURS**0.5) + 2
    assert (
        len(list(matching(table, where).get_fragments(filter=where))) <= 2
    )  # the hour before ends less than 1 ms earlier


def test_files_without_bounds_may_hold_anything(tmp_path):
    config = {"delta.dataSkippingNumIndexedCols": "0"}
    write_deltalake(str(tmp_path / "t"), hour(0), configuration=config)
    write_deltalake(str(tmp_path / "t"), hour(1), mode="append")
    where = lake.between("at", Window(START, START + timedelta(hours=1)))
    assert matching(DeltaTable(str(tmp_path / "t")), where).to_table(filter=where).num_rows == 4


def test_a_table_without_files_is_empty(tmp_path):
    table = DeltaTable.create(str(tmp_path / "t"), hour(0).schema)
    where = lake.between("at", Window(START, START + timedelta(hours=1)))
    assert matching(table, where).to_table(filter=where).num_rows == 0
