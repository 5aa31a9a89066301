"""Outcomes that are written before they are known: the newest days lack what every window had."""

import numpy as np
import pytest

from airloop.data.feed_history import open_cases

DAYS, ROWS = 30, 100


def _counts(
    share: float, *, seed: int, rows: int = ROWS, until: int = DAYS, after: int = 0
) -> dict[str, tuple[int, ...]]:
    positive = np.random.default_rng(seed).binomial(rows, share, DAYS)
    positive[until:] = positive[until:] * after
    return {"no": tuple(int(rows - count) for count in positive), "yes": tuple(int(count) for count in positive)}


PAST = [_counts(0.15, seed=number) for number in range(3)]


def test_a_week_without_a_case_is_found_where_the_months_rate_is_not_far() -> None:
    found = open_cases.find(PAST, _counts(0.15, seed=9, until=23))
    assert found is not None
    assert found[:2] == ("yes", 700)
    assert found[2] > 90


@pytest.mark.parametrize(
    ("past", "now", "clumped"),
    [
        pytest.param(PAST, _counts(0.15, seed=9), 1.0, id="as ever"),
        pytest.param(PAST, _counts(0.05, seed=9), 1.0, id="a good month"),
        pytest.param(PAST, _counts(0.15, seed=9, until=29), 1.0, id="a day"),
        pytest.param(PAST, _counts(0.15, seed=9, until=0), 1.0, id="the whole month"),
        pytest.param(PAST, _counts(0.15, seed=9, until=23), 20.0, id="days come in spells"),
        pytest.param([*PAST, _counts(0.15, seed=8, until=25)], _counts(0.15, seed=9, until=23), 1.0, id="so before"),
        pytest.param(
            [_counts(0.004, seed=n) for n in range(3)], _counts(0.004, seed=9, until=23), 1.0, id="rare cases"
        ),
        pytest.param(PAST[:2], _counts(0.15, seed=9, until=23), 1.0, id="too short a past"),
    ],
)
def test_days_rare_cases_and_spells_are_not(past: list[dict], now: dict, clumped: float) -> None:
    assert open_cases.find(past, now, clumped=clumped) is None
