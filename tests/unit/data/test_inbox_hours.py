"""Hourly windows: which of them a file wakes that is named by its hour, or by its day alone."""

from datetime import datetime, timedelta

import pytest
from tests.support import hourly, toy

from airloop.config import Pipeline
from airloop.data.inbox import waiting_windows
from airloop.records import Ingested, Window
from airloop.settings import Settings
from airloop.stores import landed_files, state

HOUR = timedelta(hours=1)


def at(hour: int) -> datetime:
    return toy.START + hour * HOUR


def window(hour: int) -> Window:
    return Window(at(hour), at(hour + 1))


def waiting(settings: Settings, pipeline: Pipeline) -> list[Window]:
    return [item.window for item in waiting_windows(pipeline, settings)]


def ingested(settings: Settings, pipeline: Pipeline, over: Window) -> None:
    files = landed_files.window_files(pipeline, over, settings)
    record = Ingested(window=over, files=files, tables=(), missing=()).to_json()
    key = f"{over} {len(state.latest_records(settings, 'toy', 'ingest'))}"
    state.save_record(settings, "toy", "ingest", input_key=key, window=over, record=record)


@pytest.mark.parametrize(
    ("files", "name"), [("{day}.csv", "{day}.{hour}.csv"), ("{day}T{hour}.csv", "{day}T{hour}.csv")]
)
def test_24_hourly_files_start_24_data_runs(toy_settings: Settings, files: str, name: str) -> None:
    pipeline, started = hourly.declare(toy_settings, files=files), []
    for hour in range(24):
        named = name.format(day=f"{at(hour):%Y-%m-%d}", hour=f"{at(hour):%H}")
        hourly.land(toy_settings, "heat", at(hour), [hourly.heat(at(hour))], name=named)
        for over in waiting(toy_settings, pipeline):
            started.append(over)
            ingested(toy_settings, pipeline, over)
        assert waiting(toy_settings, pipeline) == []
    assert started == [window(hour) for hour in range(24)]


def test_the_run_of_a_window_is_the_same_one_while_later_hours_land(toy_settings: Settings) -> None:
    pipeline = hourly.declare(toy_settings)
    hourly.land(toy_settings, "heat", at(5), [hourly.heat(at(5))])
    before = {item.window: item.run_id for item in waiting_windows(pipeline, toy_settings)}
    hourly.land(toy_settings, "heat", at(6), [hourly.heat(at(6))])
    after = {item.window: item.run_id for item in waiting_windows(pipeline, toy_settings)}
    assert {over: after[over] for over in before} == before
    assert set(after) - set(before) == {window(6)}


def test_a_file_that_comes_late_wakes_its_own_hour_and_those_that_read_it(toy_settings: Settings) -> None:
    pipeline = hourly.declare(toy_settings)
    for hour in (4, 6, 7):
        hourly.land(toy_settings, "heat", at(hour), [hourly.heat(at(hour))])
    for over in waiting(toy_settings, pipeline):
        ingested(toy_settings, pipeline, over)
    hourly.land(toy_settings, "heat", at(5), [hourly.heat(at(5))])
    # Windows 6 and 7 were built from what hour 5 held: nothing.
    assert waiting(toy_settings, pipeline) == [window(5), window(6), window(7)]


def test_a_corrected_file_wakes_all_that_read_it(toy_settings: Settings) -> None:
    pipeline = hourly.declare(toy_settings)
    hourly.land(toy_settings, "heat", at(3), [hourly.heat(at(2)), hourly.heat(at(3))])
    for over in waiting(toy_settings, pipeline):
        ingested(toy_settings, pipeline, over)
    hourly.land(toy_settings, "heat", at(3), [hourly.heat(at(2))])
    assert window(3) in waiting(toy_settings, pipeline)


def test_a_file_that_cannot_be_read_wakes_one_window_and_one_without_rows_none_that_is_done(
    toy_settings: Settings,
) -> None:
    pipeline = hourly.declare(toy_settings)
    for hour in range(24):
        hourly.land(toy_settings, "heat", at(hour), [hourly.heat(at(hour))])
    for over in waiting(toy_settings, pipeline):
        ingested(toy_settings, pipeline, over)
    hourly.land(toy_settings, "heat", at(0), [], name="2020-01-01.30.csv")
    assert waiting(toy_settings, pipeline) == []
    hourly.land(toy_settings, "heat", at(0), [], name="2020-01-01.31.csv").write_text("nonsense")
    assert waiting(toy_settings, pipeline) == [window(23)]


def test_a_file_by_its_hour_belongs_to_that_hour_alone(toy_settings: Settings) -> None:
    feed = hourly.declare(toy_settings, files="{day}T{hour}.csv").feeds["heat"]
    assert landed_files.file_span(feed, "2020-01-01T07.csv") == window(7)
    assert landed_files.file_span(feed, "2020-01-01T07.1.csv") == window(7)
    for other in ("2020-01-01.csv", "2020-01-01T24.csv", "2020-01-01T7.csv", "2020-01-01T07.csv.part"):
        assert landed_files.file_span(feed, other) is None


def test_hours_of_a_clock_that_is_changed(toy_settings: Settings) -> None:
    feed = hourly.declare(toy_settings, files="{day}T{hour}.csv", day_timezone="America/New_York").feeds["heat"]
    assert landed_files.file_span(feed, "2020-03-08T02.csv") is None
    twice = landed_files.file_span(feed, "2020-11-01T01.csv")
    assert twice == Window.parse("2020-11-01T05:00Z", "2020-11-01T07:00Z")


def test_the_record_of_a_run_over_many_hours_is_read_once(
    toy_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline, reads, decode = hourly.declare(toy_settings), [], Ingested.from_json
    for hour in range(24):
        hourly.land(toy_settings, "heat", at(hour), [hourly.heat(at(hour))], name=f"{at(0):%Y-%m-%d}.{hour:02}.csv")
    ingested(toy_settings, pipeline, Window(at(0), at(24)))
    monkeypatch.setattr(Ingested, "from_json", lambda record: reads.append(record) or decode(record))
    assert waiting(toy_settings, pipeline) == []
    assert len(reads) == 1
