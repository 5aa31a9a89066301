"""Do a column's values lie on another grid than before? Measured values come in steps, and a conversion moves them.

A thermometer that gives tenths of a degree Celsius gives other decimals in Fahrenheit, whatever the season: where the
values of a new window are strangers and, with one conversion undone, old acquaintances, the unit changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from airloop.data.feed_history.conversions import Conversion

Floats = npt.NDArray[np.float64]

MOST_STEPS = 500
_ROWS_A_STEP = 4
_LEAST_ROWS = 50
_TOLERANCE = 5e-4
"""Relative: 1.609 and 1.609344 are the same conversion, 14 miles and 15 are not the same distance."""
_STRANGERS, _ACQUAINTED = 0.5, 0.85
_PART, _PART_TIMES, _PART_ACQUAINTED, _PART_WITHIN = 0.05, 4.0, 0.7, 0.3
"""A part of the rows was converted: so many strangers, so many times what is usual, of which so many are explained, and
so many lie on the grid's range once they are."""
_LEAST_WINDOWS = 2
_USUAL = 0.7
"""A grid on which fewer of the next window's values lie is not a grid."""


@dataclass(frozen=True)
class Grid:
    """The different values of a column in a window, ascending, with their rows; without zero, which no factor moves."""

    values: tuple[float, ...]
    rows: tuple[int, ...]


def grid_of(values: Floats) -> Grid | None:
    """The grid of finite values; None where they are nearly all different, or too few."""
    different, rows = np.unique(values[values != 0], return_counts=True)
    total = int(rows.sum())
    if total < _LEAST_ROWS or different.size > min(MOST_STEPS, total / _ROWS_A_STEP):
        return None
    return Grid(tuple(float(f"{value:.7g}") for value in different), tuple(int(count) for count in rows))


def find(
    past: Sequence[Grid], window: Grid, conversions: Sequence[Conversion]
) -> tuple[Conversion, float, float] | None:
    """The conversion that brings the window's values back onto the past's grid, the share there without and with it.

    Args:
        past: Grids of earlier windows; the more, the fewer values are strangers.
    """
    if not past:
        return None
    known = np.unique(np.concatenate([grid.values for grid in past]))
    values, rows = np.array(window.values), np.array(window.rows)
    without = _share_on(known, values, rows)
    # How well the newest window lay on the grid of those before it says what to expect of this one.
    usual = (
        _share_on(np.unique(np.concatenate([grid.values for grid in past[:-1]])), *_arrays(past[-1]))
        if past[1:]
        else 1.0
    )
    if usual < _USUAL or without > _STRANGERS * usual:
        return None
    shares: Mapping[Conversion, float] = {item: _share_on(known, item.undo(values), rows) for item in conversions}
    best = max(shares, key=lambda item: shares[item])
    return (best, without, shares[best]) if shares[best] >= _ACQUAINTED * usual else None


def find_part(
    past: Sequence[Grid], window: Grid, conversions: Sequence[Conversion]
) -> tuple[Conversion, float, float] | None:
    """The conversion that brings the strangers among the window's values onto the past's grid.

    Strangers are values between known ones: what lies outside of them may be the season's. As `find`, but for a part of
    the rows: the share of strangers, and the share of those that the conversion explains.
    """
    if len(past) < _LEAST_WINDOWS:
        return None
    known = np.unique(np.concatenate([grid.values for grid in past]))
    before = np.unique(np.concatenate([grid.values for grid in past[:-1]]))
    usual = _strangers(before, *_arrays(past[-1]))[1].sum() / sum(past[-1].rows)
    values, rows = _strangers(known, *_arrays(window))
    share = float(rows.sum() / sum(window.rows))
    if rows.sum() < _LEAST_ROWS or share < max(_PART, _PART_TIMES * float(usual)):
        return None
    shares = {item: _share_within(known, item.undo(values), rows) for item in conversions}
    best = max(shares, key=lambda item: shares[item])
    return (best, share, shares[best]) if shares[best] >= _PART_ACQUAINTED else None


def _share_within(known: Floats, values: Floats, rows: npt.NDArray[np.int64]) -> float:
    """Share on the grid of the rows that lie within it: beyond it are the season's values; 0 where most lie there."""
    within = (values >= known[0]) & (values <= known[-1])
    if rows[within].sum() < _PART_WITHIN * rows.sum():
        return 0.0
    return _share_on(known, values[within], rows[within])


def _strangers(known: Floats, values: Floats, rows: npt.NDArray[np.int64]) -> tuple[Floats, npt.NDArray[np.int64]]:
    """The values off a grid that lie within it, and their rows."""
    strange = ~_are_on(known, values) & (values > known[0]) & (values < known[-1])
    return values[strange], rows[strange]


def _arrays(grid: Grid) -> tuple[Floats, npt.NDArray[np.int64]]:
    return np.array(grid.values), np.array(grid.rows)


def _share_on(known: Floats, values: Floats, rows: npt.NDArray[np.int64]) -> float:
    """Share of the rows whose value is a known one."""
    return float(rows[_are_on(known, values)].sum() / rows.sum())


def _are_on(known: Floats, values: Floats) -> npt.NDArray[np.bool_]:
    right = np.clip(np.searchsorted(known, values), 1, known.size - 1) if known.size > 1 else np.zeros(values.size, int)
    nearest = np.minimum(np.abs(known[right] - values), np.abs(known[right - 1] - values))
    on: npt.NDArray[np.bool_] = nearest <= _TOLERANCE * np.abs(values)
    return on
