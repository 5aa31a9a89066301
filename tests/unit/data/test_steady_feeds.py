"""A source that sent as many rows in each window is missed a part of; one that varies is not judged by that."""

import pytest

from airloop.data.feed_history.completeness import Share, fewer_than_ever

STEADY = [60, 60, 59, 60] * 6


@pytest.mark.parametrize("rows", [30, 1, 43])
def test_half_of_an_hours_rows_is_told(rows: int) -> None:
    assert fewer_than_ever(STEADY, rows) == Share(float(rows), 60.0)


@pytest.mark.parametrize(
    ("past", "rows"),
    [
        pytest.param(STEADY, 60, id="as ever"),
        pytest.param(STEADY, 55, id="a few are late"),
        pytest.param(STEADY, 120, id="more than ever"),
        pytest.param(STEADY[:8], 30, id="too short a past"),
        pytest.param([60, 40, 20, 50] * 6, 15, id="hours of a day differ"),
        pytest.param([6] * 24, 1, id="too few rows"),
    ],
)
def test_what_varies_or_is_little_is_not(past: list[int], rows: int) -> None:
    assert fewer_than_ever(past, rows) is None
