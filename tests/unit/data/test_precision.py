"""Digits that every window had and that are gone: rounded on the way. Digits that none had: calculated on the way."""

import numpy as np
import polars as pl
import pytest
from tests.support.flight_months import alarms, changed
from tests.support.other_tables import orders
from tests.support.watched_table import written

from airloop.data.feed_history import precision


def _kinds(value: pl.Expr) -> set[tuple[str, str]]:
    return {(alarm.kind, alarm.subject) for alarm in alarms(changed("weather", temp=value))}


TEMP = pl.col("temp")
EIGHTH = pl.int_range(pl.len()) % 8


@pytest.mark.parametrize("value", [pytest.param(TEMP.round(0), id="rounded"), pytest.param(TEMP.floor(), id="cut off")])
def test_a_column_without_its_fractions_is_told(value: pl.Expr) -> None:
    assert ("rounded", "weather.temp") in _kinds(value)


def test_another_unit_in_whole_numbers_is_told_as_that() -> None:
    kinds = _kinds(((TEMP - 32) / 1.8).round(0))
    assert ("unit_change", "weather.temp") in kinds
    assert ("rounded", "weather.temp") not in kinds


def test_fractions_and_whole_numbers_of_old_are_not() -> None:
    assert not {kind for kind, _ in _kinds(TEMP)}


@pytest.mark.parametrize("places", [2, 3])
def test_decimals_lost_are_named(places: int) -> None:
    assert orders("weekly").alarms(written(loyal=pl.col("loyal").round(places))) == {("rounded", "events.loyal")}


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(pl.col("price") * 1.07, id="a tax in the price"),
        pytest.param(pl.when(EIGHTH == 0).then(pl.col("price") / 3).otherwise("price"), id="in a part"),
    ],
)
def test_decimals_that_no_price_had_are_named(value: pl.Expr) -> None:
    named = {kind for kind, subject in orders("weekly").alarms(written(price=value)) if subject == "events.price"}
    assert named & {"new_digits", "unit_change"}


def _digits(values: np.ndarray) -> precision.Precision:
    digits = precision.digits_of(values)
    assert digits is not None
    return digits


def _amounts(seed: int, places: int, size: int = 400) -> np.ndarray:
    return np.random.default_rng(seed).lognormal(6, 1, size).round(places)


PAST = [_digits(_amounts(seed, 2)) for seed in range(3)]


@pytest.mark.parametrize(
    ("values", "name"),
    [
        (_amounts(9, 1), "numbers of 1 decimal"),
        (_amounts(9, 0), "whole numbers"),
        (_amounts(9, -1), "multiples of 10"),
        (_amounts(9, 2), None),
        (_amounts(9, 3), None),
        (np.full(400, 12.0), None),
        (_amounts(9, 1, 25), None),
    ],
    ids=["one decimal", "whole", "tens", "as ever", "finer", "one value", "few rows"],
)
def test_digits_that_are_gone_are_said_by_the_coarsest_step(values: np.ndarray, name: str | None) -> None:
    lost = precision.lost(PAST, precision.digits_of(values))
    assert (lost.name if lost else None) == name


@pytest.mark.parametrize(
    ("values", "name"),
    [
        (_amounts(9, 2) * 1.0837, "numbers of 2 decimals"),
        (_amounts(9, 3), "numbers of 2 decimals"),
        (_amounts(9, 2), None),
        (_amounts(9, 0), None),
    ],
    ids=["converted", "a decimal more", "as ever", "coarser"],
)
def test_digits_that_none_had_are_said(values: np.ndarray, name: str | None) -> None:
    gained = precision.gained(PAST, precision.digits_of(values))
    assert (gained.name if gained else None) == name


def test_two_windows_say_nothing_of_digits() -> None:
    assert precision.lost(PAST[:2], _digits(_amounts(9, 0))) is None
    assert precision.gained(PAST[:2], _digits(_amounts(9, 3))) is None
