"""Does one value take over a column? A default, a cap, a code for "missing", a clock cut to the hour look like that."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

_LEAST_ROWS = 20
_MANY_ROWS, _WINDOWS_OF_FEW = 200, 7
"""Of windows with fewer rows than many, so many of them say what is common."""
_MORE, _MORE_OF_FEW, _TIMES = 0.15, 0.4, 2.0
"""A value takes over when its share is above `_MORE + _TIMES * before`: what is common anyway (no rain) varies."""
_HARDLY_ANY, _OF_HARDLY_ANY, _TIMES_HARDLY_ANY, _LEAST_WINDOWS = 0.01, 0.04, 8.0, 3
"""Where hardly any two rows ever had one value, one in fewer of them is a default."""


@dataclass(frozen=True)
class Pile:
    """The commonest value of a column: rows with any value, the value as text, its share of them."""

    rows: int
    value: str
    share: float


def pile_of(values: pl.Series) -> Pile | None:
    """The commonest value of numbers; of instants, the commonest minute of the hour. None for too few rows."""
    known = values.drop_nulls()
    if known.dtype == pl.Datetime:
        known = known.dt.minute()
    if known.len() < _LEAST_ROWS:
        return None
    counts = known.alias("value").value_counts(name="rows").sort("rows", "value", descending=[True, False])
    value, rows = counts.row(0)
    return Pile(known.len(), f"{value:g}", rows / known.len())


def taken_over(past: Sequence[Pile], window: Pile) -> float | None:
    """The largest share any value had before, where the window's commonest goes far beyond it; else None."""
    many = window.rows >= _MANY_ROWS
    if len(past) < (1 if many else _WINDOWS_OF_FEW):
        return None
    before = max(pile.share for pile in past)
    least = (_MORE if many else _MORE_OF_FEW) + _TIMES * before
    if many and before <= _HARDLY_ANY and len(past) >= _LEAST_WINDOWS and min(pile.rows for pile in past) >= _MANY_ROWS:
        least = _OF_HARDLY_ANY + _TIMES_HARDLY_ANY * before
    return before if window.share > least else None
