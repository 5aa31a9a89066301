"""Do some hours of the day have far fewer rows than they had? A job that no longer runs at noon loses them every day.

The rows of a day as a whole hide that: three hours of the night are a twentieth of them.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_LEAST_WINDOWS, _LEAST_ROWS, _LEAST_EXPECTED = 3, 500, 30
_LEFT, _DEVIATIONS = 0.55, 6.0
_GAINED = 1.8
"""Where another hour has so many times what it ever had, rows have moved and are not lost."""


def find(past: Sequence[Sequence[int]], window: Sequence[int]) -> tuple[list[int], float, float] | None:
    """The hours that lost rows, how many they have and how many they should; None where all have what they had.

    An hour is held against the least share of the rows that it, or an hour beside it, had in any window: people move by
    an hour when clocks do. What it should have follows from the other hours of the window.

    Args:
        past: Rows by hour of the local day (24), of each earlier window.
        window: Of some days at least.
    """
    known = [np.array(hours, float) for hours in past if sum(hours) >= _LEAST_ROWS]
    now = np.array(window, float)
    if len(known) < _LEAST_WINDOWS or now.sum() < _LEAST_ROWS:
        return None
    shares = np.array([np.roll(hours, by) / hours.sum() for hours in known for by in (-1, 0, 1)])
    least, usual = shares.min(axis=0), np.mean([hours / hours.sum() for hours in known], axis=0)
    rows = _all_rows(now, usual)
    expected = least * rows
    lost = (now < _LEFT * expected) & (expected - now > _DEVIATIONS * np.sqrt(expected)) & (expected >= _LEAST_EXPECTED)
    most = shares.max(axis=0) * rows
    gained = (now > _GAINED * most) & (now - most > _DEVIATIONS * np.sqrt(most))
    if not lost.any() or gained.any():
        return None
    return [int(hour) for hour in np.flatnonzero(lost)], float(now[lost].sum()), float(expected[lost].sum())


def _all_rows(now: Floats, usual: Floats) -> float:
    """The rows that the window would have, were each hour as full as most are."""
    there = usual > 0
    ratios, weights = now[there] / usual[there], usual[there]
    order = np.argsort(ratios)
    middle = np.searchsorted(np.cumsum(weights[order]), 0.5)
    return float(ratios[order][min(int(middle), ratios.size - 1)])
