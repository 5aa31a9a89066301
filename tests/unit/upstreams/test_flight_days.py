"""Flights by the day: the four files on a daily calendar, in two worlds, and a change from one day on."""

from datetime import timedelta
from pathlib import Path

from tests.support import flight_days

from airloop.config import load_pipeline
from airloop.settings import Settings
from airloop_platform.replay import span
from nycflights import NycFlights


def test_the_same_four_files_on_another_calendar(tmp_path: Path) -> None:
    settings = flight_days.write_project(tmp_path / "project", Settings().project_dir)
    for name in flight_days.WORLDS:
        pipeline = load_pipeline(name, settings)
        assert (pipeline.calendar, pipeline.monitoring_calendar) == ("daily", "weekly")
        assert ("TurnedFlights" in str(pipeline.replay)) == (name == flight_days.TURNED)
        assert len(span.reach(pipeline, settings).windows) == 365


def test_the_change_begins_on_its_day_and_touches_arrivals_alone() -> None:
    turned, plain = flight_days.TurnedFlights(), NycFlights()
    day = flight_days.CHANGED_FROM
    before = day - timedelta(days=1)
    assert turned.files("arrivals")[before].equals(plain.files("arrivals")[before])
    assert turned.files("departures")[day].equals(plain.files("departures")[day])
    changed, same = turned.files("arrivals")[day], plain.files("arrivals")[day]
    assert changed.drop("arrival_delay_minutes").equals(same.drop("arrival_delay_minutes"))
    added = changed["arrival_delay_minutes"] - same["arrival_delay_minutes"]
    assert set(added.drop_nulls().unique()) == {0, *flight_days.MINUTES.values()}
