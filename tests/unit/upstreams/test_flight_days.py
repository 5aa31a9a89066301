"""Flights by the day: the four files on a daily calendar, in two worlds, and a change from one day on."""

from datetime import timedelta
from pathlib import Path

import polars as pl
from tests.support import flight_days

from airloop.config import load_pipeline
from airloop.settings import Settings
from airloop_platform.replay import span
from nycflights import NycFlights
from nycflights.source import NEW_YORK


def test_the_same_four_files_on_another_calendar(tmp_path: Path) -> None:
    settings = flight_days.write_project(tmp_path / "project", Settings().project_dir)
    for name in flight_days.WORLDS:
        pipeline = load_pipeline(name, settings)
        assert (pipeline.calendar, pipeline.monitoring_calendar) == ("daily", "weekly")
        assert ("TurnedFlights" in str(pipeline.replay)) == (name == flight_days.TURNED)
        assert len(span.reach(pipeline, settings).windows) == 365


def test_the_change_begins_on_its_day_and_moves_arrivals_and_their_delays_alike() -> None:
    turned, plain = flight_days.TurnedFlights(), NycFlights()
    day = flight_days.CHANGED_FROM
    assert turned.files("departures")[day].equals(plain.files("departures")[day])
    assert turned.files("arrivals")[day - timedelta(days=2)].equals(plain.files("arrivals")[day - timedelta(days=2)])
    changed, same = (pl.concat(each.files("arrivals").values()) for each in (turned, plain))
    both = same.join(changed, on="flight_id", suffix="_changed", validate="1:1")
    assert both.height == same.height == changed.height
    moved = (both["arrived_at_changed"] - both["arrived_at"]).dt.total_minutes()
    assert (moved == both["arrival_delay_minutes_changed"] - both["arrival_delay_minutes"]).all()
    assert set(moved.drop_nulls().unique()) == {0, *flight_days.MINUTES.values()}
    before = both["arrived_at"].dt.convert_time_zone(NEW_YORK).dt.date() < day
    assert set(moved.filter(before).drop_nulls().unique()) == {0}
