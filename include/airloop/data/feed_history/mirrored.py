"""Is a set of signed numbers the mirror image of what it was? Each number says little, all of them together do.

Numbers that are large beside what they usually move by count most. A window's likeness is 1 where it is like the mean
of the others and -1 where it is its image. How much likeness varies is measured on the past, each window by the others,
so numbers that move together are not counted as many.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Numbers = Mapping[str, tuple[float, int]]
"""Name -> a number whose sign says which way round things are (Fisher's z, a logit), and the rows it was taken from."""

_LEAST_WINDOWS = 3
_STEADY, _TURNED = 0.2, -0.5
"""So like each other all windows before have to be, and so unlike them this one."""
_DEVIATIONS, _LEAST_DEVIATION = 4.0, 0.15
_LEAST_MOVE, _SAMPLING = 0.05, 2.0


@dataclass(frozen=True)
class Mirrored:
    """The likeness of the window, the least of those before, and how many numbers it is made of."""

    now: float
    before: float
    numbers: int


def find(past: Sequence[Numbers], window: Numbers, *, least: int) -> Mirrored | None:
    """How like the windows before it is, where it is their image; None where it is not.

    Args:
        past: Of each window before; one without numbers is left out.
        least: So many numbers all windows have to have.
    """
    known = [earlier for earlier in past if earlier]
    names = sorted(name for name in window if all(name in earlier for earlier in known))
    if len(known) < _LEAST_WINDOWS or len(names) < least:
        return None
    before = np.array([[earlier[name][0] for name in names] for earlier in known])
    fewest = np.array([min(item[name][1] for item in (*known, window)) for name in names])
    floor = np.hypot(_LEAST_MOVE, _SAMPLING / np.sqrt(fewest))
    alike = np.array([_likeness(np.delete(before, place, axis=0), before[place], floor) for place in range(len(known))])
    now = _likeness(before, np.array([window[name][0] for name in names]), floor)
    fallen = float(alike.mean()) - now
    if alike.min() < _STEADY or now > _TURNED or fallen < _DEVIATIONS * max(float(alike.std(ddof=1)), _LEAST_DEVIATION):
        return None
    return Mirrored(now, float(alike.min()), len(names))


def _likeness(others: Floats, numbers: Floats, floor: Floats) -> float:
    """1 where the numbers are the mean of the others, -1 where they are its image, 0 where they say neither."""
    middle = others.mean(axis=0)
    weights = middle / (others.var(axis=0, ddof=1) + floor**2)
    return float((numbers * weights).sum() / max((middle * weights).sum(), 1e-9))
