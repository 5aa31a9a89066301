"""Has a column lost its fractions? Rounded, or cut off on the way."""

from collections.abc import Sequence

import numpy as np

from airloop.data.feed_history.sketch import Sketch

_LEAST_WINDOWS, _LEAST_ROUNDED, _NEARLY_ALL = 3, 100, 0.9


def is_rounded(past: Sequence[Sketch], sketch: Sketch, column: str) -> bool:
    """Whether all values are whole now, of a column that had fractions on nearly every day of every window before."""
    before, now = [whole for item in past if (whole := _whole(item, column))], _whole(sketch, column)
    if not now or len(before) < _LEAST_WINDOWS or max(share for _, share in before) > 1 - _NEARLY_ALL:
        return False
    return now[0] >= _LEAST_ROUNDED and now[1] >= _NEARLY_ALL


def lies_as_before(past: Sequence[Sketch], sketch: Sketch, column: str) -> bool:
    """Whether a column's median lies among those of the windows before, by a quarter of its width."""
    known = [item.numbers[column].quantiles for earlier in past for item in earlier.blocks if column in item.numbers]
    now = [item.numbers[column].quantiles for item in sketch.blocks if column in item.numbers]
    if not known or not now:
        return False
    middles, slack = [item[4] for item in known], 0.25 * float(np.median([item[6] - item[2] for item in known]))
    return min(middles) - slack <= float(np.median([item[4] for item in now])) <= max(middles) + slack


def _whole(sketch: Sketch, column: str) -> tuple[int, float] | None:
    """A column's values, and the share of them on days without a fraction; None where it has but one value."""
    numbers = [block.numbers[column] for block in sketch.blocks if column in block.numbers]
    # A day on which all is 0 has lost nothing.
    known = [item for item in numbers if item.quantiles[0] != item.quantiles[-1]]
    count = sum(item.count for item in known)
    return (count, sum(item.count for item in known if item.whole) / count) if count else None
