"""Flights by the day, for the proof by hand: the four files on a daily calendar, and a change from one day on."""

from datetime import timedelta
from pathlib import Path

import pytest
from tests.support import flight_days

from airloop.config import load_pipeline
from airloop.settings import Settings
from airloop_platform.replay import span
from nycflights import NycFlights


@pytest.mark.parametrize("planted", [False, True])
def test_the_same_four_files_on_another_calendar(tmp_path: Path, planted: bool) -> None:
    settings = flight_days.write_project(tmp_path / "project", Settings().project_dir, planted=planted)
    pipeline = load_pipeline(flight_days.NAME, settings)
    assert pipeline.calendar == "daily"
    assert ("ChangedFlights" in str(pipeline.replay)) == planted
    assert len(span.reach(pipeline, settings).windows) == 365


def test_the_change_begins_on_its_day_and_touches_arrivals_alone() -> None:
    changed, plain = flight_days.ChangedFlights(), NycFlights()
    day = flight_days.CHANGED_FROM
    before = day - timedelta(days=1)
    assert changed.files("arrivals")[before].equals(plain.files("arrivals")[before])
    assert changed.files("departures")[day].equals(plain.files("departures")[day])
    late = (
        changed.files("arrivals")[day]["arrival_delay_minutes"] - plain.files("arrivals")[day]["arrival_delay_minutes"]
    )
    assert set(late.drop_nulls().unique()) == {0, 60}
