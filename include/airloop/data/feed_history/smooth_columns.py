"""Does a column creep, and has it leapt? A mean of the last week creeps from season to season; another unit is a leap.

Of each window are kept a column's first and last value in the order of time, and its largest step from row to row. A
column whose steps have always been small beside the range it went through is a smooth one.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

_LEAST_ROWS = 50
_SMOOTH = 0.25
"""The largest step, as a share of the range that the windows before went through."""
_LEAP, _LEAP_OF_RANGE = 2.0, 0.1
"""A leap is longer than so many of the largest earlier steps, and than this share of the range."""

Course = tuple[float, float, float, float, float]
"""First value, last value, largest step, lowest value, highest value."""


def courses(rows: pl.DataFrame, columns: Sequence[str], time: str) -> dict[str, Course]:
    """Column -> its course over the rows in the order of an instant; columns of few values are left out."""
    ordered = rows.sort(time, maintain_order=True)
    by_column = {}
    for name in columns:
        values = ordered[name].drop_nulls().cast(pl.Float64).to_numpy()
        values = values[np.isfinite(values)]
        if values.size >= _LEAST_ROWS:
            step = float(np.abs(np.diff(values)).max())
            by_column[name] = (float(values[0]), float(values[-1]), step, float(values.min()), float(values.max()))
    return by_column


def crept(past: Sequence[Course], window: Course | None) -> bool:
    """Whether a smooth column has gone to where it is without a leap, from the last window before and within this one.

    Args:
        past: Oldest first.
    """
    if not past or window is None:
        return False
    largest = max(step for _, _, step, _, _ in past)
    wide = max(highest for *_, highest in past) - min(lowest for _, _, _, lowest, _ in past)
    if not largest or largest > _SMOOTH * wide:
        return False
    return max(abs(window[0] - past[-1][1]), window[2]) <= max(_LEAP * largest, _LEAP_OF_RANGE * wide)
