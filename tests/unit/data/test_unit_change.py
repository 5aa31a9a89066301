"""unit_change: conversions are named, at every size of sample; seasons, storms and chance are not."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from tests.support.sketched import blocks

from airloop.data.feed_history import unit_change, value_grid
from airloop.data.feed_history.conversions import AMOUNTS, CLOCKS
from nycflights import source

Draw = Callable[[np.random.Generator, int, int], np.ndarray]


def delays(random: np.random.Generator, _day: int, rows: int) -> np.ndarray:
    """Minutes, whole, early and very late ones, some days worse than others."""
    worse = random.gamma(2.0, 0.5)
    return np.round(
        np.where(random.random(rows) < 0.3, random.gamma(1.0, 40.0 * (0.5 + worse), rows), random.normal(-4, 6, rows))
    )


def amounts(random: np.random.Generator, _day: int, rows: int) -> np.ndarray:
    return random.lognormal(3.0, 0.8, rows)


def temperatures(random: np.random.Generator, day: int, rows: int) -> np.ndarray:
    """Fahrenheit, with a season and spells of weather."""
    season = 55 - 22 * np.cos(day / 365 * 2 * np.pi)
    return season + random.normal(0, 6) + random.normal(0, 6, rows)


def centred(random: np.random.Generator, _day: int, rows: int) -> np.ndarray:
    return random.normal(0, 1, rows)


CONVERTED = [
    (delays, lambda x: np.round(x / 60), "x 1/60"),
    (delays, lambda x: x * 60, "x 60"),
    (delays, lambda x: -x, "sign"),
    (amounts, lambda x: x * 100, "x 100"),
    (amounts, lambda x: x / 1000, "x 1/1000"),
    (amounts, lambda x: x / 24, "x 1/24"),
    (temperatures, lambda x: (x - 32) / 1.8 + 273.15, "Fahrenheit to Kelvin"),
]


def days_of(draw: Draw, seed: int, count: int, rows: int, start: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [draw(random, start + day, rows) for day in range(count)]


@pytest.mark.parametrize("rows", [100, 500, 2_000, 50_000])
@pytest.mark.parametrize(("draw", "convert", "name"), CONVERTED)
def test_a_conversion_is_named_at_every_size(draw: Draw, convert: Callable, name: str, rows: int) -> None:
    days = 60 if rows <= 2_000 else 40
    values = days_of(draw, rows, days, max(30, rows // 5))
    past, window = blocks(values[: days // 2]), blocks([convert(day) for day in values[days // 2 :]])
    found = unit_change.find(past, window, "x", AMOUNTS)
    assert found is not None
    assert found.conversion.name.startswith(name)


@pytest.mark.parametrize("rows", [30, 100, 500, 2_000])
@pytest.mark.parametrize("draw", [delays, amounts, temperatures, centred])
def test_nothing_is_named_where_nothing_was_converted(draw: Draw, rows: int) -> None:
    alarms = 0
    for seed in range(12):
        values = days_of(draw, seed, 60, rows, start=30 * seed)
        alarms += unit_change.find(blocks(values[:30]), blocks(values[30:]), "x", AMOUNTS) is not None
    assert alarms == 0


def test_the_second_window_of_one_day_is_enough_for_a_large_factor() -> None:
    before, after = days_of(amounts, 3, 2, 200)
    assert unit_change.find(blocks([before]), blocks([after]), "x", AMOUNTS) is None
    found = unit_change.find(blocks([before]), blocks([after * 60]), "x", AMOUNTS)
    assert found is not None
    assert found.conversion.name == "x 60, as minutes to seconds"


def test_the_days_of_a_change_in_the_middle_of_a_window_are_named() -> None:
    values = days_of(amounts, 5, 60, 200)
    window = blocks([*values[30:45], *(day * 1000 for day in values[45:])])
    found = unit_change.find(blocks(values[:30]), window, "x", AMOUNTS)
    assert found is not None
    assert found.days == ("2024-01-16", "2024-01-30")


def test_a_level_that_moved_by_no_known_factor_is_left_to_drift() -> None:
    values = days_of(amounts, 6, 60, 500)
    window = blocks([day * 7.3 + 900 for day in values[30:]])
    assert unit_change.find(blocks(values[:30]), window, "x", AMOUNTS) is None


def test_differences_between_times_show_another_clock() -> None:
    values = days_of(delays, 7, 60, 300)
    assert unit_change.find(blocks(values[:30]), blocks(values[30:]), "x", CLOCKS, least_width=30) is None
    shifted = blocks([day - 240 for day in values[30:]])
    found = unit_change.find(blocks(values[:30]), shifted, "x", CLOCKS, least_width=30)
    assert found is not None
    assert found.conversion.offset == -240


def grid(values: np.ndarray) -> value_grid.Grid:
    made = value_grid.grid_of(values)
    assert made is not None
    return made


def measured(seed: int, warmer: float = 0.0) -> np.ndarray:
    """Fahrenheit made of tenths of Celsius, as weather stations do."""
    celsius = np.round(np.random.default_rng(seed).normal(5 + warmer, 6, 2_000), 0) + 0.3
    return celsius * 1.8 + 32


def test_values_on_another_grid_are_a_conversion_whatever_the_weather() -> None:
    past = [grid(measured(1)), grid(measured(2, 3.0))]
    assert value_grid.find(past, grid(measured(3, 8.0)), AMOUNTS) is None
    found = value_grid.find(past, grid((measured(3, 8.0) - 32) / 1.8), AMOUNTS)
    assert found is not None
    assert found[0].name == "Fahrenheit to Celsius"


def test_values_that_are_all_different_have_no_grid() -> None:
    assert value_grid.grid_of(np.random.default_rng(1).normal(size=1_000)) is None


WEATHER = ("temp", "dewp", "wind_speed", "visib")


@pytest.mark.parametrize("column", WEATHER)
def test_eleven_real_months_of_weather_look_converted_only_when_they_are(column: str) -> None:
    observed = source.load()["weather"].select(pl.col("observed_at").dt.month().alias("month"), column).drop_nulls()
    months = [observed.filter(pl.col("month") == number)[column].to_numpy() for number in range(1, 12)]
    past, window = [grid(values) for values in months[:-1]], months[-1]
    for number in range(1, 11):
        assert value_grid.find(past[:number], grid(months[number]), AMOUNTS) is None
    convert = (lambda x: (x - 32) / 1.8) if column in ("temp", "dewp") else (lambda x: x * 1.609)
    found = value_grid.find(past, grid(convert(window)), AMOUNTS)
    assert found is not None
    assert found[0].name in ("Fahrenheit to Celsius", "x 1.609, as miles to kilometres")


def _some(values: np.ndarray, share: float, convert: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    some = np.random.default_rng(3).random(values.size) < share
    return np.where(some, convert(values), values)


@pytest.mark.parametrize("column", WEATHER)
def test_a_part_of_the_rows_in_another_unit_is_found_and_no_real_month_looks_so(column: str) -> None:
    observed = source.load()["weather"].select(pl.col("observed_at").dt.month().alias("month"), column).drop_nulls()
    months = [observed.filter(pl.col("month") == number)[column].to_numpy() for number in range(1, 13)]
    past = [grid(values) for values in months]
    for number in range(1, 12):
        assert value_grid.find_part(past[:number], past[number], AMOUNTS) is None
    if column not in ("temp", "dewp"):
        return
    for share in (0.15, 0.3, 0.5):
        window = grid(_some(months[3], share, lambda x: np.round((x - 32) / 1.8, 2)))
        found = value_grid.find_part(past[:3], window, AMOUNTS)
        assert found is not None
        assert found[0].name == "Fahrenheit to Celsius"


@pytest.mark.parametrize("rows", [24, 48])
@pytest.mark.parametrize(("factor", "found"), [(1 / 10, False), (10, False), (1 / 60, True), (100, True)])
def test_on_a_day_of_few_values_only_what_no_storm_does_is_another_unit(
    factor: float, rows: int, *, found: bool
) -> None:
    values = days_of(amounts, 3, 61, rows)
    past, window = blocks(values[:60]), blocks([values[60] * factor])
    assert (unit_change.find(past, window, "x", AMOUNTS) is not None) is found
