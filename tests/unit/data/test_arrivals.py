"""Files that have not landed: what is waited for and until when, what has stalled, what the calendar leaves alone."""

from datetime import datetime, timedelta

import pytest
from tests.support import hourly, toy

from airloop.config import Pipeline
from airloop.data import arrivals
from airloop.errors import ConfigError
from airloop.records import Arrived, Window
from airloop.settings import Settings
from airloop.stores import alarms, ledger

HOUR = timedelta(hours=1)


def at(hour: int) -> datetime:
    return toy.START + hour * HOUR


def window(hour: int) -> Window:
    return Window(at(hour), at(hour + 1))


@pytest.fixture
def pipeline(toy_settings: Settings) -> Pipeline:
    return hourly.declare(toy_settings, files="{day}T{hour}.csv", coverage="2020-01-01", lateness_hours=6)


def land(settings: Settings, *hours: int, feeds: tuple[str, ...] = ("jobs", "heat")) -> None:
    for hour in hours:
        for feed in feeds:
            hourly.land(settings, feed, at(hour), [], name=f"{at(hour):%Y-%m-%dT%H}.csv")


def arrive(settings: Settings, over: Window) -> Arrived:
    found = toy.run("arrive", settings, over)
    assert isinstance(found, Arrived)
    return found


def test_a_file_about_an_hour_that_has_not_begun_ends_no_waiting(toy_settings: Settings, pipeline: Pipeline) -> None:
    land(toy_settings, 3)
    for feed in ("jobs", "heat"):
        hourly.land(toy_settings, feed, at(4), [], name="2120-01-01T04.csv")
    assert [found.newest for found in arrivals.awaited(pipeline, window(4), toy_settings)] == [at(4), at(4)]
    assert arrivals.not_reached(pipeline, window(40), toy_settings) != ""


def test_a_feed_is_awaited_until_it_may_be_late_no_longer(toy_settings: Settings, pipeline: Pipeline) -> None:
    land(toy_settings, 3)
    land(toy_settings, 4, feeds=("jobs",))
    (found,) = arrivals.awaited(pipeline, window(4), toy_settings)
    assert (found.feed, found.until, found.newest) == ("heat", at(5) + 6 * HOUR, at(4))
    land(toy_settings, 4, feeds=("heat",))
    assert arrivals.awaited(pipeline, window(4), toy_settings) == ()


def test_a_day_of_another_clock_ends_later_and_so_does_the_wait(toy_settings: Settings) -> None:
    pipeline = hourly.declare(toy_settings, day_timezone="America/New_York", lateness_hours=2)
    found = arrivals.awaited(pipeline, window(30), toy_settings)
    assert {item.until for item in found} == {at(2 * 24 + 5) + 2 * HOUR}


def test_a_feed_that_says_nothing_and_an_outcome_are_never_awaited(toy_settings: Settings) -> None:
    assert arrivals.awaited(hourly.declare(toy_settings), window(4), toy_settings) == ()


@pytest.mark.parametrize(("feed", "says"), [("failures", "an outcome"), ("machines", "a static table")])
def test_lateness_where_nothing_waits_is_refused(toy_settings: Settings, feed: str, says: str) -> None:
    path = toy_settings.pipelines_dir / "toy" / "pipeline.yaml"
    text = path.read_text()
    mark = "{files: machines.csv," if feed == "machines" else '{files: "{day}.csv", key: [job], event_time: ended_at,'
    path.write_text(text.replace(mark, f"{mark} lateness_hours: 3,"))
    with pytest.raises(ConfigError, match=f"feeds.{feed}.*none waits for {says}: leave it out"):
        toy.toy_pipeline(toy_settings)


@pytest.mark.parametrize("files", ["{hour}.csv", "{hour}_{day}.csv"])
def test_an_hour_without_its_day_is_refused(toy_settings: Settings, files: str) -> None:
    with pytest.raises(ConfigError, match=r"write {day} before it"):
        hourly.declare(toy_settings, files=files)


def test_one_silence_is_one_alarm_which_ends_when_the_files_land(toy_settings: Settings, pipeline: Pipeline) -> None:
    land(toy_settings, 3)
    assert arrive(toy_settings, window(3)).stalled == ()
    found = arrive(toy_settings, window(4))
    assert sorted(found.stalled) == ["heat", "jobs"]
    assert {(alarm.kind, alarm.holds_training) for alarm in found.alarms} == {("source_stalled", False)}
    assert "its files end at 2020-01-01T04:00Z, and 6 hours (lateness_hours) have passed" in found.alarms[0].says
    for hour in (5, 6):
        later = arrive(toy_settings, window(hour))
        assert (sorted(later.stalled), later.alarms) == (["heat", "jobs"], ())
    assert arrive(toy_settings, window(4)) == found
    assert len(ledger.entries(toy_settings, "toy", kind="alarm")) == 2
    assert [item.window for item in alarms.raised(pipeline, toy_settings)] == [window(4)] * 2
    land(toy_settings, 4, 5, 6)
    assert arrive(toy_settings, window(4)) == Arrived(window(4), ())
    assert alarms.raised(pipeline, toy_settings) == ()


def test_the_calendar_leaves_alone_what_landed_data_has_not_reached(toy_settings: Settings, pipeline: Pipeline) -> None:
    today = Window.parse("2026-01-01T00:00Z", "2026-01-01T01:00Z")
    assert "no file has landed yet" in arrivals.not_reached(pipeline, today, toy_settings)
    land(toy_settings, 3, feeds=("heat",))
    assert "landed data ends at 2020-01-01T04:00Z" in arrivals.not_reached(pipeline, today, toy_settings)
    reached = [hour for hour in range(20) if not arrivals.not_reached(pipeline, window(hour), toy_settings)]
    # The hour after the newest, and those that may be so late.
    assert reached == list(range(4 + 6 + 1))
