"""Prices that were multiplied by any factor are found by the steps they come in; other prices and amounts are not."""

import numpy as np
import pytest

from airloop.data.feed_history import price_factor
from airloop.data.feed_history.value_grid import Grid, grid_of

PRICES = np.array([0.99, 1.29, 1.79, 1.99, 2.49, 2.79, 2.99, 3.49, 3.95, 4.99, 5.49, 7.99, 12.5, 17.95, 24.9])


def _grid(seed: int, prices: np.ndarray = PRICES, *, factor: float = 1.0, digits: int = 2) -> Grid:
    draw = np.random.default_rng(seed)
    weights = np.random.default_rng(1).dirichlet(np.ones(prices.size))
    grid = grid_of((draw.choice(prices, 2_000, p=weights) * factor).round(digits))
    assert grid is not None
    return grid


PAST = [_grid(seed) for seed in range(3)]


@pytest.mark.parametrize("factor", [1.08, 1.1, 1.19, 1.27, 1.4, 0.92, 0.84])
def test_prices_in_another_currency_or_with_a_tax_are_found(factor: float) -> None:
    found = price_factor.find({"price": PAST}, {"price": _grid(9, factor=factor)}).get("price")
    assert found is not None
    assert found.factor == pytest.approx(factor, rel=5e-3)
    assert found.without < 0.5 < 0.85 < found.share


OTHERS = np.random.default_rng(4).uniform(0.5, 30, 15).round(2)
DENSE = np.arange(0.5, 5.0, 0.01).round(2)


@pytest.mark.parametrize(
    ("past", "now"),
    [
        pytest.param(PAST, _grid(9), id="as ever"),
        pytest.param(PAST, _grid(9, OTHERS), id="other goods"),
        pytest.param(PAST, _grid(9, np.concatenate([PRICES[:8], OTHERS[:7]])), id="half of them other goods"),
        pytest.param(PAST, _grid(9, PRICES[:4], factor=1.19), id="too few prices to tell"),
        pytest.param([_grid(seed, DENSE) for seed in range(3)], _grid(9, DENSE, factor=1.19), id="any price there is"),
        pytest.param(PAST[:1], _grid(9, factor=1.19), id="too short a past"),
    ],
)
def test_what_no_one_factor_explains_is_not(past: list[Grid], now: Grid) -> None:
    assert price_factor.find({"price": past}, {"price": now}) == {}


def test_columns_of_few_prices_that_one_factor_explains_are_evidence_together() -> None:
    past = {
        "list": [_grid(seed, PRICES[4:10]) for seed in range(3)],
        "sale": [_grid(seed, PRICES[:6]) for seed in range(3)],
    }
    now = {"list": _grid(9, PRICES[4:10], factor=1.19), "sale": _grid(9, PRICES[:6], factor=1.19)}
    assert set(price_factor.find(past, now)) == {"list", "sale"}
    assert price_factor.find(past, {**now, "sale": _grid(9, PRICES[:6])}) == {}
