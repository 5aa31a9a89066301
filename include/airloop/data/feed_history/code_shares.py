"""Codes and flags: columns of few values. Is only one of them left, or has a pair changed places?

A flag that was turned round is as often true as it was false, and a code that hangs has one value in all rows: both
keep every value a known one. Judged are only columns whose rows do not come in spells, as it rains in a dry month on
no day, and a front turns the shares of the sky's states round.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl

from airloop.data.feed_history import outcome_rates
from airloop.data.feed_history.blocks import Floats

_LEAST_WINDOWS = 3
_LEAST_ROWS, _LEAST_OF_A_VALUE = 100, 20
_MOST_CLUMPED = 4.0
_LEAST_OTHERS = 0.05
_APART, _STEADY = 2.0, 4.0
"""A pair is apart when the odds of the commoner value are so many times those of the other, in every window, and their
logits differ by so many times what either's did among the windows."""
_SLACK, _SLACK_OF_GAP = 2.0, 0.2
"""Odds lie within what was before up to this factor, or up to a part of the gap of the pair."""
_SHORT_WINDOWS, _LEAST_ROWS_OF_SHORT = 7, 50
_FAR, _NEAR = 5.0, 2.5
"""Of windows of a few days, whose spells only other windows show: how far from its own share a value lies, and how near
to that of the other one, in what either's share moves from window to window."""


@dataclass(frozen=True)
class Codes:
    """The values of a column that has few, with their rows.

    Attributes:
        clumped: As `outcome_rates.clumping` measures it; None of few days, which do not show their spells.
    """

    clumped: float | None
    rows: dict[str, int]

    @property
    def total(self) -> int:
        """Rows with a value."""
        return sum(self.rows.values())

    def share(self, value: str) -> float:
        """The share of the rows that have it."""
        return self.rows.get(value, 0) / self.total


def codes_of(values: pl.Series, days: pl.Series) -> Codes | None:
    """The codes of a column; None where it has many values, or too few rows."""
    known = values.drop_nulls()
    if known.len() < _LEAST_ROWS_OF_SHORT or known.n_unique() > outcome_rates.MOST_VALUES:
        return None
    # A constant has no spells.
    clumped = 1.0 if known.n_unique() == 1 else outcome_rates.clumping(values, days)
    counts = known.cast(pl.String).value_counts(name="rows")
    return Codes(clumped, dict(counts.sort("rows", values.name, descending=[True, False]).iter_rows()))


def one_left(past: Sequence[Codes], window: Codes) -> tuple[str, float] | None:
    """The value that all rows have, and the least share that others had in every window before; else None."""
    clumped = _clumped(past)
    if len(window.rows) > 1 or not _judged(past) or clumped is None or clumped > _MOST_CLUMPED:
        return None
    (value,) = window.rows
    others = min(1 - codes.share(value) for codes in past)
    return (value, others) if others >= _LEAST_OTHERS and others * window.total >= _LEAST_OF_A_VALUE * clumped else None


def changed_places(past: Sequence[Codes], window: Codes) -> tuple[str, str] | None:
    """(the value that was the commoner, the one that is now), each as frequent as the other was; else None."""
    if not _judged(past):
        return None
    if window.clumped is None:
        return _exchanged_of_short(past, window)
    if window.clumped > _MOST_CLUMPED or max(codes.clumped or 1.0 for codes in past) > _MOST_CLUMPED:
        return None
    if min(codes.total for codes in (*past, window)) < _LEAST_ROWS:
        return None
    always = sorted(set.intersection(*(set(codes.rows) for codes in (*past, window))))
    for one, other in combinations(always, 2):
        first, second = _logits(past, one), _logits(past, other)
        common, rare = (one, other) if first.mean() > second.mean() else (other, one)
        high, low = (first, second) if common == one else (second, first)
        seldom = min(codes.rows[rare] for codes in (*past, window)), window.rows[common]
        gap = float(high.min() - low.max())
        if min(seldom) < _LEAST_OF_A_VALUE or gap < max(np.log(_APART), _STEADY * max(np.ptp(high), np.ptp(low))):
            continue
        slack = min(float(np.log(_SLACK)), _SLACK_OF_GAP * gap)
        if _within(_logit(window.share(rare)), high, slack) and _within(_logit(window.share(common)), low, slack):
            return common, rare
    return None


def _judged(past: Sequence[Codes]) -> bool:
    short = any(codes.clumped is None for codes in past)
    several = len(past) >= (_SHORT_WINDOWS if short else _LEAST_WINDOWS)
    return several and all(len(codes.rows) > 1 for codes in past)


def _clumped(past: Sequence[Codes]) -> float | None:
    """The most that rows of a window were alike; of short windows, how much more they differ than by chance."""
    known = [codes.clumped for codes in past]
    if None not in known:
        return max((item for item in known if item is not None), default=None)
    totals = np.array([codes.total for codes in past], dtype=float)
    apart = expected = 0.0
    for value in {value for codes in past for value in codes.rows}:
        rows = np.array([codes.rows.get(value, 0) for codes in past], dtype=float)
        share = rows.sum() / totals.sum()
        apart += float(((rows - share * totals) ** 2).sum())
        expected += float(share * (1 - share) * totals.sum())
    return max(1.0, apart / expected) if expected else None


def _exchanged_of_short(past: Sequence[Codes], window: Codes) -> tuple[str, str] | None:
    """As `changed_places`, by what the shares moved from window to window: a day has too few rows for their odds."""
    always = sorted(set.intersection(*(set(codes.rows) for codes in past)) & set(window.rows))
    for one, other in combinations(always, 2):
        shares = np.array([[codes.share(value) for value in (one, other)] for codes in past])
        middle, now = shares.mean(axis=0), np.array([window.share(one), window.share(other)])
        usual = np.maximum(shares.std(axis=0, ddof=1), np.sqrt(middle * (1 - middle) / window.total))
        far, near = np.abs(now - middle) / usual, np.abs(now - middle[::-1]) / usual[::-1]
        beyond = (now < shares.min(axis=0)) | (now > shares.max(axis=0))
        if far.min() >= _FAR and near.max() <= _NEAR and beyond.all():
            return (one, other) if middle[0] > middle[1] else (other, one)
    return None


def _logits(past: Sequence[Codes], value: str) -> Floats:
    return np.array([_logit(codes.share(value)) for codes in past])


def _logit(share: float) -> float:
    inside = min(max(share, 1e-6), 1 - 1e-6)
    return float(np.log(inside / (1 - inside)))


def _within(now: float, before: Floats, slack: float) -> bool:
    return bool(before.min() - slack <= now <= before.max() + slack)


def to_json(codes: Mapping[str, Codes]) -> dict[str, list[object]]:
    """As JSON-able values."""
    return {name: [item.clumped, item.rows] for name, item in codes.items()}
