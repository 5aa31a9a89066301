"""Were all prices multiplied? Another currency and a tax are factors that nobody lists, and near one.

Prices come in steps that return: 1.99, 2.49, 3.95. Where most values of a window are strangers, and one factor brings
nearly all of them back onto the old steps, they were multiplied by it. A factor may be found by luck, the more so the
denser the steps are: how many values other factors bring back says how much luck there was. Columns that one factor
explains (a list price, a price in a sale) are evidence together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from airloop.data.feed_history.value_grid import Grid

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_LEAST_WINDOWS = 2
_LEAST_ROWS, _LEAST_VALUES = 50, 6
_FROM, _TO, _NEAR_ONE = 0.4, 2.5, 0.015
_STRANGERS, _ACQUAINTED, _USUAL = 0.5, 0.85, 0.7
_MOST_OF_NOW, _MOST_OF_PAST = 8, 40
_EVIDENCE, _LEAST_LUCK = 4.0, 0.02
"""The chance that any factor fits as well is below one in ten to this power."""
_DIGITS = (0, 1, 2, 3)
_TOLERANCE = 5e-4


@dataclass(frozen=True)
class Multiplied:
    """All values by `factor`: the share of the rows with an old value as they are, and once it is undone."""

    factor: float
    without: float
    share: float


@dataclass(frozen=True)
class _Strange:
    """A column most of whose values are new: the known ones, and what share of the rows usually has one."""

    grid: Grid
    known: Floats
    usual: float
    without: float
    half: float

    def fits(self, factor: float) -> Flags:
        return _are_on(self.known, np.array(self.grid.values), factor, self.half)

    def share(self, fit: Flags) -> float:
        rows = np.array(self.grid.rows)
        return float(rows[fit].sum() / rows.sum())


def find(past: Mapping[str, Sequence[Grid]], window: Mapping[str, Grid]) -> dict[str, Multiplied]:
    """Column -> the factor that its values were multiplied by; one and the same for all of them.

    Args:
        past: Column -> its grids in earlier windows, oldest first.
    """
    strange = {
        name: column_factor for name, grid in window.items() if (column_factor := _strange(past.get(name, ()), grid))
    }
    factors = np.unique(np.concatenate([_factors(past[name][-1], window[name]) for name in strange] or [np.empty(0)]))
    if not factors.size:
        return {}
    fits = {name: np.array([column.fits(factor) for factor in factors]) for name, column in strange.items()}
    shares = {name: np.array([column.share(fit) for fit in fits[name]]) for name, column in strange.items()}
    explained = {name: shares[name] >= _ACQUAINTED * column.usual for name, column in strange.items()}
    luck = [np.where(explained[name], _beyond_luck(fits[name]), 0.0) for name in strange]
    evidence = np.sum(luck, axis=0) - np.log10(factors.size)
    values = np.sum([np.where(explained[name], fits[name].sum(axis=1), 0) for name in strange], axis=0)
    best = int(np.argmax(evidence))
    if evidence[best] < _EVIDENCE or values[best] < _LEAST_VALUES:
        return {}
    return {
        name: Multiplied(float(f"{factors[best]:.4g}"), column.without, float(shares[name][best]))
        for name, column in strange.items()
        if explained[name][best]
    }


def _strange(past: Sequence[Grid], grid: Grid) -> _Strange | None:
    if len(past) < _LEAST_WINDOWS or sum(grid.rows) < _LEAST_ROWS:
        return None
    known = np.unique(np.concatenate([earlier.values for earlier in past]))
    before = np.unique(np.concatenate([earlier.values for earlier in past[:-1]]))
    usual = _share_on(before, past[-1])
    without = _share_on(known, grid)
    if usual < _USUAL or without > _STRANGERS * usual:
        return None
    return _Strange(grid, known, usual, without, _half_a_step(grid))


def _beyond_luck(fits: npt.NDArray[np.bool_]) -> Floats:
    """By each factor, how unlikely so many values would be there by luck (a power of ten)."""
    by_luck = max(float(np.median(fits.mean(axis=1))), _LEAST_LUCK)
    scores: Floats = fits.sum(axis=1) * -np.log10(by_luck)
    return scores


def _factors(past: Grid, window: Grid) -> Floats:
    """Each that makes one of the commonest values now of one of the commonest before."""
    now, before = _commonest(window, _MOST_OF_NOW), _commonest(past, _MOST_OF_PAST)
    ratios = np.unique((now[:, None] / before[None, :]).round(7).ravel())
    plausible: Floats = ratios[(ratios >= _FROM) & (ratios <= _TO) & (np.abs(ratios - 1) >= _NEAR_ONE)]
    return plausible


def _commonest(grid: Grid, most: int) -> Floats:
    values: Floats = np.array(grid.values)[np.argsort(grid.rows)[::-1][:most]]
    return values


def _half_a_step(grid: Grid) -> float:
    """Half of the last digit that the values are written with: what multiplying and rounding moves them."""
    values = np.array(grid.values)
    for digits in _DIGITS:
        if np.allclose(values, values.round(digits), rtol=0, atol=1e-9):
            return 0.5 * 10.0**-digits
    return 0.0


def _are_on(known: Floats, values: Floats, factor: float = 1.0, half: float = 0.0) -> Flags:
    """Which values lie on the known ones, to within their rounding, once a factor is undone."""
    undone = values / factor
    right = np.clip(np.searchsorted(known, undone), 0, known.size - 1)
    nearest = np.minimum(np.abs(known[right] - undone), np.abs(known[np.maximum(right - 1, 0)] - undone))
    # The factor itself was taken from rounded values, so it is off by as much again.
    on: Flags = nearest <= 2 * half / factor + _TOLERANCE * np.abs(undone)
    return on


def _share_on(known: Floats, grid: Grid) -> float:
    rows = np.array(grid.rows)
    return float(rows[_are_on(known, np.array(grid.values))].sum() / rows.sum())
