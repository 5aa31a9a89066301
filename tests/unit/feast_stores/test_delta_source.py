from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from feast import FeatureView, FileSource
from feast.data_format import DeltaFormat

from airloop.errors import ConfigError, DataContractError, UpstreamUnavailable
from airloop.feast_stores.delta_source import batch_source, read_source
from airloop.files import delta_versions

NEW_YEAR = datetime(2013, 1, 1, tzinfo=UTC)
COLUMNS = ["k", "known_at"]


def days(first, last, **columns):
    known_at = [NEW_YEAR + timedelta(days=day) for day in range(first, last)]
    return pa.table({"k": [f"day {day}" for day in range(first, last)], "known_at": known_at, **columns})


def config_of(folder):
    return SimpleNamespace(repo_path=folder, offline_store=SimpleNamespace(lake_uri=f"{folder}/", storage_options={}))


def read(folder, path="table", start=None, end=None):
    source = FileSource(path=path, file_format=DeltaFormat(), timestamp_field="known_at")
    rows = read_source(source, COLUMNS, config_of(folder), moment="known_at", since=start, until=end)
    return rows["k"].to_pylist()


def test_a_relative_path_lies_below_the_lake_and_an_absolute_one_where_it_says(tmp_path):
    write_deltalake(str(tmp_path / "table"), days(0, 2))
    assert read(tmp_path) == read(tmp_path / "elsewhere", str(tmp_path / "table")) == ["day 0", "day 1"]


def test_a_missing_table_names_itself_and_the_stage_to_run(tmp_path):
    with pytest.raises(UpstreamUnavailable, match=r"/table: run build_features first"):
        read(tmp_path)


def test_a_missing_column_is_refused(tmp_path):
    write_deltalake(str(tmp_path / "table"), days(0, 2).drop_columns("k"))
    with pytest.raises(DataContractError, match="table has no column k"):
        read(tmp_path)


def test_files_of_deleted_versions_are_not_read(tmp_path):
    write_deltalake(str(tmp_path / "table"), days(0, 5))
    write_deltalake(str(tmp_path / "table"), days(5, 6), mode="overwrite")
    assert len(list((tmp_path / "table").glob("*.parquet"))) == 2
    assert read(tmp_path) == ["day 5"]


def test_a_held_version_is_read_however_its_place_is_written(tmp_path):
    write_deltalake(str(tmp_path / "table"), days(0, 1))
    write_deltalake(str(tmp_path / "table"), days(1, 2), mode="append")
    for written in (f"{tmp_path}/table", f"{tmp_path}//table"):
        with delta_versions.held({written: 0}):
            assert read(tmp_path) == ["day 0"]
        with (
            delta_versions.held({written: delta_versions.NOT_WRITTEN}),
            pytest.raises(UpstreamUnavailable, match="run build_features first"),
        ):
            read(tmp_path)
    assert sorted(read(tmp_path)) == ["day 0", "day 1"]


def test_a_column_added_later_is_null_before(tmp_path):
    write_deltalake(str(tmp_path / "table"), days(0, 1))
    write_deltalake(str(tmp_path / "table"), days(1, 2, v=[7]), mode="append", schema_mode="merge")
    source = FileSource(path="table", file_format=DeltaFormat(), timestamp_field="known_at")
    rows = read_source(source, ["k", "v"], config_of(tmp_path), moment="known_at", since=NEW_YEAR, until=None)
    assert sorted(rows.to_pylist(), key=lambda row: row["k"]) == [{"k": "day 0", "v": None}, {"k": "day 1", "v": 7}]


def test_a_table_without_rows_answers_none(tmp_path):
    DeltaTable.create(str(tmp_path / "table"), days(0, 1).schema)
    assert read(tmp_path, start=NEW_YEAR) == []


def test_a_window_reads_only_the_files_that_can_hold_it(tmp_path):
    for first in (0, 10, 20):
        write_deltalake(str(tmp_path / "table"), days(first, first + 10), mode="append")
    for path in (tmp_path / "table").glob("*.parquet"):
        if "day 12" not in pq.read_table(path)["k"].to_pylist():
            path.unlink()
    assert read(tmp_path, start=NEW_YEAR + timedelta(days=12), end=NEW_YEAR + timedelta(days=14)) == [
        "day 12",
        "day 13",
    ]


# Feast reads these through ibis 12, which calls a method DuckDB 2 renamed.
@pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")
@pytest.mark.parametrize("kind", [pa.timestamp("us"), pa.timestamp("ms"), pa.date32()])
def test_sources_outside_the_lake_are_read_as_stock_reads_them(tmp_path, kind):
    table = days(0, 4)
    pq.write_table(table.set_column(1, "known_at", table["known_at"].cast(kind)), tmp_path / "table.parquet")
    source = FileSource(path=str(tmp_path / "table.parquet"), timestamp_field="known_at")
    since, until = NEW_YEAR + timedelta(days=1), NEW_YEAR + timedelta(days=3)
    rows = read_source(source, COLUMNS, config_of(tmp_path), moment="known_at", since=since, until=until)
    assert rows["k"].to_pylist() == ["day 1", "day 2"]


def test_a_naive_bound_is_utc(tmp_path):
    write_deltalake(str(tmp_path / "table"), days(0, 3))
    assert read(tmp_path, start=datetime(2013, 1, 2), end=datetime(2013, 1, 3)) == ["day 1"]


def test_a_view_without_a_source_is_refused():
    view = FeatureView(name="nowhere", entities=[], schema=[], source=None)
    with pytest.raises(ConfigError, match="nowhere declares no batch source"):
        batch_source(view)
