"""A window of a table is replaced whole or not at all, and the same content is no new version."""

from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from tests.support import lake_rows
from tests.support.lake_rows import FEBRUARY, JANUARY, MARCH, SCHEMA

from airloop.errors import ConfigError, DataContractError, UpstreamUnavailable
from airloop.records import TableVersion, Window
from airloop.settings import Settings, load_settings
from airloop.stores import lake


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path)


@pytest.fixture
def uri(settings: Settings) -> str:
    return lake.table_uri(settings, "toy", "raw", "jobs")


def test_the_same_content_again_is_the_same_version(uri: str, settings: Settings) -> None:
    rows = [lake_rows.row(1, JANUARY), lake_rows.row(2, JANUARY, None)]
    first = lake_rows.replace(uri, settings, JANUARY, *rows)
    assert lake_rows.replace(uri, settings, JANUARY, *reversed(rows)) == first
    assert lake.open_table(uri, settings).version() == first.version == 0


def test_the_record_says_what_was_written(uri: str, settings: Settings) -> None:
    written = lake_rows.replace(uri, settings, JANUARY, lake_rows.row(1, JANUARY), lake_rows.row(2, JANUARY))
    assert (written.table, written.uri, written.version, written.rows) == ("jobs", uri, 0, 2)


@pytest.mark.parametrize(
    "at", [FEBRUARY.start, JANUARY.start - timedelta.resolution, None], ids=["at the end", "before", "no time"]
)
def test_rows_outside_the_window_are_refused_and_nothing_is_written(
    uri: str, settings: Settings, at: datetime | None
) -> None:
    lake_rows.replace(uri, settings, JANUARY, lake_rows.row(1, JANUARY))
    with pytest.raises(DataContractError, match="1 rows with at outside the window"):
        lake_rows.replace(uri, settings, JANUARY, lake_rows.row(2, JANUARY), lake_rows.row(3, JANUARY) | {"at": at})
    assert lake.read(uri, settings).num_rows == 1


def test_a_row_at_the_start_belongs_to_the_window(uri: str, settings: Settings) -> None:
    last = {**lake_rows.row(2, JANUARY), "at": JANUARY.end - timedelta.resolution}
    assert lake_rows.replace(uri, settings, JANUARY, lake_rows.row(0, JANUARY), last).rows == 2
    assert lake_rows.held(uri, settings, JANUARY) == [lake_rows.row(0, JANUARY), last]


def test_other_windows_stay_as_they_are(uri: str, settings: Settings) -> None:
    for window in (JANUARY, FEBRUARY, MARCH):
        lake_rows.replace(uri, settings, window, lake_rows.row(1, window))
    lake_rows.replace(uri, settings, FEBRUARY, lake_rows.row(7, FEBRUARY, 7.0))
    assert lake_rows.held(uri, settings, JANUARY) == [lake_rows.row(1, JANUARY)]
    assert lake_rows.held(uri, settings, FEBRUARY) == [lake_rows.row(7, FEBRUARY, 7.0)]
    assert lake_rows.held(uri, settings, MARCH) == [lake_rows.row(1, MARCH)]


def test_two_windows_of_one_month_do_not_touch_each_other(uri: str, settings: Settings) -> None:
    middle = JANUARY.start + timedelta(days=15)
    halves = Window(JANUARY.start, middle), Window(middle, JANUARY.end)
    for half in halves:
        lake_rows.replace(uri, settings, half, lake_rows.row(1, half))
    lake_rows.replace(uri, settings, halves[0])
    assert lake_rows.held(uri, settings, JANUARY) == [lake_rows.row(1, halves[1])]


def test_no_rows_empty_the_window_and_delete_nothing_elsewhere(uri: str, settings: Settings) -> None:
    for window in (JANUARY, FEBRUARY):
        lake_rows.replace(uri, settings, window, lake_rows.row(1, window))
    emptied = lake_rows.replace(uri, settings, FEBRUARY)
    assert lake_rows.replace(uri, settings, FEBRUARY) == emptied
    assert lake_rows.held(uri, settings, FEBRUARY) == []
    assert lake_rows.held(uri, settings, JANUARY) == [lake_rows.row(1, JANUARY)]


def test_a_column_that_comes_later_is_null_in_earlier_windows(uri: str, settings: Settings) -> None:
    lake_rows.replace(uri, settings, JANUARY, lake_rows.row(1, JANUARY))
    wider = lake_rows.table(lake_rows.row(1, FEBRUARY)).append_column("more", pa.array(["x"]))
    lake.replace_window(uri, wider, settings, time_column="at", window=FEBRUARY, sort_by=["id"])
    assert lake.read(uri, settings).sort_by("at")["more"].to_pylist() == [None, "x"]


def test_a_column_that_went_away_does_not_keep_its_values(uri: str, settings: Settings) -> None:
    wider = lake_rows.table(lake_rows.row(1, JANUARY)).append_column("more", pa.array(["x"]))
    lake.replace_window(uri, wider, settings, time_column="at", window=JANUARY, sort_by=["id"])
    second = lake_rows.replace(uri, settings, JANUARY, lake_rows.row(1, JANUARY))
    assert lake.read(uri, settings)["more"].to_pylist() == [None]
    assert lake_rows.replace(uri, settings, JANUARY, lake_rows.row(1, JANUARY)) == second


def test_a_column_whose_type_changed_is_refused(uri: str, settings: Settings) -> None:
    lake_rows.replace(uri, settings, JANUARY, lake_rows.row(1, JANUARY))
    other = lake_rows.table(lake_rows.row(1, FEBRUARY)).set_column(2, "value", pa.array(["x"]))
    with pytest.raises(ConfigError, match="column 'value' is double in the table and string"):
        lake.replace_window(uri, other, settings, time_column="at", window=FEBRUARY, sort_by=["id"])


def test_a_column_named_like_the_partition_is_refused(uri: str, settings: Settings) -> None:
    rows = lake_rows.table(lake_rows.row(1, JANUARY)).append_column("month", pa.array(["x"]))
    with pytest.raises(ConfigError, match="'month' is the lake's own"):
        lake.replace_window(uri, rows, settings, time_column="at", window=JANUARY, sort_by=["id"])


def test_a_column_of_lists_is_written_read_and_replaced_like_any_other(uri: str, settings: Settings) -> None:
    def write(window: Window, *lists: list[float | None] | None) -> TableVersion:
        rows = lake_rows.table(*(lake_rows.row(number, window) for number in range(len(lists))))
        column = pa.array(lists, pa.list_(pa.float64()))
        rows = rows.append_column("list", column).take(list(reversed(range(len(lists)))))
        return lake.replace_window(uri, rows, settings, time_column="at", window=window, sort_by=["id"])

    first = write(JANUARY, [1.0, None], None, [])
    assert write(JANUARY, [1.0, None], None, []) == first
    write(FEBRUARY, [2.0])
    changed = write(JANUARY, [1.0, 3.0], None, [])
    assert changed.digest != first.digest
    assert lake.read(uri, settings).sort_by("at")["list"].to_pylist() == [[1.0, 3.0], None, [], [2.0]]
    assert lake.read(uri, settings, version=first.version).sort_by("at")["list"].to_pylist() == [[1.0, None], None, []]


def test_an_older_version_can_still_be_read(uri: str, settings: Settings) -> None:
    first = lake_rows.replace(uri, settings, JANUARY, lake_rows.row(1, JANUARY))
    lake_rows.replace(uri, settings, JANUARY, lake_rows.row(2, JANUARY))
    assert lake_rows.held(uri, settings, JANUARY, version=first.version) == [lake_rows.row(1, JANUARY)]
    assert lake_rows.held(uri, settings, JANUARY) == [lake_rows.row(2, JANUARY)]


def test_a_version_that_does_not_exist_is_refused(uri: str, settings: Settings) -> None:
    lake_rows.replace(uri, settings, JANUARY, lake_rows.row(1, JANUARY))
    with pytest.raises(DataContractError, match="has no version 99"):
        lake.read(uri, settings, version=99)


def test_only_the_columns_asked_for_are_read_and_never_the_partition(uri: str, settings: Settings) -> None:
    lake_rows.replace(uri, settings, JANUARY, lake_rows.row(1, JANUARY))
    assert lake.read(uri, settings).schema.names == SCHEMA.names
    assert lake.read(uri, settings, columns=["name", "id"]).schema.names == ["name", "id"]


def test_a_table_that_was_never_written_is_not_there_yet(uri: str, settings: Settings) -> None:
    assert lake.open_table(uri, settings) is None
    assert lake.files_digest(uri, settings) == ""
    with pytest.raises(UpstreamUnavailable, match="run the stage that writes it first"):
        lake.read(uri, settings)


def test_a_store_that_does_not_answer_is_retried(tmp_path: Path) -> None:
    options = {
        "aws_endpoint": "http://127.0.0.1:1",
        "aws_allow_http": "true",
        "aws_access_key_id": "name",
        "aws_secret_access_key": "secret",
        "aws_region": "here",
        "max_retries": "0",
    }
    settings = load_settings(home=tmp_path, lake_uri="s3://bucket", storage_options=options)
    with pytest.raises(UpstreamUnavailable, match="cannot be opened") as refused:
        lake.open_table(lake.table_uri(settings, "toy", "raw", "jobs"), settings)
    assert "secret" not in str(refused.value)


def test_a_static_table_is_replaced_whole_and_the_same_content_is_the_same_version(
    uri: str, settings: Settings
) -> None:
    rows = pa.table({"machine": ["b", "a"], "built": [2, 1]})
    first = lake.replace_table(uri, rows, settings, sort_by=["machine"])
    assert lake.replace_table(uri, rows.take([1, 0]), settings, sort_by=["machine"]) == first
    second = lake.replace_table(uri, rows.slice(0, 1), settings, sort_by=["machine"])
    assert second.version == first.version + 1
    assert lake.read(uri, settings).to_pylist() == [{"machine": "b", "built": 2}]


def test_a_folder_left_by_a_killed_first_write_is_no_table(uri: str, settings: Settings) -> None:
    (Path(uri) / "_delta_log").mkdir(parents=True)
    (Path(uri) / "month=2020-01").mkdir()
    (Path(uri) / "month=2020-01" / "part-0.parquet").write_bytes(b"half")
    assert lake.open_table(uri, settings) is None
    lake_rows.replace(uri, settings, JANUARY, lake_rows.row(1, JANUARY))
    assert lake_rows.held(uri, settings, JANUARY) == [lake_rows.row(1, JANUARY)]


@pytest.mark.parametrize("start", ["2020-01-15T07:00:00Z", "1969-12-31T23:00:00Z", "2020-01-15T07:00:00.000700Z"])
def test_rows_at_both_bounds_are_told_apart_to_the_microsecond(uri: str, settings: Settings, start: str) -> None:
    at = datetime.fromisoformat(start)
    hour = Window(at, at + timedelta(hours=1))
    around = Window(at - timedelta(hours=1), at + timedelta(hours=2))
    edges = (at - timedelta.resolution, at, hour.end - timedelta.resolution, hour.end)
    rows = [{"id": number, "at": edge, "value": 1.0, "name": "old"} for number, edge in enumerate(edges)]
    for row in rows:  # a file each, whose bounds Delta knows to the millisecond
        own = Window(row["at"], row["at"] + timedelta.resolution)
        lake_rows.replace(uri, settings, own, row)
    new = [row | {"name": "new"} for row in rows[1:3]]
    lake_rows.replace(uri, settings, hour, *new)
    assert [row["name"] for row in lake_rows.held(uri, settings, around)] == ["old", "new", "new", "old"]


def test_a_window_is_replaced_without_opening_files_that_hold_nothing_of_it(uri: str, settings: Settings) -> None:
    days = [Window(JANUARY.start + timedelta(days=day), JANUARY.start + timedelta(days=day + 1)) for day in range(3)]
    for day in days:
        lake_rows.replace(uri, settings, day, lake_rows.row(1, day))
    one = {path.name for path in Path(uri).glob("month=*/*.parquet")}
    lake_rows.replace(uri, settings, days[1], lake_rows.row(1, days[1], 2.0))
    (new,) = {path.name for path in Path(uri).glob("month=*/*.parquet")} - one
    for path in Path(uri).glob("month=*/*.parquet"):
        if path.name != new:
            path.write_text("not a file of rows")
    lake_rows.replace(uri, settings, days[1], lake_rows.row(1, days[1], 3.0))
    assert [item["value"] for item in lake_rows.held(uri, settings, days[1])] == [3.0]
