"""Were two columns of a feed exchanged? Each looks like the other's past then, and not like its own."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from airloop.data.feed_history import kept_company
from airloop.data.feed_history.blocks import Block, Floats
from airloop.data.feed_history.sketch import Sketch

ABOVE = " > "
"""Between the names of two columns whose order is kept: the share of rows in which the first is larger."""

_MOST_COLUMNS = 20
_LEAST_ROWS = 20
_ALWAYS, _NEVER = 0.97, 0.03
_FAR = 2.0
"""How far the two columns together lie from their own past, in widths."""
NEARER = 0.35
"""Two columns look exchanged when they lie nearer than this share of the way to each other's past."""
_OWN, _OTHERS = 0.3, 0.7
_WIDER = 4.0
_MOSTLY = 0.5
"""Of the windows before, so many have to know the order of two columns."""
_MIRRORED_WINDOWS, _LEAST_OF_GAP, _CLOSE_TO_GAP = 4, 0.6, 0.8


@dataclass(frozen=True)
class Exchanged:
    """Two columns, and a value of the window and of the past for each (medians, or the commonest texts).

    Attributes:
        own: How far both are from their own past (of numbers in widths, of texts the share of rows without a known
            value); `crossed` from each other's. 1 and 0 where nothing else is meant.
    """

    columns: tuple[str, str]
    now: tuple[str, str]
    before: tuple[str, str]
    own: float
    crossed: float


def orders(rows: pl.DataFrame, columns: Sequence[str]) -> dict[str, float]:
    """`one > other` -> the share of rows in which it is so, of those where both have a value and differ."""
    shares = {}
    for one, other in itertools.combinations(list(columns)[:_MOST_COLUMNS], 2):
        larger, smaller = (int((rows[one] > rows[other]).sum()), int((rows[one] < rows[other]).sum()))
        if larger + smaller >= _LEAST_ROWS:
            shares[f"{one}{ABOVE}{other}"] = round(larger / (larger + smaller), 5)
    return shares


def find(past: Mapping[str, Sequence[Sketch]], window: Sketch) -> Iterator[Exchanged]:
    """The pairs of columns that were exchanged, numbers first, of each the nearest to the other's past first.

    Args:
        past: The past sketches that count for each column, oldest first.
    """
    numbers = sorted({name for block in window.blocks for name in block.numbers if " - " not in name})
    pairs = [
        exchanged
        for one, other in itertools.combinations(numbers, 2)
        if (both := of_both(past, one, other)) and (exchanged := _numbers(both, window, one, other))
    ]
    yield from sorted(pairs, key=lambda pair: pair.crossed / max(pair.own, 1e-9))
    for one, other in itertools.combinations(sorted(window.texts), 2):
        both = of_both(past, one, other)
        if both and (exchanged := _texts(both, window, one, other)):
            yield exchanged


def of_both(past: Mapping[str, Sequence[Sketch]], one: str, other: str) -> list[Sketch]:
    """The past sketches, the same objects, that count for both columns."""
    others = {id(sketch) for sketch in past.get(other, ())}
    return [sketch for sketch in past.get(one, ()) if id(sketch) in others]


def _numbers(past: Sequence[Sketch], window: Sketch, one: str, other: str) -> Exchanged | None:
    before = [_pooled([block for sketch in past for block in sketch.blocks], name) for name in (one, other)]
    now = [_pooled(window.blocks, name) for name in (one, other)]
    widths = [_width(quantiles) for quantiles in before]
    if any(quantiles is None for quantiles in (*before, *now)) or not all(widths):
        return None
    if kept_company.both(past, window, one, other) or not _wide_as_crossed(now, widths):
        return None
    turned = _turned([sketch.orders for sketch in past], window.orders, one, other)
    owns = [_distance(now[place], before[place], widths[place]) for place in (0, 1)]
    crosses = [_distance(now[place], before[1 - place], widths[1 - place]) for place in (0, 1)]
    # An exchange moves both: one that lies where it lay in any window has not been put in another's place.
    if not turned and any(crosses[place] > _nearest(past, now[place], name) for place, name in enumerate((one, other))):
        return None
    own, crossed = sum(owns), sum(crosses)
    if turned and not _mirrored(past, window, one, other, like=_LEAST_OF_GAP):
        return None
    if turned and _mirrored(past, window, one, other, like=_CLOSE_TO_GAP):
        own, crossed = 1.0, 0.0
    if not turned and (own < _FAR or crossed > NEARER * own):
        return None
    medians = [[f"{quantiles[4]:.4g}" for quantiles in side if quantiles is not None] for side in (now, before)]
    return Exchanged((one, other), (medians[0][0], medians[0][1]), (medians[1][0], medians[1][1]), own, crossed)


def _pooled(blocks: Sequence[Block], name: str) -> Floats | None:
    """The mean quantile function of the blocks, weighted by their values; None without any."""
    known = [block.numbers[name] for block in blocks if name in block.numbers]
    if sum(item.count for item in known) < _LEAST_ROWS:
        return None
    return np.average([item.quantiles for item in known], axis=0, weights=[item.count for item in known])


def _width(quantiles: Floats | None) -> float:
    return 0.0 if quantiles is None else float(quantiles[8] - quantiles[0])


def _wide_as_crossed(now: Sequence[Floats | None], widths: Sequence[float]) -> bool:
    """Whether each column is about as wide as the other was: shares lie near prices, and are no prices."""
    ratios = [_width(now[place]) / widths[1 - place] for place in (0, 1)]
    return all(1 / _WIDER <= ratio <= _WIDER for ratio in ratios)


def _distance(now: Floats | None, before: Floats | None, width: float) -> float:
    return float(np.abs(np.asarray(now) - np.asarray(before)).mean()) / width


def _nearest(past: Sequence[Sketch], now: Floats | None, name: str) -> float:
    """How far a column lies from the window before that it is most like: a season may come back."""
    windows = [quantiles for sketch in past if (quantiles := _pooled(sketch.blocks, name)) is not None]
    widths = [_width(quantiles) for quantiles in windows]
    width = float(np.median(widths)) if windows else 0.0
    return min((_distance(now, quantiles, width) for quantiles in windows), default=0.0) if width else 0.0


def _turned(past: Sequence[Mapping[str, float]], window: Mapping[str, float], one: str, other: str) -> bool:
    """Whether one column was always the larger of the two and is the smaller one now."""
    name = f"{one}{ABOVE}{other}" if f"{one}{ABOVE}{other}" in window else f"{other}{ABOVE}{one}"
    before = [earlier[name] for earlier in past if name in earlier]
    # What hardly ever has a value has no order that it always kept.
    if name not in window or len(before) < _MOSTLY * len(past) or not before:
        return False
    above, below = min(before) >= _ALWAYS, max(before) <= _NEVER
    return (above and window[name] <= _NEVER) or (below and window[name] >= _ALWAYS)


def _mirrored(past: Sequence[Sketch], window: Sketch, one: str, other: str, *, like: float) -> bool:
    """Whether two columns lie as far apart as lately, the other way round: another unit of one turns an order, too."""
    gaps = [gap for sketch in past if (gap := _gap(sketch, one, other)) is not None][-_MIRRORED_WINDOWS:]
    now = _gap(window, one, other)
    if now is None or len(gaps) < 2 or not all(gaps):
        return False
    sizes = np.abs(gaps)
    return bool(like * sizes.min() <= abs(now) <= sizes.max() / like)


def _gap(sketch: Sketch, one: str, other: str) -> float | None:
    both = [_pooled(sketch.blocks, name) for name in (one, other)]
    return None if both[0] is None or both[1] is None else float(both[0][4] - both[1][4])


def _texts(past: Sequence[Sketch], window: Sketch, one: str, other: str) -> Exchanged | None:
    known = [
        {value for sketch in past if name in sketch.texts for value in sketch.texts[name].top} for name in (one, other)
    ]
    shapes = [
        {value for sketch in past if name in sketch.shapes for value in sketch.shapes[name].top}
        for name in (one, other)
    ]
    now = [window.texts[name] for name in (one, other)]
    if not all(known) or min(texts.rows for texts in now) < _LEAST_ROWS:
        return None
    by_value = [texts.top for texts in now]
    by_shape = [
        {shape: rows for shape, (rows, _) in window.shapes[name].top.items()} if name in window.shapes else {}
        for name in (one, other)
    ]
    if not (_crossed(by_value, known, now) or _crossed(by_shape, shapes, now)):
        return None
    first = [next(iter(texts.top)) for texts in now]
    earlier = [next(iter(past[-1].texts[name].top), "") if name in past[-1].texts else "" for name in (one, other)]
    return Exchanged((one, other), (first[0], first[1]), (earlier[0], earlier[1]), 1.0, 0.0)


def _crossed(now: Sequence[Mapping[str, int]], known: Sequence[set[str]], texts: Sequence[object]) -> bool:
    """Whether nearly all rows of each column have what only the other one had."""
    if not all(now) or not all(known):
        return False

    def share(place: int, of: int) -> float:
        return sum(rows for value, rows in now[place].items() if value in known[of]) / sum(now[place].values())

    return all(share(place, place) < _OWN and share(place, 1 - place) > _OTHERS for place in (0, 1))
