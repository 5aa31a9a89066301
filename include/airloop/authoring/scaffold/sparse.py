"""How much time a comparison of models takes on a table that has few rows, or rows on few days."""

import math
from datetime import datetime, timedelta

import numpy as np
import polars as pl

FEWEST_DAYS = 14
"""Of gate.compare.min_blocks and monitoring.policy.min_blocks: different calendar days with labelled rows."""
_NEARLY_ALWAYS = 0.9


def days_back(times: pl.Series, until: datetime, *, rows: int, days: int) -> int | None:
    """Days before `until` that hold so many rows, on so many different calendar days (UTC); None when none do."""
    different = _days(times)
    if len(times) < rows or len(different) < days:
        return None
    first: datetime = min(times[-rows], different[-days])
    return -((first - until) // timedelta(days=1))


def days_of_a_look(times: pl.Series, *, rows: int, usual: int) -> int:
    """Days that a look has to judge to have enough rows and days nearly always (nine times of ten); `usual` if more.

    Args:
        times: Of the labelled rows, ascending.
    """
    needed = [_span(times, rows), _span(_days(times), FEWEST_DAYS)]
    return max(usual, *(math.ceil(span) + 1 for span in needed if span is not None))


def _days(times: pl.Series) -> pl.Series:
    return times.dt.truncate("1d").unique().sort()


def _span(times: pl.Series, many: int) -> float | None:
    """Days from the first to the last of so many values in a row, of nine stretches out of ten at most; None: fewer."""
    if len(times) < many:
        return None
    seconds = times.dt.epoch("s").to_numpy()
    spans = seconds[many - 1 :] - seconds[: len(seconds) - many + 1]
    return float(np.quantile(spans, _NEARLY_ALWAYS)) / timedelta(days=1).total_seconds()
