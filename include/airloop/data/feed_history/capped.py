"""Are amounts that come in steps cut off at one of them? What lay beyond it lies at it then."""

from collections.abc import Sequence

import numpy as np

from airloop.data.feed_history.value_grid import Grid

_LEAST_WINDOWS, _LEAST_ROWS = 3, 20
_BEYOND, _AT_IT = 0.1, 0.8
"""So many rows lay beyond the end in every window, and so large a part of them has been added to those at it."""


def find(past: Sequence[Grid], window: Grid) -> tuple[str, float, float, float] | None:
    """(side, the end, share of the rows at it now, the most there was before); None where nothing is cut off."""
    if len(past) < _LEAST_WINDOWS:
        return None
    rows = sum(window.rows)
    for side, place in (("highest", -1), ("lowest", 0)):
        end, share = window.values[place], window.rows[place] / rows
        at_it, beyond = zip(*(_shares(grid, end, side) for grid in past), strict=True)
        least = max(at_it) + _AT_IT * min(beyond)
        if min(beyond) >= _BEYOND and share >= least and window.rows[place] >= _LEAST_ROWS:
            return side, end, share, max(at_it)
    return None


def _shares(grid: Grid, end: float, side: str) -> tuple[float, float]:
    values, rows = np.array(grid.values), np.array(grid.rows)
    further = values > end if side == "highest" else values < end
    return float(rows[values == end].sum() / rows.sum()), float(rows[further].sum() / rows.sum())
