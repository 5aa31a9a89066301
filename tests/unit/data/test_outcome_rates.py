"""A rate of outcomes outside its history is found; seasons, bad days and few rows are not."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from tests.support.sketched import blocks

from airloop.data.feed_history import outcome_rates
from airloop.data.feed_history.blocks import Block

DAYS, ROWS = 30, 100
Counts = dict[str, tuple[int, ...]]


def _counts(share: float, *, seed: int = 0, days: int = DAYS, rows: int = ROWS, spread: float = 0.2) -> Counts:
    draw = np.random.default_rng(seed)
    logits = np.log(share / (1 - share)) + spread * draw.normal(size=days)
    positive = draw.binomial(rows, 1 / (1 + np.exp(-logits)))
    return {"0": tuple(int(rows - count) for count in positive), "1": tuple(int(count) for count in positive)}


PAST = [_counts(share, seed=number) for number, share in enumerate((0.30, 0.35, 0.28, 0.32))]
ONE_BY_ONE = [_counts(0.3, seed=n, days=1, spread=0.8) for n in range(20)]
NEVER = [{"0": (ROWS,) * DAYS} for _ in range(3)]
FALLING = [_counts(share, seed=number) for number, share in enumerate((0.72, 0.5, 0.25, 0.12))]
NONE = {"0": (ROWS,) * DAYS, "1": (0,) * DAYS}
RARE = [_counts(0.01, seed=number) for number in range(4)]


@pytest.mark.parametrize(
    ("past", "now"),
    [
        pytest.param(PAST, {"0": (ROWS,) * DAYS}, id="no positive any more"),
        pytest.param(PAST, {"1": (ROWS,) * DAYS}, id="only positives arrive"),
        pytest.param(PAST, {"0": PAST[0]["1"], "1": PAST[0]["0"]}, id="0 and 1 exchanged"),
        pytest.param(PAST, _counts(0.08, seed=9), id="a quarter as many"),
        pytest.param(PAST, {"N": PAST[0]["0"], "Y": PAST[0]["1"]}, id="another spelling"),
        pytest.param(RARE, _counts(0.06, seed=9), id="rare ones are common"),
        pytest.param(RARE, {"0": (ROWS,) * DAYS}, id="rare ones are gone"),
        pytest.param([PAST[0], NONE, *PAST], NONE, id="none any more, as in one window before"),
        pytest.param(NEVER, {"1": (ROWS,) * DAYS}, id="what never was is all there is"),
    ],
)
def test_a_rate_outside_its_history_is_found(past: list[Counts], now: Counts) -> None:
    found = outcome_rates.of_values(past, now)
    assert found is not None
    assert not found.lowest <= found.observed <= found.highest


@pytest.mark.parametrize(
    ("past", "now"),
    [
        pytest.param(PAST, _counts(0.2, seed=20), id="a good season"),
        pytest.param(PAST, _counts(0.45, seed=21), id="a bad season"),
        pytest.param(PAST, _counts(0.32, seed=5, days=1), id="one day"),
        pytest.param(PAST, _counts(0.9, seed=5, days=1, rows=20), id="too few rows"),
        pytest.param([*PAST, NONE], NONE, id="none, as in the last window"),
        pytest.param([NONE, *PAST, NONE, PAST[0]], NONE, id="none, as in a third of the windows"),
        pytest.param(PAST[:2], _counts(0.9, seed=5), id="two windows before"),
        pytest.param(NEVER, _counts(0.2, seed=5), id="what never was begins"),
        pytest.param(FALLING, _counts(0.04, seed=5), id="it goes on as it went"),
        pytest.param([], _counts(0.9, seed=5), id="no window before"),
        pytest.param(RARE, _counts(0.015, seed=9), id="rare ones"),
        pytest.param(ONE_BY_ONE, _counts(0.5, seed=99, days=1), id="a bad day"),
    ],
)
def test_a_season_a_bad_day_or_few_rows_are_not(past: list[Counts], now: Counts) -> None:
    assert outcome_rates.of_values(past, now) is None


@pytest.mark.parametrize(("factor", "found"), [(1.0, False), (1.6, False), (5.0, True), (0.2, True)])
def test_numbers_are_judged_by_the_share_above_their_old_quantiles(factor: float, found: bool) -> None:
    def month(seed: int, scale: float) -> list[Block]:
        draw = np.random.default_rng(seed)
        return blocks([draw.exponential(scale * 20 * draw.uniform(0.8, 1.2), ROWS) - 10 for _ in range(DAYS)])

    past = [month(seed, 1.0) for seed in range(3)]
    assert (outcome_rates.of_numbers(past, month(9, factor), "x") is not None) == found


def test_values_are_counted_by_block_and_many_different_ones_not_at_all() -> None:
    days = pl.Series([f"2020-01-0{day}" for day in (1, 1, 2, 2)]).str.to_date()
    two = [Block("2020-01-01", "2020-01-01", 2, {}), Block("2020-01-02", "2020-01-02", 2, {})]
    counts = outcome_rates.counts_by_value(pl.Series([True, False, True, None]), days, two)
    assert counts == {"false": (1, 0), "true": (1, 1)}
    many = pl.Series([float(n) for n in range(30)])
    assert outcome_rates.counts_by_value(many, pl.Series(["2020-01-01"] * 30).str.to_date(), two) == {}


def test_rows_that_say_what_their_week_says_are_counted_as_fewer() -> None:
    days = pl.Series([date(2020, 1, 1) + timedelta(days=n // 10) for n in range(280)])
    draw = np.random.default_rng(1)
    alone = outcome_rates.clumping(pl.Series(draw.integers(0, 2, 280)), days)
    alike = outcome_rates.clumping(pl.Series([n // 70 % 2 for n in range(280)]), days)
    assert alone is not None
    assert alike is not None
    assert 1 <= alone < 4
    assert alike == pytest.approx(70)
    assert outcome_rates.clumping(pl.Series([0, 1]), days[:2]) is None


def test_a_rate_of_few_independent_rows_needs_more_than_of_many() -> None:
    past = [_counts(share, seed=number, rows=3) for number, share in enumerate((0.7, 0.68, 0.5, 0.3, 0.4, 0.25))]
    none = {"0": (3,) * DAYS}
    assert outcome_rates.of_values(past[:3], none, clumped=1.0) is not None
    assert outcome_rates.of_values(past[:3], none, clumped=20.0) is None
