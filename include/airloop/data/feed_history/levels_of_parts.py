"""Does one place write another unit? Its values against those of all other places, as they are and once it is undone.

A season moves all places, so the quartiles of each name of a text column (a shop, a station) are held against those of
the other rows, in widths of these. How much that moves from window to window is measured on the past; a conversion is
named only where the place lies far outside of that and, undone, inside. What far_values or the grid of the values see
is seen without this: here are amounts of any value, and factors near one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from airloop.data.feed_history.blocks import Floats
from airloop.data.feed_history.conversions import Conversion

WHERE = " where "
"""Between a column of numbers and the text column whose names are its parts."""

_FEWEST, _MOST, _MOST_TEXTS, _MOST_NUMBERS = 2, 12, 3, 12
_LEAST_ROWS, _LEAST_DIFFERENT, _MOST_ROWS = 40, 13, 10_000
_LEAST_WINDOWS = 4
_QUARTERS = (0.25, 0.5, 0.75)
_STRANGE, _EXPLAINED, _SHARE = 6.0, 2.0, 0.3
_FLOOR, _SAMPLING = 0.05, 1.3
_DIGITS = 6

Levels = Mapping[str, Sequence[float]]
"""Name -> its rows, its three quartiles, those of all other rows."""


@dataclass(frozen=True)
class PartConverted:
    """The name of a part, what was done to it, and its median now and by the other rows before."""

    name: str
    conversion: Conversion
    observed: float
    expected: float


def find(rows: pl.DataFrame, numbers: Sequence[str], texts: Sequence[str]) -> dict[str, dict[str, tuple[float, ...]]]:
    """`number where text` -> the levels of each name that has some rows."""
    rows = rows.gather_every(1 + rows.height // _MOST_ROWS)
    several = [name for name in texts if _FEWEST <= rows[name].drop_nulls().n_unique() <= _MOST][:_MOST_TEXTS]
    many = [name for name in numbers if rows[name].n_unique() >= _LEAST_DIFFERENT][:_MOST_NUMBERS]
    by_column: dict[str, dict[str, tuple[float, ...]]] = {}
    for text in several:
        places = {
            str(name): (rows[text] == name).fill_null(value=False).to_numpy()
            for name in rows[text].drop_nulls().unique()
        }
        for number in many:
            values = rows[number].cast(pl.Float64).fill_null(np.nan).to_numpy()
            known = np.isfinite(values)
            levels = {name: _levels(values[known & at], values[known & ~at]) for name, at in sorted(places.items())}
            if present := {name: item for name, item in levels.items() if item}:
                by_column[f"{number}{WHERE}{text}"] = present
    return by_column


def _levels(mine: Floats, others: Floats) -> tuple[float, ...]:
    if min(mine.size, others.size) < _LEAST_ROWS:
        return ()
    quartiles = [*np.quantile(mine, _QUARTERS), *np.quantile(others, _QUARTERS)]
    return (float(mine.size), *(float(f"{value:.{_DIGITS}g}") for value in quartiles))


def converted(past: Sequence[Levels], window: Levels, conversions: Sequence[Conversion]) -> PartConverted | None:
    """The name whose values look converted, the strangest of several; None where none does."""
    strangest = []
    for name, levels in window.items():
        before = [earlier[name] for earlier in past if name in earlier]
        if len(before) < _LEAST_WINDOWS:
            continue
        usual, spread = _usual(before, levels)
        strange = _size(_apart(levels), usual, spread)
        if strange < _STRANGE:
            continue
        fits = {item: _size(_apart(levels, item), usual, spread) for item in conversions}
        near = {item: distance for item, distance in fits.items() if distance <= min(_EXPLAINED, _SHARE * strange)}
        if near:
            best = min(near, key=lambda item: near[item])
            strangest.append(
                (strange, PartConverted(name, best, levels[2], float(best.undo(np.array([levels[2]]))[0])))
            )
    return max(strangest, key=lambda item: item[0])[1] if strangest else None


def _apart(levels: Sequence[float], undone: Conversion | None = None) -> Floats:
    """How far the three quartiles lie from those of the other rows, in their width."""
    mine, others = np.array(levels[1:4]), np.array(levels[4:7])
    if undone:
        mine = undone.undo_quantiles(mine)
    width = max(float(others[2] - others[0]), 1e-12)
    apart: Floats = (mine - others) / width
    return apart


def _usual(past: Sequence[Sequence[float]], levels: Sequence[float]) -> tuple[Floats, Floats]:
    apart = np.array([_apart(item) for item in past])
    sampling = _SAMPLING / np.sqrt(min(levels[0], *(item[0] for item in past)))
    return apart.mean(axis=0), np.hypot(apart.std(axis=0, ddof=1), _FLOOR + sampling)


def _size(apart: Floats, usual: Floats, spread: Floats) -> float:
    return float(np.sqrt((((apart - usual) / spread) ** 2).mean()))
