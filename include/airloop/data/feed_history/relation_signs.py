"""Has a column been turned round? A share of 0.3 that is written as 0.7 goes up where it went down, with all others.

A relation need not be strong for that, only steady: of every window before, it had the same sign, beyond chance. Where
all steady relations of a column have the other sign now, its values run the other way.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from airloop.data.feed_history.relations import PARTED

_LEAST_WINDOWS = 3
_ALONE = 0.35
"""One relation alone has to be so strong (Fisher's z); which of both columns was turned it cannot say."""
_STEADY, _LEAST_STEADY = 4.0, 0.08
"""A steady relation is, in every window, beyond so many standard errors, and so strong (Fisher's z)."""
_ONE_STRONG = 0.25
_TURNED = 0.5
"""So much of the weakest relation before, with the other sign, is a turned one."""
SPAN = " - "
"""In the name of the minutes between two instants, which nobody writes, and so nobody turns."""

Measured = Mapping[str, tuple[float, int]]
"""`one ~ other` -> rank correlation and rows."""


@dataclass(frozen=True)
class Turned:
    """A column whose relations have the other sign: the strongest of them, how many they are.

    Of one relation alone `column` names both of its columns, by a comma.
    """

    column: str
    other: str
    observed: float
    expected: float
    relations: int


def find(past: Mapping[str, Sequence[tuple[float, int]]], window: Measured) -> Iterator[Turned]:
    """The columns all of whose steady relations turned, those with most of them first.

    Args:
        past: `one ~ other` -> what it was in each window before that counts for it.
        window: The same now.
    """
    steady = {tuple(name.split(PARTED)): _now(past[name], item) for name, item in window.items() if _steady(past, name)}
    known = {columns: both for columns, both in steady.items() if both is not None}
    turned = {columns for columns, (before, now) in known.items() if _is_turned(before, now)}
    while whole := _whole(known, turned):
        # Who has a relation that stays as it was has not been turned: the other of the two was.
        column = max(whole, key=lambda name: (whole[name], name))
        about = {columns: both for columns, both in known.items() if column in columns}
        columns, (before, now) = max(about.items(), key=lambda item: abs(item[1][0]))
        other = columns[1] if columns[0] == column else columns[0]
        if abs(before) >= (_ONE_STRONG if whole[column] > 1 else _ALONE):
            either = whole[column] == 1 and other in whole
            named, against = (", ".join(sorted(columns)), "") if either else (column, other)
            yield Turned(named, against, float(np.tanh(now)), float(np.tanh(before)), whole[column])
        turned = {columns for columns in turned if column not in columns}
        known = {columns: both for columns, both in known.items() if column not in columns}


def _whole(known: Collection[tuple[str, ...]], turned: Collection[tuple[str, ...]]) -> dict[str, int]:
    """Columns all of whose relations turned -> how many."""
    all_of, of_turned = (Counter(column for columns in group for column in columns) for group in (known, turned))
    return {column: count for column, count in of_turned.items() if count == all_of[column] and SPAN not in column}


def _steady(past: Mapping[str, Sequence[tuple[float, int]]], name: str) -> bool:
    before = past.get(name, ())
    if len(before) < _LEAST_WINDOWS:
        return False
    strengths = np.array([_z(strength) for strength, _ in before])
    errors = np.array([_error(rows) for _, rows in before])
    beyond = np.abs(strengths) >= np.maximum(_STEADY * errors, _LEAST_STEADY)
    return bool(beyond.all() and np.abs(np.sign(strengths).sum()) == strengths.size)


def _now(before: Sequence[tuple[float, int]], now: tuple[float, int]) -> tuple[float, float] | None:
    """The weakest z before and the one of now; None where there are too few rows now to say a sign."""
    weakest = min((_z(strength) for strength, _ in before), key=abs)
    strength, rows = now
    return (weakest, _z(strength)) if _error(rows) * _STEADY <= abs(weakest) else None


def _is_turned(before: float, now: float) -> bool:
    return before * now < 0 and abs(now) >= _TURNED * abs(before)


def _error(rows: int) -> float:
    return float(1 / np.sqrt(max(rows - 3, 1)))


def _z(strength: float) -> float:
    return float(np.arctanh(np.clip(strength, -0.995, 0.995)))
