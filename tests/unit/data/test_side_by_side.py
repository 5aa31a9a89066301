"""Names that are measured at the same instants, and directions: exchanged or turned, and as they ever were."""

import numpy as np
import polars as pl
import pytest
from tests.support.other_tables import readings
from tests.support.watched_table import written

from airloop.data.feed_history import mirrored, side_by_side

Numbers = mirrored.Numbers
LEVELS = {"height": 1.5, "wind": -0.8, "rain": 0.05}


def _window(seed: int, sign: float = 1.0) -> Numbers:
    draw = np.random.default_rng(seed)
    return {name: (sign * level + draw.normal(0, 0.1), 500) for name, level in LEVELS.items()}


PAST = [_window(seed) for seed in range(6)]


def test_numbers_that_are_all_mirrored_are_found() -> None:
    found = mirrored.find(PAST, _window(9, -1.0), least=2)
    assert found
    assert found.now == pytest.approx(-1, abs=0.2)


@pytest.mark.parametrize(
    ("past", "now", "least"),
    [
        (PAST, _window(9), 2),
        (PAST, {**_window(9), "wind": (0.8, 500)}, 2),
        (PAST, dict.fromkeys(LEVELS, (0.0, 500)), 2),
        (PAST, _window(9, -1.0), 4),
        (PAST[:2], _window(9, -1.0), 2),
        ([_window(seed, float(seed % 2)) for seed in range(6)], _window(9, -1.0), 2),
    ],
    ids=["as ever", "one of two", "on no side", "too few", "two windows", "never steady"],
)
def test_numbers_that_are_not_are_none(past: list[Numbers], now: Numbers, least: int) -> None:
    assert mirrored.find(past, now, least=least) is None


@pytest.mark.parametrize("calendar", ["weekly", "monthly"])
@pytest.mark.parametrize(("one", "other"), [("EWR", "LGA"), ("JFK", "LGA"), ("EWR", "JFK")])
def test_two_airports_of_one_city_exchanged_are_named(one: str, other: str, calendar: str) -> None:
    exchanged = written(origin=pl.col("origin").replace({one: other, other: one}))
    assert readings(calendar).alarms(exchanged) == {("changed_places", "events.origin")}


def test_a_wind_that_is_said_where_it_goes_is_named() -> None:
    turned = written(
        wind_dir=pl.when(pl.col("wind_speed") > 0).then((pl.col("wind_dir") + 180) % 360).otherwise("wind_dir")
    )
    assert readings("monthly").alarms(turned) == {("turned", "events.wind_dir")}


def test_a_wind_from_any_other_side_is_not() -> None:
    other = written(wind_dir=(pl.col("wind_dir") + 20) % 360)
    assert ("turned", "events.wind_dir") not in readings("monthly").alarms(other)


def test_names_at_the_same_instants_without_a_number_say_nothing() -> None:
    rows = pl.DataFrame({"at": [*range(2000)] * 2, "station": ["a"] * 2000 + ["b"] * 2000})
    assert side_by_side.find(rows, [], ["station"], "at") == {}
