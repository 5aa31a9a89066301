"""Does one column say what another one says? Copied from it, or both read from one field."""

from collections.abc import Sequence
from itertools import combinations

import polars as pl

from airloop.data.feed_history.sketch import Sketch

IS = " = "
"""Between the names of two columns: the share of rows in which they say the same."""

_MOST_COLUMNS, _LEAST_ROWS, _LEAST_DIFFERENT = 20, 20, 2
_LEAST_WINDOWS = 3
_SAME, _LEAST_ALIKE = 0.9999, 30
"""Alike in all rows, where by the windows before so many or more should differ."""
_MOST, _MORE = 0.5, 0.4
"""Or alike in this share of the rows, and in so much more of them than ever."""


def shares(rows: pl.DataFrame, columns: Sequence[str]) -> dict[str, tuple[float, int]]:
    """`one = other` -> the share of rows in which both say the same, and the rows that say something.

    Rows that lack one of both are left out, and those in which both are 0: two gauges are dry on one day.
    """
    alike, several = {}, [name for name in columns if rows[name].n_unique() >= _LEAST_DIFFERENT]
    for one, other in combinations(several[:_MOST_COLUMNS], 2):
        first, second = rows[one], rows[other]
        valued = first.is_not_null() & second.is_not_null()
        if first.dtype.is_numeric():
            valued &= (first != 0) | (second != 0)
        count = int(valued.sum())
        if count >= _LEAST_ROWS:
            alike[f"{one}{IS}{other}"] = (round(float((valued & (first == second)).sum()) / count, 5), count)
    return alike


def same(past: Sequence[Sketch], window: Sketch, pair: str) -> tuple[float, float] | None:
    """(share of the rows in which two columns are equal, the largest of the windows before), where it leapt; else None.

    Args:
        pair: `one = other`.
    """
    before = [sketch.alike[pair][0] for sketch in past if pair in sketch.alike]
    if pair not in window.alike or len(before) < _LEAST_WINDOWS:
        return None
    (now, rows), most = window.alike[pair], max(before)
    all_of_them = now >= _SAME and (1 - most) * rows >= _LEAST_ALIKE
    return (now, most) if all_of_them or (now >= _MOST and now - most >= _MORE) else None
