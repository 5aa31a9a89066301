"""Did a column move because another one did? A mean of two weeks rises with the rain itself, and is in no other unit.

Two columns of amounts keep company where their levels have stood in one ratio in all windows before, whatever the
season did to both. A column that still stands in that ratio to one that is in its old unit is in its old unit, too.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from airloop.data.feed_history.conversions import Conversion
from airloop.data.feed_history.sketch import Sketch

_LEAST_WINDOWS = 3
_STEADY, _KEPT = 0.25, 0.34
"""How far the ratio may have moved before, and may now: shares of what the conversion does to it (logarithms)."""


def of(past: Sequence[Sketch], window: Sketch, column: str, conversion: Conversion, others: Iterable[str]) -> str:
    """The first other column that this one still keeps company with; empty where there is none.

    Args:
        past: The windows that count for the column.
        others: Columns that look as they did before.
    """
    size = abs(float(np.log(abs(conversion.factor))))
    if conversion.factor < 0 or conversion.offset or not size:
        return ""
    for other in others:
        before = [ratio for sketch in past if (ratio := _ratio(sketch, column, other)) is not None]
        now = _ratio(window, column, other)
        if now is None or len(before) < _LEAST_WINDOWS:
            continue
        if not _has_been_there([_level(sketch, other) for sketch in past], _level(window, other), size):
            continue
        if np.std(before) <= _STEADY * size and abs(now - np.median(before)) <= _KEPT * size:
            return other
    return ""


def _has_been_there(before: Sequence[float], now: float, size: float) -> bool:
    """Whether a level lies near the earlier ones: a witness that is in another unit itself is not a witness."""
    known = [level for level in before if level > 0]
    beyond = 0.5 * size
    return bool(now <= max(known) * np.exp(beyond) and now >= min(known) * np.exp(-beyond))


def _ratio(sketch: Sketch, column: str, other: str) -> float | None:
    one, another = _level(sketch, column), _level(sketch, other)
    return float(np.log(one / another)) if one > 0 and another > 0 else None


def _level(sketch: Sketch, column: str) -> float:
    """The mean of a window's quantiles; 0 for what can be negative, or is not there."""
    known = [block.numbers[column] for block in sketch.blocks if column in block.numbers]
    if not known or min(item.quantiles[1] for item in known) < -1e-9:
        return 0.0
    return float(np.average([np.mean(item.quantiles) for item in known], weights=[item.count for item in known]))
