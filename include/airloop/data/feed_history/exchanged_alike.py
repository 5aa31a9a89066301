"""Were two columns of one range exchanged? Each has the habits of the other then: levels, order, what it goes with.

Of each window, a column is a list of numbers: quantiles, rank correlations with the other columns, how often it is the
larger of the two; of names the share of each. How much these numbers move from window to window is measured on the
past. Two columns were exchanged where, together, they lie far outside of their own past and within each other's.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from airloop.data.feed_history import kept_company
from airloop.data.feed_history.blocks import PROBABILITIES, Block, Floats
from airloop.data.feed_history.exchanged import ABOVE, Exchanged, of_both
from airloop.data.feed_history.sketch import Sketch, Texts

_LEAST_WINDOWS, _LEAST_ROWS, _LEAST_NUMBERS = 3, 100, 4
_MOST_COLUMNS = 12
_QUANTILES = (2, 3, 4, 5, 6)
"""Their places in PROBABILITIES: the outer ones of a small sample say little."""
_FAR, _NEAR, _NEARER = 4.0, 2.0, 0.3
"""In usual moves (root mean square): how far from their own past, how near to each other's, as a share of the first."""
_FEW = 3.0
"""What few windows say of usual moves is widened by a factor of 1 + this / windows."""
_LEAST_SHARE = 0.02
_LEVEL, _LOGIT, _RELATION = 0.02, 0.1, 0.03
"""No usual move counts as smaller: in widths, in logits, in Fisher's z."""

Habits = dict[str, tuple[float, float, float]]
"""Name of a number -> what it is of one column, of the other, and the least that it usually moves."""


def find(past: Mapping[str, Sequence[Sketch]], window: Sketch) -> Iterator[Exchanged]:
    """The pairs of columns that were exchanged, numbers first.

    Args:
        past: The past sketches that count for each column, oldest first.
    """
    for names, habits in ((_numeric(window), _of_numbers), (sorted(window.texts), _of_texts)):
        for one, other in combinations(names[:_MOST_COLUMNS], 2):
            before = of_both(past, one, other)
            if len(before) < _LEAST_WINDOWS or window.rows < _LEAST_ROWS:
                continue
            apart = _apart([habits(sketch, one, other) for sketch in before], habits(window, one, other))
            if apart and apart.own >= _FAR and apart.crossed <= min(_NEAR, _NEARER * apart.own):
                now, earlier = _shown(window, one, other), _shown(before[-1], one, other)
                yield Exchanged((one, other), now, earlier, apart.own, apart.crossed)


@dataclass(frozen=True)
class _Apart:
    own: float
    crossed: float


def _apart(past: Sequence[Habits], now: Habits) -> _Apart | None:
    """How far both columns lie from their own past, and from each other's."""
    names = [name for name in now if all(name in habits for habits in past)]
    if len(names) < _LEAST_NUMBERS:
        return None
    before = np.array([[habits[name][:2] for name in names] for habits in past])
    levels_now = np.array([now[name][:2] for name in names])
    least = np.max([[habits[name][2] for name in names] for habits in (*past, now)], axis=0)[:, None]
    usual = np.hypot(before.std(axis=0, ddof=1), least) * (1 + _FEW / len(past))
    middle = before.mean(axis=0)
    own, crossed = (levels_now - middle) / usual, (levels_now - middle[:, ::-1]) / usual[:, ::-1]
    return _Apart(_size(own), _size(crossed))


def _size(moves: Floats) -> float:
    return float(np.sqrt((moves**2).mean()))


def _numeric(window: Sketch) -> list[str]:
    return sorted({name for block in window.blocks for name in block.numbers if " - " not in name})


def _of_numbers(sketch: Sketch, one: str, other: str) -> Habits:
    levels = [_pooled(sketch.blocks, name) for name in (one, other)]
    if levels[0] is None or levels[1] is None:
        return {}
    width = max(float(level[-1] - level[0]) for level in levels if level is not None)
    habits = {
        f"at {PROBABILITIES[place]}": (float(levels[0][place]), float(levels[1][place]), _LEVEL * width)
        for place in _QUANTILES
    }
    if (share := _share_above(sketch, one, other)) is not None:
        logit = float(np.log(share / (1 - share)))
        habits["order"] = (logit, -logit, max(_LOGIT, 4 / np.sqrt(sketch.rows)))
    return habits | _relations(sketch, one, other)


def _relations(sketch: Sketch, one: str, other: str) -> Habits:
    both = kept_company.of(sketch, one, other)
    return {third: (first, second, max(_RELATION, 2 / np.sqrt(rows))) for third, (first, second, rows) in both.items()}


def _share_above(sketch: Sketch, one: str, other: str) -> float | None:
    for first, second in ((one, other), (other, one)):
        share = sketch.orders.get(f"{first}{ABOVE}{second}")
        if share is not None:
            inside = min(max(share, 0.001), 0.999)
            return inside if first == one else 1 - inside
    return None


def _pooled(blocks: Sequence[Block], name: str) -> Floats | None:
    known = [block.numbers[name] for block in blocks if name in block.numbers]
    if sum(item.count for item in known) < _LEAST_ROWS:
        return None
    return np.average([item.quantiles for item in known], axis=0, weights=[item.count for item in known])


def _of_texts(sketch: Sketch, one: str, other: str) -> Habits:
    texts = [sketch.texts.get(name) for name in (one, other)]
    if texts[0] is None or texts[1] is None or min(item.rows for item in texts if item) < _LEAST_ROWS:
        return {}
    first, second = texts[0], texts[1]
    return {
        value: (_logit(first, value), _logit(second, value), max(_LOGIT, 2 / np.sqrt(_fewer(first, second, value))))
        for value in sorted({*first.top} & {*second.top})
        if max(first.top[value] / first.rows, second.top[value] / second.rows) >= _LEAST_SHARE
    }


def _fewer(first: Texts, second: Texts, value: str) -> int:
    return min(first.top[value], second.top[value])


def _logit(texts: Texts, value: str) -> float:
    count = texts.top.get(value, 0)
    return float(np.log((count + 0.5) / (texts.rows - count + 0.5)))


def _shown(sketch: Sketch, one: str, other: str) -> tuple[str, str]:
    if one in sketch.texts:
        first, second = (next(iter(sketch.texts[name].top), "") for name in (one, other))
        return first, second
    levels = [_pooled(sketch.blocks, name) for name in (one, other)]
    first, second = ("" if level is None else f"{level[4]:.4g}" for level in levels)
    return first, second
