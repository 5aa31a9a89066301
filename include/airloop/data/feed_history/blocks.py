"""Blocks: a window's rows by local day, each column's values as nine quantiles, so that weeks of past fit in a page."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]

PROBABILITIES = (0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98)
"""A block's values are kept as their quantiles at these."""

LEAST_ROWS = 50
"""Days with fewer rows are one block with the day after them."""

_DIGITS = 7


@dataclass(frozen=True)
class Numbers:
    """The finite values of a column in a block.

    Attributes:
        count: How many there are.
        whole: Whether all of them are whole numbers: then a back-converted value is off by up to half a unit.
        quantiles: At PROBABILITIES, ascending.
    """

    count: int
    whole: bool
    quantiles: tuple[float, ...]

    @classmethod
    def of(cls, values: Floats) -> "Numbers":
        """The quantiles of at least one finite value."""
        quantiles = _quantiles(np.sort(values))
        rounded = tuple(float(f"{value:.{_DIGITS}g}") for value in quantiles)
        return cls(values.size, bool((values == np.round(values)).all()), rounded)


def _quantiles(ascending: Floats) -> Floats:
    """What np.quantile gives, without its half millisecond for each call."""
    places = np.array(PROBABILITIES) * (ascending.size - 1)
    below = places.astype(np.int64)
    above = np.minimum(below + 1, ascending.size - 1)
    between: Floats = ascending[below] + (places - below) * (ascending[above] - ascending[below])
    return between


@dataclass(frozen=True)
class Block:
    """Some local days of a window that follow each other.

    Attributes:
        day: The first of them, like 2013-04-01.
        last_day: The last of them.
        rows: Rows of the block.
        numbers: Column -> its values; a column without a finite value is left out.
    """

    day: str
    last_day: str
    rows: int
    numbers: dict[str, Numbers]

    def to_json(self) -> list[Any]:
        """The block as JSON-able values, short."""
        numbers = {name: [item.count, int(item.whole), *item.quantiles] for name, item in self.numbers.items()}
        return [self.day, self.last_day, self.rows, numbers]

    @classmethod
    def from_json(cls, data: Sequence[Any]) -> "Block":
        """Read what `to_json` wrote."""
        day, last_day, rows, numbers = data
        return cls(day, last_day, rows, {name: Numbers(n, bool(w), tuple(q)) for name, (n, w, *q) in numbers.items()})


def split(rows: pl.DataFrame, days: pl.Series, columns: Sequence[str]) -> tuple[Block, ...]:
    """Rows by local day, in its order; a window of several days has no block of a few rows.

    Args:
        days: The local day of each row (pl.Date, no nulls).
        columns: Numeric columns.
    """
    order = np.argsort(days.to_physical().to_numpy(), kind="stable")
    dated = days.cast(pl.String).to_numpy()[order]
    values = {name: rows[name].cast(pl.Float64).fill_null(np.nan).to_numpy()[order] for name in columns}
    return tuple(_block(dated[start:end], values, slice(start, end)) for start, end in _stretches(dated))


def counted(flags: pl.Series, days: pl.Series, blocks: Sequence[Block]) -> tuple[int, ...]:
    """How many rows of each block have a flag set."""
    flagged = dict(days.filter(flags).cast(pl.String).value_counts().iter_rows())
    return tuple(sum(n for day, n in flagged.items() if block.day <= day <= block.last_day) for block in blocks)


def _stretches(days: npt.NDArray[Any]) -> Iterator[tuple[int, int]]:
    """Positions of whole days of at least LEAST_ROWS rows together; what is left joins the last."""
    ends = [*(np.flatnonzero(days[1:] != days[:-1]) + 1), days.size] if days.size else []
    cuts = [0]
    for end in ends:
        if end - cuts[-1] >= LEAST_ROWS:
            cuts.append(int(end))
    if cuts[-1] != days.size:
        cuts[max(1, len(cuts) - 1) :] = [days.size]
    yield from itertools.pairwise(cuts)


def _block(days: npt.NDArray[Any], values: Mapping[str, Floats], rows: slice) -> Block:
    finite = {name: column[rows][np.isfinite(column[rows])] for name, column in values.items()}
    numbers = {name: Numbers.of(column) for name, column in finite.items() if column.size}
    return Block(str(days[0]), str(days[-1]), days.size, numbers)
