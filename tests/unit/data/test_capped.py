"""Amounts in steps that are cut off at one of them are found; a step that is gone, or commoner, is not."""

import pytest

from airloop.data.feed_history import capped
from airloop.data.feed_history.value_grid import Grid

PRICES = (1.0, 2.0, 3.0, 5.0, 8.0)
PAST = [Grid(PRICES, (200, 300, 250 + n, 150, 100)) for n in range(3)]


def test_prices_that_end_at_one_of_them_are_found() -> None:
    assert capped.find(PAST, Grid(PRICES[:3], (200, 300, 500))) == (
        "highest",
        3.0,
        0.5,
        pytest.approx(0.2515, abs=0.001),
    )


def test_prices_that_begin_at_one_of_them_are_found() -> None:
    found = capped.find(PAST, Grid(PRICES[1:], (500, 250, 150, 100)))
    assert found is not None
    assert found[:2] == ("lowest", 2.0)


@pytest.mark.parametrize(
    ("past", "now"),
    [
        pytest.param(PAST, PAST[0], id="as ever"),
        pytest.param(PAST, Grid(PRICES[:3], (270, 400, 330)), id="the dear ones are sold out"),
        pytest.param(PAST, Grid(PRICES, (100, 150, 600, 90, 60)), id="one is commoner"),
        pytest.param(PAST[:2], Grid(PRICES[:3], (200, 300, 500)), id="two windows before"),
        pytest.param(PAST, Grid(PRICES[:3], (5, 6, 14)), id="a few rows"),
    ],
)
def test_other_prices_are_not(past: list[Grid], now: Grid) -> None:
    assert capped.find(past, now) is None
