"""Is a column empty more often than it was? By day, as some days (rain in the gauge) have always been empty."""

from collections.abc import Sequence

import numpy as np

from airloop.data.feed_history.completeness import Share
from airloop.data.feed_history.sketch import Sketch

_LEAST_ROWS, _LEAST_WINDOWS, _LEAST_DAYS = 20, 2, 5
_LEAST_SINGLE = 10
_MORE, _MORE_OF_A_TABLE, _MORE_OF_A_DAY = 0.05, 0.1, 0.2
_DEVIATIONS, _DEVIATIONS_OF_ONE = 5.0, 8.0
_MAD_TO_SD = 1.4826
_BAD_DAYS, _MOST_DAYS, _NEARLY_ALL = 0.3, 0.7, 0.9
_RARE = 0.9
"""A day that is emptier than this share of the past's days is a bad one."""
_TWO_WEEKS = 14
_HARDLY = 0.1


def more(past: Sequence[Sketch], window: Sketch, column: str) -> Share | None:
    """The median share of rows without a value, where it is higher than usual on many days of the window.

    Of two weeks or more, 30 % of the days have to be emptier than nine in ten were before, or 70 % emptier than usual;
    of fewer days nine in ten. A single block (of a static table, a day) is held against the emptiest before it;
    a day against ten or more. A column that is usually empty is judged only when hardly a value is left.
    """
    before = np.array([share for sketch in past for share in _empty(sketch, column)])
    now = np.array(_empty(window, column))
    if len(past) < _LEAST_WINDOWS or not before.size or not now.size:
        return None
    usual = float(np.median(before))
    if _emptied(past, window, column):
        return Share(float(np.median(now)), usual)
    if now.size == 1:
        least, allowed = (_LEAST_SINGLE, _MORE_OF_A_DAY) if window.days else (_LEAST_WINDOWS, _MORE_OF_A_TABLE)
        far = max(before.max() + allowed, usual + _DEVIATIONS_OF_ONE * float(before.std()))
        return Share(float(now[0]), usual) if before.size >= least and now[0] > far else None
    if before.size < _LEAST_DAYS:
        return None
    spread = _MAD_TO_SD * float(np.median(np.abs(before - usual)))
    bound = usual + max(_MORE, _DEVIATIONS * spread)
    bad = max(bound, float(np.quantile(before, _RARE)))
    long = now.size >= _TWO_WEEKS
    many = (now > bad).mean() >= (_BAD_DAYS if long else _NEARLY_ALL)
    most = long and (now > bound).mean() >= _MOST_DAYS
    return Share(float(np.median(now)), usual) if many or most else None


def _emptied(past: Sequence[Sketch], window: Sketch, column: str) -> bool:
    """Whether hardly a value is left of a column of which every window, however sparse, had some."""
    shares = [sum(sketch.filled[column]) / sketch.rows for sketch in past if column in sketch.filled and sketch.rows]
    expected = min(shares, default=0.0) * window.rows
    return expected >= _LEAST_ROWS and sum(window.filled.get(column, ())) < _HARDLY * expected


def _empty(sketch: Sketch, column: str) -> list[float]:
    counts = zip(sketch.blocks, sketch.filled.get(column, ()), strict=False)
    return [1 - filled / block.rows for block, filled in counts if block.rows >= _LEAST_ROWS]
