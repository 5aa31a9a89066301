"""What the inputs lead to: a rate that follows them is explained, one that does not, or of blind inputs, is not."""

import numpy as np
import polars as pl
import pytest

from airloop.data.feed_history import explained_rates
from airloop.data.feed_history.explained_rates import Sample

ROWS = 400


def _window(seed: int, level: float, *, says: float = 2.0, shift: float = 0.0) -> Sample:
    draw = np.random.default_rng(seed)
    known = draw.normal(level, 1.0, ROWS)
    happens = draw.uniform(size=ROWS) < 1 / (1 + np.exp(-says * known - shift))
    rows = pl.DataFrame({"known": known, "noise": draw.normal(size=ROWS), "out": happens.astype(int)})
    sample = explained_rates.sample_of(rows, ["known", "noise"], {"out": "happens"})
    assert sample is not None
    return sample


def _share(sample: Sample) -> float:
    return float(np.mean([value == "1" for value in sample.outcomes["happens"]]))


PAST = [_window(seed, level) for seed, level in enumerate((0.5, 0.2, -0.3, -0.9))]


def _covers(past: list[Sample], window: Sample) -> bool:
    told = explained_rates.explain(past, window, "happens", "1".__eq__)
    return told is not None and told.covers(_share(window), ROWS)


def test_a_rate_that_goes_where_its_inputs_lead_is_explained() -> None:
    assert _covers(PAST, _window(9, -1.6))


@pytest.mark.parametrize(
    ("past", "window"),
    [
        pytest.param(PAST, _window(9, 0.5, shift=-5.0), id="inputs as ever, hardly an outcome"),
        pytest.param(PAST, _window(9, -1.6, shift=6.0), id="inputs that lead elsewhere"),
        pytest.param([_window(s, 0.1 * s, says=0.0) for s in range(4)], _window(9, 0.0, shift=-5), id="blind inputs"),
        pytest.param(PAST[:2], _window(9, -1.6), id="two windows before"),
    ],
)
def test_another_rate_is_not(past: list[Sample], window: Sample) -> None:
    assert not _covers(past, window)


def test_a_sample_is_small_and_comes_back_from_json() -> None:
    sample = PAST[0]
    assert len(sample.outcomes["happens"]) <= 240
    assert Sample.from_json(sample.to_json()) == sample


def test_there_is_no_sample_without_inputs_or_outcomes() -> None:
    rows = pl.DataFrame({"known": [1.0], "out": [None]}, schema={"known": pl.Float64, "out": pl.Int64})
    assert explained_rates.sample_of(rows, ["known"], {"out": "happens"}) is None
    assert explained_rates.sample_of(rows.with_columns(out=1), [], {"out": "happens"}) is None
