"""Bins of one column by what the reference holds: quantiles, frequent values, rare, new and missing ones.

Bins that both sides shape (equal widths over both) let one absurd value hide a shift. Here the reference alone shapes
them: the rows of now are only counted.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

_QUANTILES = 10
_FEWEST_QUANTILES = 3
_FREQUENT_NUMBER = 1 / _QUANTILES
_FREQUENT_CATEGORY = 0.01
_ROWS_OF_A_BIN = 25


@dataclass(frozen=True)
class Binned:
    """Rows of either side by bin; both arrays have the same length.

    Attributes:
        then: Rows of the reference. The bin of new categories holds what is expected there: see `unseen_share`.
        now: Rows of now.
        values: Rows that hold a value, then and now.
        unseen_share: Of categories: the share of further rows whose category the reference has not met, expected
            without any change: the categories that occur once, as a share of rows (Good 1953). 0 of numbers.
        new_share: Of categories: the share of values now that the reference has not met. 0 of numbers.
    """

    then: Floats
    now: Floats
    values: tuple[int, int]
    unseen_share: float = 0.0
    new_share: float = 0.0

    @property
    def missing_shares(self) -> tuple[float, float]:
        """Share of rows without a value, then and now; the last bin is theirs. There has to be a row on either side."""
        return float(self.then[-1] / self.then.sum()), float(self.now[-1] / self.now.sum())

    def of_presence(self) -> "Binned":
        """Two bins alone: rows with a value, rows without."""
        then, now = (np.array([rows[:-1].sum(), rows[-1]]) for rows in (self.then, self.now))
        return Binned(then, now, self.values)


def numbers(then: pd.Series, now: pd.Series) -> Binned:
    """Bins of numbers: each frequent value alone, quantiles of the others, beyond the reference's range, missing.

    A value of at least 10 % of the reference's values has a bin of its own, so that a constant, a flag and the zeros of
    a mostly empty column are compared as what they are. The others are cut at their quantiles, about 10 % of values
    a bin. What is not finite counts as missing.
    """
    sides = [_finite(column) for column in (then, now)]
    values, rows = np.unique(sides[0], return_counts=True)
    frequent = values[rows >= _FREQUENT_NUMBER * max(len(sides[0]), 1)]
    edges = _edges(sides[0][~np.isin(sides[0], frequent)], len(sides[0]))
    counts = [
        np.append(_count_numbers(side, frequent, edges), len(column) - len(side))
        for side, column in zip(sides, (then, now), strict=True)
    ]
    return Binned(counts[0], counts[1], (len(sides[0]), len(sides[1])))


def _finite(column: pd.Series) -> Floats:
    values: Floats = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    finite: Floats = values[np.isfinite(values)]
    return finite


def _edges(others: Floats, count: int) -> Floats:
    """Ascending bounds of the bins `(edge, next edge]`; the first lies just below the smallest value."""
    if not others.size:
        return np.empty(0)
    quantiles_of_rows = max(round(_QUANTILES * others.size / count), _FEWEST_QUANTILES)
    pieces = max(min(quantiles_of_rows, others.size // _ROWS_OF_A_BIN), 1)
    upper = np.unique(np.quantile(others, np.arange(1, pieces + 1) / pieces, method="higher"))
    return np.insert(upper, 0, np.nextafter(others.min(), -np.inf))


def _count_numbers(values: Floats, frequent: Floats, edges: Floats) -> Floats:
    others = values[~np.isin(values, frequent)]
    counts = [np.count_nonzero(values == value) for value in frequent]
    inside = np.bincount(np.searchsorted(edges, others, side="left"), minlength=edges.size + 1)
    return np.array([*counts, *inside], dtype=np.float64)


def categories(then: pd.Series, now: pd.Series) -> Binned:
    """Bins of categories: each of at least 1 % of the reference, the rarer ones together, new ones, missing."""
    sides = [column.dropna() for column in (then, now)]
    known = sides[0].value_counts()
    count = len(sides[0])
    frequent = known[known >= max(_FREQUENT_CATEGORY * count, _ROWS_OF_A_BIN)].index
    unseen = float((known == 1).sum() / count) if count else 0.0
    counts = []
    for side, column in zip(sides, (then, now), strict=True):
        shown = side.value_counts()
        by_name = shown.reindex(frequent, fill_value=0)
        new = shown[~shown.index.isin(known.index)].sum()
        rare = len(side) - by_name.sum() - new
        counts.append(np.array([*by_name, rare, new, len(column) - len(side)], dtype=np.float64))
    new_share = float(counts[1][-2] / len(sides[1])) if len(sides[1]) else 0.0
    counts[0][:-2] *= 1 - unseen
    counts[0][-2] = unseen * count
    return Binned(counts[0], counts[1], (count, len(sides[1])), unseen, new_share)
