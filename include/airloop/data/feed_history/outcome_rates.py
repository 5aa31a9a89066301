"""Are outcomes as frequent as they were? Of few values the share of each, of numbers the share above old quantiles.

A rate has a season and bad days. So it is held against the windows before it, day by day: it has left its history when
its odds lie far beyond those of every window, and beyond what the days of the past differ by.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from airloop.data.feed_history.blocks import PROBABILITIES, Block, Floats, counted

_MOST_VALUES = 20
_LEAST_ROWS, _LEAST_OF_RATE = 50, 20
_ODDS_RATIO, _ODDS_RATIO_OF_NUMBERS = 4.0, 6.0
"""How many times the odds of every window before; of a number, whose share above a bound moves with any shift, more."""
_ODDS_RATIO_OF_A_DAY, _SEVERAL_DAYS = 8.0, 5
_LEAST_WINDOWS = 2
_DEVIATIONS = 3.0
_QUARTERS = (3, 4, 5)
"""Their places in PROBABILITIES."""


@dataclass(frozen=True)
class Rate:
    """A share of the rows: of a value, or of values above a bound; `observed` now, `lowest` to `highest` before."""

    of: str
    observed: float
    lowest: float
    highest: float


def counts_by_value(values: pl.Series, days: pl.Series, blocks: Sequence[Block]) -> dict[str, tuple[int, ...]]:
    """Rows by block of each value of a column that has few; empty for a column of many."""
    known = values.drop_nulls()
    if not known.len() or known.n_unique() > _MOST_VALUES:
        return {}
    texts = values.cast(pl.String)
    different = texts.drop_nulls().unique().sort()
    return {str(value): counted((texts == value).fill_null(value=False), days, blocks) for value in different}


def of_values(past: Sequence[Mapping[str, Sequence[int]]], window: Mapping[str, Sequence[int]]) -> Rate | None:
    """The rate that has left its history, of a column with few values.

    Args:
        past: Value -> rows by block, of earlier windows, oldest first.
    """
    earlier = [item for item in past if item]
    for value in dict.fromkeys([*window, *(value for item in earlier for value in item)]):
        now = _share(window, value)
        before = [_share(item, value) for item in earlier]
        if found := _outside(f"{value!r}", now, before, ratio=_ODDS_RATIO):
            return found
    return None


def of_numbers(past: Sequence[Sequence[Block]], window: Sequence[Block], column: str) -> Rate | None:
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
        before = [_above(numbers, cut) for numbers in earlier]
        found = _outside(f"above {cut:.4g}", _above(now, cut), before, ratio=_ODDS_RATIO_OF_NUMBERS)
        if found:
            return found
    return None


@dataclass(frozen=True)
class _Share:
    """Rows, and the share of them, with the share's standard error: rows of a day are not independent."""

    rows: int
    share: float
    error: float
    days: int

    @property
    def logit(self) -> float:
        count = self.share * self.rows
        return float(np.log((count + 0.5) / (self.rows - count + 0.5)))


def _share(rates: Mapping[str, Sequence[int]], value: str) -> _Share:
    rows = np.sum([np.asarray(counts) for counts in rates.values()], axis=0)
    with_value = np.asarray(rates.get(value, np.zeros_like(rows)))
    return _of_days(with_value.astype(np.float64), rows.astype(np.float64))


def _above(numbers: Sequence[tuple[int, Floats]], cut: float) -> _Share:
    rows = np.array([count for count, _ in numbers], dtype=np.float64)
    shares = [1 - np.interp(cut, quantiles, PROBABILITIES, left=0.0, right=1.0) for _, quantiles in numbers]
    return _of_days(rows * np.array(shares), rows)


def _of_days(having: Floats, rows: Floats) -> _Share:
    total = float(rows.sum())
    share = float(having.sum()) / total if total else 0.0
    error = float(np.sqrt(((having - share * rows) ** 2).sum())) / total if total else 1.0
    return _Share(int(total), share, max(error, float(np.sqrt(share * (1 - share) / max(total, 1.0)))), rows.size)


def _outside(of: str, now: _Share, before: Sequence[_Share], *, ratio: float) -> Rate | None:
    known = [item for item in before if item.rows >= _LEAST_ROWS]
    if len(known) < _LEAST_WINDOWS or now.rows < _LEAST_ROWS:
        return None
    shares, logits = [item.share for item in known], np.array([item.logit for item in known])
    largest, smallest = max(now.share, *shares), min(now.share, *shares)
    if min(largest, 1 - smallest) * now.rows < _LEAST_OF_RATE:
        return None
    least = ratio if now.days >= _SEVERAL_DAYS else max(ratio, _ODDS_RATIO_OF_A_DAY)
    allowed = max(float(np.log(least)), _DEVIATIONS * float(logits.std()))
    # Of few days a bad one is seen: the day-by-day interval of the window has to lie outside, too.
    interval = 2 * now.error
    up = now.logit > logits.max() + allowed and now.share - interval > max(shares)
    down = now.logit < logits.min() - allowed and now.share + interval < min(shares)
    return Rate(of, now.share, min(shares), max(shares)) if up or down else None


def _numbers(blocks: Sequence[Block], column: str) -> list[tuple[int, Floats]]:
    known = [block.numbers[column] for block in blocks if column in block.numbers]
    return [(item.count, np.array(item.quantiles)) for item in known]
