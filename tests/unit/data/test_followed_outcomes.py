"""Outcomes that inputs always told: of other rows, or turned, they are found; another rate and blind inputs are not."""

import numpy as np
import polars as pl
import pytest

from airloop.data.feed_history import explained_rates, followed_outcomes
from airloop.data.feed_history.explained_rates import Sample

ROWS = 400


def _window(seed: int, *, says: float = 1.5, shift: float = 0.0, other: str = "", amounts: bool = False) -> Sample:
    draw = np.random.default_rng(seed)
    known = draw.normal(0, 1.0, ROWS)
    happens = (draw.uniform(size=ROWS) < 1 / (1 + np.exp(-says * known - shift))).astype(int)
    out: np.ndarray = np.round(says * known + draw.normal(size=ROWS) + shift, 3) if amounts else happens
    if other:
        out = draw.permutation(out) if other == "shuffled" else -out if amounts else 1 - out
    rows = pl.DataFrame({"known": known, "noise": draw.normal(size=ROWS), "out": out})
    sample = explained_rates.sample_of(rows, ["known", "noise"], {"out": "happens"})
    assert sample is not None
    return sample


PAST = [_window(seed) for seed in range(5)]


@pytest.mark.parametrize("amounts", [False, True])
@pytest.mark.parametrize(("other", "turned"), [("shuffled", False), ("turned", True)])
def test_outcomes_of_other_rows_and_turned_ones_are_found(other: str, turned: bool, amounts: bool) -> None:
    past = [_window(seed, amounts=amounts) for seed in range(5)]
    fallen = followed_outcomes.of(past, _window(9, other=other, amounts=amounts), "happens")
    assert fallen is not None
    assert fallen.turned == turned
    assert fallen.observed < 0.6 < fallen.expected


@pytest.mark.parametrize(
    ("past", "window"),
    [
        pytest.param(PAST, _window(9), id="as ever"),
        pytest.param(PAST, _window(9, shift=-1.5), id="a rarer outcome"),
        pytest.param(PAST, _window(9, says=0.9), id="a weaker relation"),
        pytest.param([_window(seed, says=0.0) for seed in range(5)], _window(9, other="shuffled"), id="blind inputs"),
        pytest.param(PAST[:3], _window(9, other="turned"), id="three windows before"),
        pytest.param([*PAST, _window(7, other="shuffled")], _window(9, other="shuffled"), id="it has been so before"),
    ],
)
def test_what_may_be_the_worlds_is_not(past: list[Sample], window: Sample) -> None:
    assert followed_outcomes.of(past, window, "happens") is None
