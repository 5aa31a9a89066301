"""One value that takes over a column: by its share before, of numbers and of the minutes of a clock."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from airloop.data.feed_history.pile_up import Pile, pile_of, taken_over


def test_the_commonest_value_and_its_share_of_the_rows_that_have_one() -> None:
    values = pl.Series([1.5] * 150 + [2.0] * 100 + [None] * 50)
    assert pile_of(values) == Pile(250, "1.5", 0.6)


def test_of_instants_the_commonest_minute_of_the_hour() -> None:
    start = datetime(2013, 4, 1, tzinfo=UTC)
    assert pile_of(pl.Series([start + timedelta(hours=hour) for hour in range(300)])) == Pile(300, "0", 1.0)


def test_few_rows_have_no_pile() -> None:
    assert pile_of(pl.Series([1.0] * 19)) is None


@pytest.mark.parametrize(
    ("before", "now", "largest_before"),
    [
        pytest.param([0.05], 0.26, 0.05, id="from a few to a quarter"),
        pytest.param([0.05], 0.25, None, id="not above 0.15 and twice what it was"),
        pytest.param([0.02, 0.08], 0.30, None, id="the largest share before counts"),
        pytest.param([0.45], 1.0, None, id="a value that nearly half of the rows had varies"),
        pytest.param([], 1.0, None, id="nothing to compare with"),
    ],
)
def test_a_value_takes_over_when_it_is_far_commoner_than_any_was(
    before: list[float], now: float, largest_before: float | None
) -> None:
    assert taken_over([Pile(500, "0", share) for share in before], Pile(500, "0", now)) == largest_before


def test_of_windows_of_few_rows_many_have_to_lie_before() -> None:
    days = [Pile(24, "0", 0.2)] * 10
    assert taken_over(days, Pile(24, "0", 0.9)) == 0.2
    assert taken_over(days, Pile(24, "0", 0.75)) is None
    assert taken_over(days[:3], Pile(24, "0", 0.9)) is None
