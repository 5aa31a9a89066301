"""Profiles over the hours of the day and over the minutes of the hour: turned, as ever, or flat."""

import numpy as np
import polars as pl
import pytest
from tests.support.other_tables import readings
from tests.support.watched_table import written

from airloop.data.feed_history import clock_shift

# Trains leave at whole five minutes, most of them at the full hour.
TIMETABLE = np.where(np.arange(60) % 5 == 0, 2.0, 0.0) + np.where(np.arange(60) == 0, 12.0, 0.0)


def _minutes(seed: int, *, late: int = 0, rows: int = 600, shape: np.ndarray = TIMETABLE) -> list[int]:
    return [int(count) for count in np.random.default_rng(seed).multinomial(rows, np.roll(shape / shape.sum(), late))]


PAST = [_minutes(seed) for seed in range(3)]


@pytest.mark.parametrize("late", [1, 5, -7])
def test_minutes_that_are_late_or_early_are_found(late: int) -> None:
    found = clock_shift.find(PAST, _minutes(9, late=late), least=1)
    assert found
    assert found[0] == late


@pytest.mark.parametrize(
    "window",
    [_minutes(9), _minutes(9, late=5, rows=60), _minutes(9, shape=np.ones(60)), [600, *[0] * 59]],
    ids=["as ever", "few rows", "any minute", "cut to the hour"],
)
def test_minutes_that_did_not_move_are_not(window: list[int]) -> None:
    assert clock_shift.find(PAST, window, least=1) is None


def test_instants_of_any_minute_have_none_to_move() -> None:
    past = [_minutes(seed, shape=np.ones(60)) for seed in range(3)]
    assert clock_shift.find(past, _minutes(9, late=5, shape=np.ones(60)), least=1) is None


def test_hours_are_turned_by_two_and_more() -> None:
    day = np.concatenate([np.zeros(7), np.ones(12), np.zeros(5)])
    past = [_minutes(seed, shape=day) for seed in range(3)]
    assert clock_shift.find(past, _minutes(9, shape=day, late=1)) is None
    assert (clock_shift.find(past, _minutes(9, shape=day, late=5)) or [0])[0] == 5


def test_readings_five_minutes_late_are_named() -> None:
    late = written(observed_at=pl.col("observed_at") + pl.duration(minutes=5))
    assert ("clock_change", "events.observed_at") in readings("weekly").alarms(late)
