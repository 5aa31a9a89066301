"""Are outcomes as frequent as they were? Of few values the share of each, of numbers the share above old quantiles.

A rate has a season and bad days. So it is held against the windows before it, day by day: it has left its history when
its odds lie far beyond those of every window, beyond what the days of the past differ by, and further from the last
window than windows beside each other ever lay. Rows of one day that say the same are counted as fewer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from airloop.data.feed_history.blocks import PROBABILITIES, Block, Floats, counted

MOST_VALUES = 20
"""A column with more different values is one of numbers, or has no rates."""
_LEAST_ROWS, _LEAST_OF_RATE = 50, 20
_ODDS_RATIO, _ODDS_RATIO_OF_NUMBERS = 4.0, 6.0
"""How many times the odds of every window before; of a number, whose share above a bound moves with any shift, more."""
_ODDS_RATIO_OF_A_DAY, _SEVERAL_DAYS = 8.0, 5
_SEVERAL_WEEKS = 21
_LEAST_WINDOWS = 3
_NEARLY_ALL = 0.9
_LEAST_INDEPENDENT = 8
_DEVIATIONS = 3.0
_ERRORS = 3.0
_STEPS, _LEAST_STEPS = 1.5, 3
"""A rate may go on as it went: so many times the largest step between neighbouring windows, of which some are known."""
_LONE = 0.25
_QUARTERS = (3, 4, 5)
"""Their places in PROBABILITIES."""


@dataclass(frozen=True)
class Rate:
    """A share of the rows: of a value, or of values above a bound; `observed` now, `lowest` to `highest` before.

    Attributes:
        value: The value as text, or the bound.
        independent: Rows that say as much as all of the window's, of which those of a day may be alike.
    """

    value: str | float
    observed: float
    lowest: float
    highest: float
    independent: float

    @property
    def of(self) -> str:
        """The value or the bound in words."""
        return f"above {self.value:.4g}" if isinstance(self.value, float) else f"{self.value!r}"

    def has(self, value: object) -> bool:
        """Whether a row's outcome is one of those."""
        if isinstance(self.value, float):
            return isinstance(value, float) and value > self.value
        return value == self.value


def counts_by_value(values: pl.Series, days: pl.Series, blocks: Sequence[Block]) -> dict[str, tuple[int, ...]]:
    """Rows by block of each value of a column that has few; empty for a column of many."""
    known = values.drop_nulls()
    if not known.len() or known.n_unique() > MOST_VALUES:
        return {}
    texts = values.cast(pl.String)
    different = texts.drop_nulls().unique().sort()
    return {str(value): counted((texts == value).fill_null(value=False), days, blocks) for value in different}


def clumping(values: pl.Series, days: pl.Series) -> float | None:
    """How many times more spells differ than rows by chance would (a design effect), at least 1; None for a few days.

    A spell is a week, as a dry day is followed by another, or a day where there are not three weeks. Of few values
    each is counted, of numbers those above the median.
    """
    known = pl.DataFrame({"day": days, "value": values}).drop_nulls()
    if known["day"].n_unique() < _SEVERAL_DAYS:
        return None
    if known["day"].n_unique() >= _SEVERAL_WEEKS:
        first = known["day"].min()
        known = known.with_columns((pl.col("day") - first).dt.total_days() // 7)
    if known["value"].n_unique() > MOST_VALUES:
        known = known.with_columns(pl.col("value") > pl.col("value").median())
    rows = known.group_by("day").len("rows")
    counts = known.group_by("day", "value").len("count")
    apart, expected = 0.0, 0.0
    for value in known["value"].unique():
        of_value = counts.filter(pl.col("value") == value).select("day", "count")
        both = rows.join(of_value, on="day", how="left").fill_null(0)
        share = float(both["count"].sum()) / known.height
        apart += float(((both["count"] - share * both["rows"]) ** 2).sum())
        expected += share * (1 - share) * known.height
    return max(1.0, round(apart / expected, 3)) if expected else None


def of_values(
    past: Sequence[Mapping[str, Sequence[int]]], window: Mapping[str, Sequence[int]], *, clumped: float = 1.0
) -> Rate | None:
    """The rate that has left its history, of a column with few values.

    Args:
        past: Value -> rows by block, of earlier windows, oldest first.
        clumped: See `clumping`; of the windows before.
    """
    earlier = [item for item in past if item]
    for value in dict.fromkeys([*window, *(value for item in earlier for value in item)]):
        now = _share(window, value, clumped)
        before = [_share(item, value, clumped) for item in earlier]
        if rate := _outside(value, now, before, ratio=_ODDS_RATIO):
            return rate
    return None


def of_numbers(
    past: Sequence[Sequence[Block]], window: Sequence[Block], column: str, *, clumped: float = 1.0
) -> Rate | None:
    """The rate that has left its history, of a column of numbers: the share above a quantile of the past."""
    earlier = [numbers for blocks in past if (numbers := _numbers(blocks, column))]
    now = _numbers(window, column)
    if not earlier or not now:
        return None
    pooled = np.average(
        [quantiles for numbers in earlier for _, quantiles in numbers],
        axis=0,
        weights=[count for numbers in earlier for count, _ in numbers],
    )
    for place in _QUARTERS:
        cut = float(pooled[place])
        before = [_above(numbers, cut, clumped) for numbers in earlier]
        rate = _outside(cut, _above(now, cut, clumped), before, ratio=_ODDS_RATIO_OF_NUMBERS)
        if rate:
            return rate
    return None


@dataclass(frozen=True)
class _Share:
    """Rows, as many of them as say something of their own, and a share with its standard error, days being unlike."""

    rows: int
    independent: float
    share: float
    error: float
    days: int

    @property
    def logit(self) -> float:
        count = self.share * self.independent
        return float(np.log((count + 0.5) / (self.independent - count + 0.5)))


def _share(rates: Mapping[str, Sequence[int]], value: str, clumped: float) -> _Share:
    rows = np.sum([np.asarray(counts) for counts in rates.values()], axis=0)
    with_value = np.asarray(rates.get(value, np.zeros_like(rows)))
    return _of_days(with_value.astype(np.float64), rows.astype(np.float64), clumped)


def _above(numbers: Sequence[tuple[int, Floats]], cut: float, clumped: float) -> _Share:
    rows = np.array([count for count, _ in numbers], dtype=np.float64)
    shares = [1 - np.interp(cut, quantiles, PROBABILITIES, left=0.0, right=1.0) for _, quantiles in numbers]
    return _of_days(rows * np.array(shares), rows, clumped)


def _of_days(having: Floats, rows: Floats, clumped: float) -> _Share:
    total = float(rows.sum())
    share = float(having.sum()) / total if total else 0.0
    error = float(np.sqrt(((having - share * rows) ** 2).sum())) / total if total else 1.0
    independent = total / max(clumped, 1.0)
    by_chance = float(np.sqrt(share * (1 - share) / max(independent, 1.0)))
    return _Share(int(total), independent, share, max(error, by_chance), rows.size)


def _outside(value: str | float, now: _Share, before: Sequence[_Share], *, ratio: float) -> Rate | None:
    known = _without_lone(now.share, [item for item in before if item.rows >= _LEAST_ROWS])
    if len(known) < _LEAST_WINDOWS or now.rows < _LEAST_ROWS:
        return None
    shares, logits = [item.share for item in known], np.array([item.logit for item in known])
    largest, smallest = max(now.share, *shares), min(now.share, *shares)
    of_rate = min(largest, 1 - smallest)
    if of_rate * now.rows < _LEAST_OF_RATE or of_rate * now.independent < _LEAST_INDEPENDENT:
        return None
    least = ratio if now.days >= _SEVERAL_DAYS else max(ratio, _ODDS_RATIO_OF_A_DAY)
    allowed = max(float(np.log(least)), _DEVIATIONS * float(logits.std()))
    # Of few days a bad one is seen: the difference has to lie outside of what such days make of one share, too.
    highest, lowest = max(known, key=lambda item: item.share), min(known, key=lambda item: item.share)
    up = now.logit > logits.max() + allowed and now.share - highest.share > _apart(now, highest)
    down = now.logit < logits.min() - allowed and lowest.share - now.share > _apart(now, lowest)
    # What never was in any window, and now is in some rows, has no history to leave.
    begins = max(shares) == 0.0 and now.share < _NEARLY_ALL
    ends = min(shares) == 1.0 and now.share > 1 - _NEARLY_ALL
    if not (up or down) or begins or ends or _goes_on(logits, now.logit):
        return None
    return Rate(value, now.share, min(shares), max(shares), now.independent)


def _without_lone(share: float, before: list[_Share]) -> list[_Share]:
    """The windows to hold a rate of 0 or 1 against: one such window among others is not a reason to expect it again.

    What the last window had may go on, and what a quarter of the windows had comes back.
    """
    others = [item for item in before if item.share != share]
    lone = share in (0.0, 1.0) and len(before) - len(others) <= _LONE * len(before)
    return others if lone and before and before[-1].share != share else before


def _apart(now: _Share, before: _Share) -> float:
    """By how much two shares of so few independent rows may differ."""
    by_chance = float(np.sqrt(before.share * (1 - before.share) / max(now.independent, 1.0)))
    return max(2 * now.error, _ERRORS * by_chance)


def _goes_on(before: Floats, now: float) -> bool:
    steps = np.abs(np.diff(before))
    return steps.size >= _LEAST_STEPS and abs(now - before[-1]) <= _STEPS * float(steps.max())


def _numbers(blocks: Sequence[Block], column: str) -> list[tuple[int, Floats]]:
    known = [block.numbers[column] for block in blocks if column in block.numbers]
    return [(item.count, np.array(item.quantiles)) for item in known]
