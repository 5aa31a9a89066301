"""A day that has the numbers of another day, whatever its dates, keys and the order of its rows."""

from datetime import date, timedelta

import numpy as np
import polars as pl

from airloop.data.feed_history.repeated_days import digests, find

FIRST = date(2024, 1, 1)


def _days(seed: int, count: int, *, rows: int = 30, values: int = 1000) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "day": [FIRST + timedelta(days=number // rows) for number in range(count * rows)],
            "a": draw.integers(0, values, count * rows),
            "b": draw.normal(size=count * rows).round(2),
        }
    )


def _digests(rows: pl.DataFrame) -> dict[str, str]:
    return digests(rows.select("a", "b"), rows["day"])


def test_an_old_day_under_a_new_date_is_found_whatever_the_order_of_its_rows() -> None:
    past, now = _days(1, 5), _days(2, 3)
    moved = past.filter(pl.col("day") == FIRST + timedelta(days=2)).with_columns(day=pl.lit(FIRST + timedelta(days=40)))
    window = _digests(pl.concat([now.with_columns(pl.col("day") + timedelta(days=30)), moved.reverse()]))
    assert find([_digests(past)], window) == [("2024-02-10", "2024-01-03")]


def test_a_day_twice_in_one_window_is_found() -> None:
    rows = _days(1, 2)
    again = rows.filter(pl.col("day") == FIRST).with_columns(day=pl.lit(FIRST + timedelta(days=2)))
    assert find([], _digests(pl.concat([rows, again]))) == [("2024-01-03", "2024-01-01")]


def test_other_days_the_same_day_again_and_days_of_little_content_are_not() -> None:
    past = _digests(_days(1, 5))
    assert find([past], _digests(_days(2, 5))) == []
    assert find([past], past) == []
    little = _days(3, 5, values=2).with_columns(b=pl.lit(0.0))
    assert _digests(little) == {}
    assert _digests(_days(4, 2, rows=19)) == {}


def test_one_other_number_makes_another_day() -> None:
    rows = _days(1, 1)
    other = rows.with_columns(a=pl.when(pl.int_range(pl.len()) == 3).then(pl.lit(-1)).otherwise("a"))
    assert _digests(rows) != _digests(other)
    assert digests(rows.select([]), rows["day"]) == {}
