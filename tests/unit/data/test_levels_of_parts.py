"""One place in another unit is found among the others; a season of all, and a place that moves anyway, are not."""

import numpy as np
import polars as pl
import pytest

from airloop.data.feed_history import levels_of_parts
from airloop.data.feed_history.conversions import AMOUNTS
from airloop.data.feed_history.levels_of_parts import Levels

PLACES = np.array(["north", "south", "west"])


def _window(seed: int, *, factor: float = 1.0, offset: float = 0.0, season: float = 0.0, rows: int = 900) -> Levels:
    draw = np.random.default_rng(seed)
    place = draw.choice(PLACES, rows)
    values = draw.normal(60 + season, 12, rows) + 4 * (place == "south")
    values = np.where(place == "north", factor * values + offset, values)
    found = levels_of_parts.find(pl.DataFrame({"temp": values, "place": place}), ["temp"], ["place"])
    return found["temp where place"]


PAST = [_window(seed, season=3.0 * seed) for seed in range(5)]


@pytest.mark.parametrize(
    ("factor", "offset", "name"),
    [
        (1.609344, 0.0, "miles to kilometres"),
        (5 / 9, -160 / 9, "Fahrenheit to Celsius"),
        (2.54, 0.0, "inches to centimetres"),
    ],
)
def test_a_place_in_another_unit_is_named_with_the_unit(factor: float, offset: float, name: str) -> None:
    found = levels_of_parts.converted(PAST, _window(9, factor=factor, offset=offset, season=15), AMOUNTS)
    assert found is not None
    assert found.name == "north"
    assert name in found.conversion.name


@pytest.mark.parametrize(
    ("past", "now"),
    [
        pytest.param(PAST, _window(9), id="as ever"),
        pytest.param(PAST, _window(9, season=40), id="a season of all"),
        pytest.param(PAST[:3], _window(9, factor=1.609344), id="a short past"),
        pytest.param(PAST, _window(9, factor=1.609344, rows=100), id="a few rows"),
        pytest.param([*PAST, _window(7, factor=1.6)], _window(9, factor=1.609344), id="it has been so before"),
    ],
)
def test_what_all_do_or_one_did_before_is_not(past: list[Levels], now: Levels) -> None:
    assert levels_of_parts.converted(past, now, AMOUNTS) is None
