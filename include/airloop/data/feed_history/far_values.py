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

_LEAST_ROWS = 20
_MANY_ROWS, _BEFORE_FEW, _LEAST_FAR = 200, 1_000, 2
"""Of windows with fewer rows than many, so many values before say what never was, and two say that it is there now."""
_LEAST_SHARE = 0.005
_FAR = 0.75
"""So many times the whole range that was there before lies beyond it what no season explains."""
_FAR_OF_HALF, _LEAST_HALF, _NO_HALF = 1.5, 0.01, 0.2
"""Or so many times the distance from there to the median, which is as much where both halves are alike: amounts that
end at 0 have no -50. Where the median lies at the end itself, so large a part of the range."""
_NEAR, _APART = 0.1, 0.1
"""One value in many rows may lie nearer, where as much of the range is empty between it and all others."""
FEW_STEPS = 12
"""A column whose outermost quantiles are so few different values comes in steps, as prices do."""
_A_STEP_LESS, _A_STEP_MORE = 1.5, 2.2
"""What lies within these factors of what was there is a step more, where no value is negative."""
_LEAST_WINDOWS, _LEVEL_WINDOWS = 2, 3


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
    ends = all_ends_of(values)
    return None if ends is None or ends[1] == ends[-1] else ends


def all_ends_of(values: Floats) -> tuple[float, ...] | None:
    """The same, of a constant too."""
    if values.size < _LEAST_ROWS:
        return None
    ascending = np.sort(values)
    # Values that are there, no means of two: a code stands as itself.
    low = [float(ascending[int(np.ceil(share * (values.size - 1)))]) for share in SHARES]
    high = [float(ascending[int(np.floor((1 - share) * (values.size - 1)))]) for share in reversed(SHARES)]
    return (float(values.size), *low, *high)


def find(past: Sequence[tuple[float, ...]], window: tuple[float, ...]) -> Far | None:
    """The end at which values lie far outside of what two windows or more had; the fuller one of two."""
    if not is_known(past):
        return None
    lowest, highest = min(ends[1] for ends in past), max(ends[-1] for ends in past)
    low = np.array(window[1 : 1 + len(SHARES)])
    high = np.array(window[1 + len(SHARES) :])[::-1]
    width, sides = highest - lowest, []
    in_steps = lowest >= 0 and max(len(set(ends[1:])) for ends in past) <= FEW_STEPS
    steps = (lowest - lowest / _A_STEP_LESS, (_A_STEP_MORE - 1) * highest) if in_steps else (0.0, 0.0)
    halves = _halves(past, lowest, highest)
    for side, distance, half, a_step in (
        ("below", lowest - low, halves[0], steps[0]),
        ("above", high - highest, halves[1], steps[1]),
    ):
        near = _FAR_OF_HALF * half if half >= _LEAST_HALF * width else _NO_HALF * width
        # Of few rows a value that lies a little apart is nothing.
        apart = a_step if window[0] >= _MANY_ROWS else np.inf
        share = _beyond(distance, width, max(min(_FAR * width, near), a_step), apart)
        if share and (window[0] >= _MANY_ROWS or share * window[0] >= _LEAST_FAR):
            sides.append(Far(share, float((low if side == "below" else high)[0]), side, lowest, highest))
    return max(sides, key=lambda item: item.share, default=None)


def _halves(past: Sequence[tuple[float, ...]], lowest: float, highest: float) -> tuple[float, float]:
    """From the medians to both ends; of windows of few rows, whose medians stray, to their usual one."""
    middles = [(ends[len(SHARES)], ends[len(SHARES) + 1]) for ends in past]
    if min(ends[0] for ends in past) < _MANY_ROWS:
        middles = [(float(np.median([low for low, _ in middles])), float(np.median([high for _, high in middles])))]
    return min(low for low, _ in middles) - lowest, highest - max(high for _, high in middles)


def is_known(past: Sequence[tuple[float, ...]]) -> bool:
    """Whether the windows before had values enough to say what never was: two of them, or many of a few rows."""
    rows = [ends[0] for ends in past]
    return len(past) >= _LEAST_WINDOWS and (min(rows) >= _MANY_ROWS or sum(rows) >= _BEFORE_FEW)


def level(past: Sequence[tuple[float, ...]], window: tuple[float, ...]) -> Far | None:
    """The side on which nine values in ten lie beyond 99 % of those of every window before; None where that is usual.

    A column that has gone there before (a counter, a season) goes on.
    """
    if len(past) < _LEVEL_WINDOWS or not is_known(past):
        return None
    if any(_level(past[:place], past[place]) for place in range(1, len(past))):
        return None
    return _level(past, window)


def _level(past: Sequence[tuple[float, ...]], window: tuple[float, ...]) -> Far | None:
    tenth, hundredth = SHARES.index(0.1) + 1, SHARES.index(0.01) + 1
    lowest, highest = min(ends[hundredth] for ends in past), max(ends[-hundredth] for ends in past)
    if window[-tenth] < lowest:
        return Far(0.9, window[len(SHARES)], "below", lowest, highest)
    if window[tenth] > highest:
        return Far(0.9, window[len(SHARES)], "above", lowest, highest)
    return None


def _beyond(distance: Floats, width: float, far_off: float, least: float) -> float:
    """The share of the rows that lie far beyond an end, or in one value apart; 0 where too few do.

    Args:
        distance: How far the quantiles at SHARES lie beyond, the outermost first: descending.
        far_off: What counts as far.
        least: What one value in many rows has to lie beyond at least.
    """
    far = [share for share, item in zip(SHARES, distance, strict=True) if item > far_off]
    if far and max(far) >= _LEAST_SHARE:
        return max(far)
    same = [share for share, item in zip(SHARES, distance, strict=True) if item == distance[0]]
    others = distance[len(same) :]
    apart = not others.size or distance[0] - others[0] > _APART * width
    return max(same) if max(same) >= _LEAST_SHARE and distance[0] > max(_NEAR * width, least) and apart else 0.0
