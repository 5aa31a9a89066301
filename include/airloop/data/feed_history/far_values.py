"""Do some values lie where none ever did? A code for "missing" (-999, 9999) and another unit in a part of the rows do.

Kept are a window's outermost quantiles. How many values of a new window lie beyond what was there before can be read
from them to within a step, and so can whether the outermost value stands for many rows, apart from all others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SHARES = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
"""Kept are the quantiles at these, and at one less these: ascending, the median twice."""

_LEAST_ROWS = 200
_LEAST_SHARE = 0.005
_FAR = 0.75
"""So many times the whole range that was there before lies beyond it what no season explains."""
_NEAR, _APART = 0.1, 0.1
"""One value in many rows may lie nearer, where as much of the range is empty between it and all others."""
_LEAST_WINDOWS = 2


@dataclass(frozen=True)
class Far:
    """Values beyond the earlier range: at least `share` of the rows, as far as `value`; `side` in a word."""

    share: float
    value: float
    side: str
    lowest: float
    highest: float


def ends_of(values: Floats) -> tuple[float, ...] | None:
    """Rows, and the outermost quantiles of finite values; None where they are few, or all the same."""
    if values.size < _LEAST_ROWS:
        return None
    ascending = np.sort(values)
    # Values that are there, no means of two: a code stands as itself.
    low = [float(ascending[int(np.ceil(share * (values.size - 1)))]) for share in SHARES]
    high = [float(ascending[int(np.floor((1 - share) * (values.size - 1)))]) for share in reversed(SHARES)]
    return None if low[0] == high[-1] else (float(values.size), *low, *high)


def find(past: Sequence[tuple[float, ...]], window: tuple[float, ...]) -> Far | None:
    """The end at which values lie far outside of what two windows or more had; the fuller one of two."""
    if len(past) < _LEAST_WINDOWS:
        return None
    lowest, highest = min(ends[1] for ends in past), max(ends[-1] for ends in past)
    low = np.array(window[1 : 1 + len(SHARES)])
    high = np.array(window[1 + len(SHARES) :])[::-1]
    found = []
    for side, distance in (("below", lowest - low), ("above", high - highest)):
        share = _beyond(distance, highest - lowest)
        if share:
            found.append(Far(share, float((low if side == "below" else high)[0]), side, lowest, highest))
    return max(found, key=lambda item: item.share, default=None)


def _beyond(distance: Floats, width: float) -> float:
    """The share of the rows that lie far beyond an end, or in one value apart; 0 where too few do.

    Args:
        distance: How far the quantiles at SHARES lie beyond, the outermost first: descending.
    """
    far = [share for share, item in zip(SHARES, distance, strict=True) if item > _FAR * width]
    if far and max(far) >= _LEAST_SHARE:
        return max(far)
    same = [share for share, item in zip(SHARES, distance, strict=True) if item == distance[0]]
    others = distance[len(same) :]
    apart = not others.size or distance[0] - others[0] > _APART * width
    return max(same) if max(same) >= _LEAST_SHARE and distance[0] > _NEAR * width and apart else 0.0
