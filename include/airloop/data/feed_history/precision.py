"""To which digit are a column's values written? Digits that are lost were rounded, new ones come of a calculation.

Of each window is kept which share of its values is no multiple of 1000, 100, ... 0.000001. No season changes that: what
was measured to four decimals has four in winter, and what is counted in whole numbers has none.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

STEPS = (1000.0, 100.0, 10.0, 1.0, 0.1, 0.01, 0.001, 1e-4, 1e-5, 1e-6)
_TOLERANCE = 1e-6
"""Of a step: what binary fractions are off by."""
_DIGITS_OF_FLOAT = 1e-12

_LEAST_ROWS, _LEAST_DIFFERENT = 20, 5
_LEAST_WINDOWS = 3
_LEAST_BEFORE, _LEFT, _LEAST_EXPECTED = 0.2, 0.1, 30
"""A digit that so many values had in every window, and that so small a part of those have now, is lost."""
_NONE, _LEAST_NEW, _LEAST_NEW_ROWS, _ROWS_BEFORE = 0.002, 0.05, 20, 300
"""One that hardly a value had in any window, and that so many have now, is new."""

Precision = tuple[float, ...]
"""Values but for zeros, how many of them differ, and for each of STEPS the share that is no multiple of it."""


@dataclass(frozen=True)
class Digit:
    """Where values are no multiples of a step: now, and in the windows before (the least or the most of them)."""

    step: float
    share: float
    before: float

    @property
    def name(self) -> str:
        """The step in words."""
        decimals = STEPS.index(self.step) - STEPS.index(1.0)
        if decimals <= 0:
            return "whole numbers" if not decimals else f"multiples of {self.step:g}"
        return f"numbers of {decimals} decimal{'s' * (decimals > 1)}"


def digits_of(values: Floats) -> Precision | None:
    """The digits of finite values; None where they are few."""
    known = values[values != 0]
    if known.size < _LEAST_ROWS:
        return None
    shares = []
    for step in STEPS:
        scaled = known / step
        off = np.abs(scaled - np.rint(scaled)) > np.maximum(_TOLERANCE, _DIGITS_OF_FLOAT * np.abs(scaled))
        shares.append(round(float(off.mean()), 5))
    return (float(known.size), float(np.unique(known).size), *shares)


def lost(past: Sequence[Precision], window: Precision | None) -> Digit | None:
    """The coarsest step that nearly all values keep to now, of a column that in every window had many that did not."""
    if window is None or len(past) < _LEAST_WINDOWS or window[1] < _LEAST_DIFFERENT:
        return None
    for step, now, *before in zip(STEPS, window[2:], *(item[2:] for item in past), strict=True):
        least = min(before)
        if least >= _LEAST_BEFORE and least * window[0] >= _LEAST_EXPECTED and now <= _LEFT * least:
            return Digit(step, now, least)
    return None


def gained(past: Sequence[Precision], window: Precision | None) -> Digit | None:
    """The finest step that all values kept to in every window, and that many do not keep to now."""
    if window is None or len(past) < _LEAST_WINDOWS or sum(item[0] for item in past) < _ROWS_BEFORE:
        return None
    for step, now, *before in zip(STEPS, window[2:], *(item[2:] for item in past), strict=True):
        if max(before) <= _NONE and now >= _LEAST_NEW and now * window[0] >= _LEAST_NEW_ROWS:
            return Digit(step, now, max(before))
    return None
