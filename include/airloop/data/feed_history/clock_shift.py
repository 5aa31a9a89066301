"""Does a timestamp look as if its clock had changed? Its profile over the hours of the day, turned by whole hours.

Or that over the minutes of the hour, by minutes: a timetable of whole five minutes, a measurement at nine to the hour.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_LEAST_ROWS, _LEAST_BEFORE = 100, 300
_DIFFERENT, _ALIKE = 0.25, 0.35
_PEAKED = 0.15
_LEAST_SHIFT = 2
"""An hour is what a summer clock does to events of another zone's people."""


def find(
    past: Sequence[Sequence[int]], window: Sequence[int], *, least: int = _LEAST_SHIFT
) -> tuple[int, float, float] | None:
    """By how many hours (-11 to 12) or minutes (-29 to 30) the window's profile is turned, and both distances.

    Distance is the total variation between profiles (0 equal, 1 disjoint): first as they are, then turned back.
    None where the profile is as before, turned by less than `least`, flat (every hour alike), or of too few rows.

    Args:
        past: Rows by hour of the local day, a sequence of 24 per earlier window; or by minute of the hour, 60.
    """
    known = [np.array(hours, float) for hours in past if sum(hours) >= _LEAST_ROWS]
    if sum(hours.sum() for hours in known) < _LEAST_BEFORE or sum(window) < _LEAST_ROWS:
        return None
    reference, now = sum(hours / hours.sum() for hours in known) / len(known), np.array(window, float) / sum(window)
    size = reference.size
    if np.abs(reference - 1 / size).sum() / 2 < _PEAKED:
        return None
    without = min(_distance(now, hours / hours.sum()) for hours in known)
    usual = max((_distance(hours / hours.sum(), reference) for hours in known), default=0.0)
    turned = {
        by: _distance(np.roll(now, -by), reference) for by in range(1 - size // 2, 1 + size // 2) if abs(by) >= least
    }
    best = min(turned, key=lambda by: (turned[by], abs(by)))
    if without < max(_DIFFERENT, 2 * usual) or turned[best] > _ALIKE * without:
        return None
    return best, without, turned[best]


def _distance(one: Floats, other: Floats) -> float:
    return float(np.abs(one - other).sum() / 2)
