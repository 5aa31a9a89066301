"""What waits is derived: nothing lost, nothing twice, nothing early."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.support.inbox_files import day, days, ingest, land, month

from airloop.config import Pipeline, load_pipeline
from airloop.data import inbox
from airloop.data.inbox import waiting_windows
from airloop.records import Window
from airloop.settings import Settings, load_settings
from airloop.stores import landed_files

DAILY_FEEDS = ("schedule", "departures", "weather", "arrivals")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path)


@pytest.fixture
def pipeline() -> Pipeline:
    return load_pipeline("flight_delays", load_settings())


def _as(pipeline: Pipeline, calendar: str) -> Pipeline:
    return pipeline.model_copy(update={"calendar": calendar})


def _windows(pipeline: Pipeline, settings: Settings) -> list[Window]:
    return [item.window for item in waiting_windows(pipeline, settings)]


def test_an_empty_landing_folder_waits_for_nothing(pipeline: Pipeline, settings: Settings) -> None:
    assert waiting_windows(pipeline, settings) == ()


def test_a_burst_of_fifty_files_waits_for_every_finished_window(pipeline: Pipeline, settings: Settings) -> None:
    daily = _as(pipeline, "daily")
    march = days(date(2013, 3, 1), 50)
    land(settings, "departures", *march)
    # The last New York day ends four hours into the next UTC day, whose window is not finished.
    assert _windows(daily, settings) == [day(each) for each in march]


def test_a_file_about_a_day_that_has_not_begun_finishes_no_window(pipeline: Pipeline, settings: Settings) -> None:
    land(settings, "arrivals", *days(date(2013, 1, 1), 20), date(2113, 1, 21))
    assert _windows(pipeline, settings) == []
    files = landed_files.list_files(pipeline, settings)
    assert [file.name for file in inbox.ahead(pipeline, files)] == ["2113-01-21.csv"]
    land(settings, "arrivals", *days(date(2013, 1, 21), 11))
    assert _windows(pipeline, settings) == [month(1)]


def test_every_window_of_a_burst_has_a_run_id_of_its_own(pipeline: Pipeline, settings: Settings) -> None:
    land(settings, "departures", *days(date(2013, 3, 1), 50))
    run_ids = [item.run_id for item in waiting_windows(_as(pipeline, "daily"), settings)]
    assert len(set(run_ids)) == 50
    assert run_ids == [item.run_id for item in waiting_windows(_as(pipeline, "daily"), settings)]


def test_a_run_id_is_allowed_by_airflow_and_names_the_window(pipeline: Pipeline, settings: Settings) -> None:
    land(settings, "departures", *days(date(2013, 1, 1), 31))
    (waiting,) = waiting_windows(pipeline, settings)
    assert waiting.run_id == f"inbox__2013-01-01T00:00Z__2013-02-01T00:00Z__{waiting.digest[:12]}"


def test_an_unfinished_window_does_not_wait(pipeline: Pipeline, settings: Settings) -> None:
    land(settings, "departures", *days(date(2013, 1, 1), 30))
    assert _windows(pipeline, settings) == []
    land(settings, "departures", date(2013, 1, 31))
    assert _windows(pipeline, settings) == [month(1)]


def test_files_that_land_ahead_of_their_events_finish_no_window(pipeline: Pipeline, settings: Settings) -> None:
    land(settings, "schedule", *days(date(2013, 1, 1), 45))
    assert _windows(pipeline, settings) == []
    land(settings, "weather", date(2013, 1, 31))
    assert _windows(pipeline, settings) == [month(1)]


def test_without_a_feed_that_is_written_after_its_events_every_feed_tells_the_time(
    pipeline: Pipeline, settings: Settings
) -> None:
    only = pipeline.model_copy(update={"feeds": {"schedule": pipeline.feeds["schedule"]}})
    land(settings, "schedule", *days(date(2013, 1, 1), 31))
    assert _windows(only, settings) == [month(1)]


def test_a_local_day_starts_both_windows_it_overlaps(pipeline: Pipeline, settings: Settings) -> None:
    land(settings, "departures", *days(date(2013, 1, 1), 60))
    for number in (1, 2):
        ingest(settings, pipeline, month(number))
    assert _windows(pipeline, settings) == []
    land(settings, "arrivals", date(2013, 1, 31))
    assert _windows(pipeline, settings) == [month(1), month(2)]


def test_an_outcome_file_starts_its_window_again(pipeline: Pipeline, settings: Settings) -> None:
    land(settings, "departures", *days(date(2013, 1, 1), 31))
    ingest(settings, pipeline, month(1))
    land(settings, "arrivals", date(2013, 1, 5))
    assert _windows(pipeline, settings) == [month(1)]


def test_what_was_ingested_does_not_wait(pipeline: Pipeline, settings: Settings) -> None:
    for feed in DAILY_FEEDS:
        land(settings, feed, *days(date(2013, 1, 1), 31))
    ingest(settings, pipeline, month(1))
    assert _windows(pipeline, settings) == []


def test_a_corrected_file_of_the_same_size_waits_under_a_new_run_id(pipeline: Pipeline, settings: Settings) -> None:
    land(settings, "departures", *days(date(2013, 1, 1), 31))
    (before,) = waiting_windows(pipeline, settings)
    ingest(settings, pipeline, month(1))
    land(settings, "departures", date(2013, 1, 9), text="y")
    (after,) = waiting_windows(pipeline, settings)
    assert after.window == month(1)
    assert after.run_id != before.run_id
    assert "2013-01-09.csv" in after.why


def test_the_same_file_landed_again_does_not_wait(pipeline: Pipeline, settings: Settings) -> None:
    land(settings, "departures", *days(date(2013, 1, 1), 31))
    ingest(settings, pipeline, month(1))
    land(settings, "departures", date(2013, 1, 9))
    assert _windows(pipeline, settings) == []


def test_a_window_whose_run_failed_keeps_its_run_id(pipeline: Pipeline, settings: Settings) -> None:
    land(settings, "departures", *days(date(2013, 1, 1), 31))
    first, second = waiting_windows(pipeline, settings), waiting_windows(pipeline, settings)
    assert [item.run_id for item in first] == [item.run_id for item in second]


def test_a_static_table_alone_starts_nothing(pipeline: Pipeline, settings: Settings) -> None:
    land(settings, "departures", *days(date(2013, 1, 1), 31))
    ingest(settings, pipeline, month(1))
    folder = settings.home / "landing" / "flight_delays" / "planes"
    folder.mkdir()
    (folder / "planes.csv").write_text("x")
    assert _windows(pipeline, settings) == []


def test_a_file_that_was_removed_starts_nothing(pipeline: Pipeline, settings: Settings) -> None:
    land(settings, "departures", *days(date(2013, 1, 1), 31))
    ingest(settings, pipeline, month(1))
    (settings.home / "landing" / "flight_delays" / "departures" / "2013-01-09.csv").unlink()
    assert _windows(pipeline, settings) == []


def test_a_file_without_a_day_in_its_name_starts_nothing(pipeline: Pipeline, settings: Settings) -> None:
    land(settings, "departures", *days(date(2013, 1, 1), 31))
    ingest(settings, pipeline, month(1))
    (settings.home / "landing" / "flight_delays" / "departures" / "readme.csv").write_text("x")
    assert _windows(pipeline, settings) == []


def test_windows_whose_lookback_reads_a_late_file_follow_it(pipeline: Pipeline, settings: Settings) -> None:
    land(settings, "departures", *days(date(2013, 1, 1), 130))
    for number in (1, 2, 3, 4):
        ingest(settings, pipeline, month(number))
    land(settings, "departures", date(2013, 2, 10), text="corrected")
    # March looks 30 days back into February; April begins 31 days after February's end, and reads March's rows only.
    waiting = waiting_windows(pipeline, settings)
    assert [item.window for item in waiting] == [month(2), month(3)]
    assert waiting[1].why == f"its lookback reads {month(2)}"


def test_a_window_that_was_never_ingested_does_not_follow(pipeline: Pipeline, settings: Settings) -> None:
    daily = _as(pipeline, "daily")
    land(settings, "departures", date(2013, 3, 1), date(2013, 3, 20))
    ingest(settings, daily, day(date(2013, 3, 20)))
    expected = [date(2013, 3, 1), date(2013, 3, 2), date(2013, 3, 20)]
    assert _windows(daily, settings) == [day(each) for each in expected]


def test_a_run_by_hand_over_another_window_does_not_count(pipeline: Pipeline, settings: Settings) -> None:
    land(settings, "departures", *days(date(2013, 1, 1), 31))
    ingest(settings, pipeline, Window(month(1).start, month(1).start + timedelta(days=10)))
    assert _windows(pipeline, settings) == [month(1)]


def test_one_run_over_several_whole_windows_counts_for_each_of_them(pipeline: Pipeline, settings: Settings) -> None:
    daily = _as(pipeline, "daily")
    january = days(date(2013, 1, 1), 31)
    land(settings, "departures", *january)
    ingest(settings, daily, Window(day(january[0]).start, day(january[19]).end - timedelta(hours=12)))
    assert _windows(daily, settings) == [day(each) for each in january[19:]]
    land(settings, "departures", january[12], text="corrected")
    assert day(january[12]) in _windows(daily, settings)


def test_windows_outside_the_coverage_never_wait(pipeline: Pipeline, settings: Settings) -> None:
    land(settings, "departures", *days(date(2012, 12, 1), 10), *days(date(2014, 1, 1), 40))
    assert _windows(pipeline, settings) == []


def test_the_last_window_of_the_coverage_is_finished_by_its_last_day(pipeline: Pipeline, settings: Settings) -> None:
    land(settings, "departures", *days(date(2013, 12, 1), 31))
    assert _windows(pipeline, settings) == [Window.parse("2013-12-01T00:00:00Z", "2014-01-01T00:00:00Z")]


def test_within_a_span_that_is_over_its_windows_are_finished_whatever_has_landed(
    pipeline: Pipeline, settings: Settings
) -> None:
    daily = _as(pipeline, "daily")
    land(settings, "schedule", *days(date(2013, 3, 1), 6))
    within = Window(day(date(2013, 3, 2)).start, day(date(2013, 3, 4)).end)
    found = [item.window for item in waiting_windows(daily, settings, within=within)]
    assert found == [day(date(2013, 3, each)) for each in (2, 3, 4)]
    ingest(settings, daily, day(date(2013, 3, 3)))
    assert [item.window.start.day for item in waiting_windows(daily, settings, within=within)] == [2, 3, 4]
