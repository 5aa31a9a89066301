"""A mean of a week creeps with the season; another unit, a code, or a column that always leapt does not."""

import numpy as np
import polars as pl
import pytest

from airloop.data.feed_history import smooth_columns
from airloop.data.feed_history.smooth_columns import Course

HOURS = 720
YEAR = 45 - 20 * np.cos(np.arange(12 * HOURS) / (12 * HOURS) * 2 * np.pi)
RAW = YEAR + np.random.default_rng(3).normal(0, 5, YEAR.size)
MEAN = np.convolve(RAW, np.ones(168) / 168, "same")


def _course(values: np.ndarray) -> Course:
    hours = pl.datetime_range(pl.datetime(2020, 1, 1), pl.datetime(2021, 1, 1), "1h", eager=True)
    rows = pl.DataFrame({"at": hours[: values.size], "x": values}).sample(fraction=1.0, shuffle=True, seed=1)
    return smooth_columns.courses(rows, ["x"], "at")["x"]


def _months(values: np.ndarray) -> list[Course]:
    return [_course(values[first : first + HOURS]) for first in range(0, 5 * HOURS, HOURS)]


NEXT = slice(5 * HOURS, 6 * HOURS)


def test_a_mean_that_follows_its_season_has_crept() -> None:
    assert smooth_columns.crept(_months(MEAN), _course(MEAN[NEXT]))


@pytest.mark.parametrize(
    ("past", "now"),
    [
        pytest.param(MEAN, MEAN[NEXT] * 1.15, id="another unit"),
        pytest.param(MEAN, np.where(np.arange(HOURS) > 300, 0.55 * MEAN[NEXT], MEAN[NEXT]), id="from a day on"),
        pytest.param(MEAN, np.where(np.arange(HOURS) % 50 == 0, 999.0, MEAN[NEXT]), id="a code for missing"),
        pytest.param(RAW, RAW[NEXT], id="a column that always leapt"),
    ],
)
def test_a_leap_is_no_creeping(past: np.ndarray, now: np.ndarray) -> None:
    assert not smooth_columns.crept(_months(past), _course(now))


def test_without_a_window_before_nothing_is_known() -> None:
    assert not smooth_columns.crept([], _course(MEAN[NEXT]))
    assert not smooth_columns.crept(_months(MEAN), None)
