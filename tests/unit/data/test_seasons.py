"""Four years of Seattle's weather: seasons raise no alarm, and what is planted into them does."""

import polars as pl
import pytest
from tests.support.seattle import history

APRIL_2012, JANUARY_2013 = 4, 13


@pytest.mark.parametrize(("label", "last"), [("rains", 48), ("hot", 20)])
def test_dry_and_hot_seasons_are_not_faults(label: str, last: int) -> None:
    assert history(label, last=last) == {}


def _all(value: int):
    def plant(feed: str, rows: pl.DataFrame) -> pl.DataFrame:
        return rows.with_columns(pl.lit(value).alias("rains")) if feed == "outcomes" else rows

    return plant


def _times(factor: float, *columns: str):
    def plant(feed: str, rows: pl.DataFrame) -> pl.DataFrame:
        return rows.with_columns(pl.col(*columns) * factor) if feed == "events" else rows

    return plant


RAIN, MEAN = "precipitation_last", "precipitation_14_days_last"


@pytest.mark.parametrize(
    ("month", "plant", "kind", "subject"),
    [
        pytest.param(APRIL_2012, _all(0), "label_rate", "outcomes.rains", id="it rains on no day"),
        pytest.param(JANUARY_2013, _times(24, MEAN), "unit_change", f"events.{MEAN}", id="the mean alone"),
        pytest.param(JANUARY_2013, _times(25.4, RAIN, MEAN), "unit_change", f"events.{MEAN}", id="rain and its mean"),
    ],
)
def test_what_is_planted_among_the_seasons_is_named(month: int, plant, kind: str, subject: str) -> None:
    found = history("rains", plant, planted=month).get(month, [])
    assert (kind, subject) in {(alarm.kind, alarm.subject) for alarm in found}
