"""A window is started once per reason, and every change is a reason: one taken back, one that comes in between."""

from datetime import date
from pathlib import Path

import pytest
from tests.support.inbox_files import build, days, ingest, land, month

from airloop.config import Pipeline, load_pipeline
from airloop.data.inbox import waiting_windows
from airloop.settings import Settings, load_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path)


@pytest.fixture
def pipeline() -> Pipeline:
    return load_pipeline("flight_delays", load_settings())


def test_a_file_put_back_waits_under_a_run_id_of_its_own(pipeline: Pipeline, settings: Settings) -> None:
    land(settings, "departures", *days(date(2013, 1, 1), 59))
    for number in (1, 2):
        ingest(settings, pipeline, month(number))
    run_ids = []
    for text in ("y", "x", "y", "x"):
        land(settings, "departures", date(2013, 1, 9), text=text)
        waiting = waiting_windows(pipeline, settings)
        assert [item.window for item in waiting] == [month(1), month(2)]
        run_ids += [item.run_id for item in waiting]
        ingest(settings, pipeline, month(1))
        build(settings, month(2), version=len(run_ids))
        assert waiting_windows(pipeline, settings) == ()
    assert len(set(run_ids)) == len(run_ids)


def test_a_window_that_was_started_before_a_file_of_its_lookback_changed_is_started_again(
    pipeline: Pipeline, settings: Settings
) -> None:
    land(settings, "departures", *days(date(2013, 1, 1), 59))
    ingest(settings, pipeline, month(1))
    (started,) = waiting_windows(pipeline, settings)
    land(settings, "departures", date(2013, 1, 20), text="corrected")
    january, february = waiting_windows(pipeline, settings)
    assert (january.window, february.window) == (month(1), started.window)
    assert february.run_id != started.run_id


def test_windows_keep_their_run_ids_while_those_before_them_are_done(pipeline: Pipeline, settings: Settings) -> None:
    land(settings, "departures", *days(date(2013, 1, 1), 120))
    ingest(settings, pipeline, month(4))
    expected = {item.window: item.run_id for item in waiting_windows(pipeline, settings)}
    assert list(expected) == [month(number) for number in (1, 2, 3, 4)]
    for number in (1, 2):
        ingest(settings, pipeline, month(number))
        left = {item.window: item.run_id for item in waiting_windows(pipeline, settings)}
        assert left == {window: run_id for window, run_id in expected.items() if window.start > month(number).start}


def test_a_file_set_aside_was_seen_and_starts_again_when_it_is_replaced(pipeline: Pipeline, settings: Settings) -> None:
    land(settings, "departures", *days(date(2013, 1, 1), 31))
    ingest(settings, pipeline, month(1), aside="2013-01-09.csv")
    assert waiting_windows(pipeline, settings) == ()
    land(settings, "departures", date(2013, 1, 9), text="whole")
    (waiting,) = waiting_windows(pipeline, settings)
    assert "2013-01-09.csv" in waiting.why


def test_a_window_that_failed_on_a_static_table_is_started_again_when_that_is_replaced(
    pipeline: Pipeline, settings: Settings
) -> None:
    folder = settings.home / "landing" / "flight_delays" / "planes"
    folder.mkdir(parents=True)
    (folder / "planes.csv").write_text("broken")
    land(settings, "departures", *days(date(2013, 1, 1), 31))
    (failed,) = waiting_windows(pipeline, settings)
    (folder / "planes.csv").write_text("whole")
    (again,) = waiting_windows(pipeline, settings)
    assert again.window == failed.window
    assert again.run_id != failed.run_id
