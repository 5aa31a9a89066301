"""Bins of one column by what the reference holds: quantiles, frequent values, rare, new and missing ones.

Bins that both sides shape (equal widths over both) let one absurd value hide a shift. Here the reference alone shapes
them, and the rows of now are only counted: so its bins can be kept in place of its rows.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from airloop.records import Record

Floats = npt.NDArray[np.float64]

_QUANTILES = 10
_FEWEST_QUANTILES = 3
_FREQUENT_NUMBER = 1 / _QUANTILES
_FREQUENT_CATEGORY = 0.01
_ROWS_OF_A_BIN = 25
MOSTLY_UNSEEN = 0.5
"""From this `unseen_share` on, values are those of an id: they are not compared."""


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


@dataclass(frozen=True)
class Numbers(Record):
    """Bins of a reference's numbers.

    Attributes:
        rows: Of the reference, with a value or without.
        frequent: Values with a bin of their own, ascending.
        edges: Ascending bounds of the bins `(edge, next edge]` of the others; empty where there are none.
        then: Rows of the reference by bin: the frequent values, below the edges, between them, above, missing.
    """

    rows: int
    frequent: tuple[float, ...]
    edges: tuple[float, ...]
    then: tuple[float, ...]

    @property
    def values(self) -> int:
        """Rows of the reference that hold a value."""
        return self.rows - int(self.then[-1])

    def beside(self, now: pd.Series) -> Binned:
        """The rows of now, counted by these bins."""
        values = _finite(now)
        inside = _count_numbers(values, np.array(self.frequent), np.array(self.edges))
        return Binned(np.array(self.then), np.append(inside, len(now) - len(values)), (self.values, len(values)))


def numbers(then: pd.Series) -> Numbers:
    """Bins of numbers: each frequent value alone, quantiles of the others, beyond the reference's range, missing.

    A value of at least 10 % of the reference's values has a bin of its own, so that a constant, a flag and the zeros of
    a mostly empty column are compared as what they are. The others are cut at their quantiles, about 10 % of values
    a bin. What is not finite counts as missing.
    """
    finite = _finite(then)
    values, rows = np.unique(finite, return_counts=True)
    frequent = values[rows >= _FREQUENT_NUMBER * max(len(finite), 1)]
    edges = _edges(finite[~np.isin(finite, frequent)], len(finite))
    counted = np.append(_count_numbers(finite, frequent, edges), len(then) - len(finite))
    return Numbers(len(then), *(tuple(column.tolist()) for column in (frequent, edges, counted)))


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


@dataclass(frozen=True)
class Categories(Record):
    """Bins of a reference's categories.

    Attributes:
        rows: Of the reference, with a value or without; `values` of them hold one.
        frequent: Categories with a bin of their own, and the rows of each.
        rarer: The other categories that the reference has met; left out where most values occur once.
        unseen_share: See Binned.
    """

    rows: int
    values: int
    frequent: tuple[str | bool, ...]
    frequent_rows: tuple[int, ...]
    rarer: tuple[str | bool, ...]
    unseen_share: float

    def beside(self, now: pd.Series) -> Binned:
        """The rows of now, counted by these bins."""
        shown = now.dropna().value_counts().to_dict()
        known, count = {*self.frequent, *self.rarer}, sum(shown.values())
        new = sum(rows for name, rows in shown.items() if name not in known)
        by_name = [shown.get(name, 0) for name in self.frequent]
        counted = np.array([*by_name, count - sum(by_name) - new, new, len(now) - count], dtype=np.float64)
        rare = self.values - sum(self.frequent_rows)
        then = np.array([*self.frequent_rows, rare, 0, self.rows - self.values], dtype=np.float64)
        then[:-2] *= 1 - self.unseen_share
        then[-2] = self.unseen_share * self.values
        return Binned(then, counted, (self.values, count), self.unseen_share, new / count if count else 0.0)


def categories(then: pd.Series) -> Categories:
    """Bins of categories: each of at least 1 % of the reference, the rarer ones together, new ones, missing."""
    known = then.dropna().value_counts()
    count = int(known.sum())
    often = known >= max(_FREQUENT_CATEGORY * count, _ROWS_OF_A_BIN)
    unseen = float((known == 1).sum() / count) if count else 0.0
    frequent: dict[Any, int] = known[often].to_dict()
    rarer: dict[Any, int] = {} if unseen >= MOSTLY_UNSEEN else known[~often].to_dict()
    return Categories(len(then), count, tuple(frequent), tuple(frequent.values()), tuple(rarer), unseen)


Bins = Numbers | Categories
