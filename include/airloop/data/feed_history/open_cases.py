"""Are outcomes written before they are known? Then all open cases look alike: none of the newest days has a loss.

A rate of the whole window hides that: a week of four moves it by a quarter.
"""

from collections.abc import Mapping, Sequence

import numpy as np

_LEAST_WINDOWS, _LEAST_MISSED = 3, 20
_LONGER = 2.0

Counts = Mapping[str, Sequence[int]]
"""Value -> its rows by block, oldest first."""


def find(past: Sequence[Counts], window: Counts, *, clumped: float = 1.0) -> tuple[str, int, float] | None:
    """(a value that every window had, rows of the newest days that all lack it, those that should have it); else None.

    Not where half as many rows in a row lacked it before, nor where the whole window does: that is a rate.

    Args:
        past: Of earlier windows, oldest first.
        clumped: How many rows say what one says, see outcome_rates.clumping.
    """
    if len(past) < _LEAST_WINDOWS:
        return None
    for value, rows in window.items():
        lacking = _lacking(window, value)
        missed = min(_share(item, value) for item in past) * lacking[-1]
        before = max(max(_lacking(item, value), default=0) for item in past)
        if any(rows) and missed >= _LEAST_MISSED * max(clumped, 1.0) and lacking[-1] > _LONGER * before:
            return value, lacking[-1], missed
    return None


def _share(counts: Counts, value: str) -> float:
    total = sum(map(sum, counts.values()))
    return sum(counts.get(value, ())) / total if total else 0.0


def _lacking(counts: Counts, value: str) -> list[int]:
    """Of each block, the rows that lack a value without a break up to its end."""
    rows_without: list[int] = []
    having = counts.get(value, ())
    for place, rows in enumerate(np.sum([np.asarray(item) for item in counts.values()], axis=0) if counts else ()):
        has = place < len(having) and having[place] > 0
        rows_without.append(0 if has else int(rows) + (rows_without[-1] if rows_without else 0))
    return rows_without
