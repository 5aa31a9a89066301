"""Does a column look converted? Its blocks against those before, as they are and with each conversion undone.

A block is three numbers against the blocks before it: where its middle lies, how wide it is (logarithm), how skewed.
How much the three move from block to block is measured on the past, so a season, a storm and a small sample explain
themselves; a conversion is named only where blocks lie far outside of that and, undone, inside.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from airloop.data.feed_history.blocks import Block, Numbers
from airloop.data.feed_history.conversions import Conversion

Floats = npt.NDArray[np.float64]

_REFERENCE = 7
"""Blocks that stand for the past, and are judged together: a week, where a block is a day."""
_LEAST_VALUES, _FEW_VALUES, _LARGE = 12, 60, 20.0
"""Two places by the hour have 48 values a day: chance, or a storm at both, makes one ten times as high, hardly more."""
_LEAST_DIFFERENT = 5
_MERGED = 0.6
"""Different quantiles: a column that is nearly always one value has no width to compare."""

# How far outside blocks have to lie, and how far inside once undone, in usual moves. A small factor is what seasons do.
_STRANGE, _STRANGE_ALONE, _STRANGE_IF_SMALL = 5.0, 7.0, 8.0
_EXPLAINED, _EXPLAINED_IF_SMALL = 2.5, 1.8
_SHARE, _NEAR, _NEARER = 0.4, 7.5, 0.6
_WHOLE = 0.3
_LASTING = 0.8
"""Share of the blocks from the change on that have to look converted: a spell ends, a new unit stays."""

# What the three numbers move without a cause (middle, width, skew), and what a small sample adds.
_FLOOR = np.array([0.03, 0.05, 0.05])
_SAMPLING = np.array([0.7, 1.2, 1.2])
_FEW_MOVES = 8
_NORMAL_90 = 1.645


@dataclass(frozen=True)
class Converted:
    """A column that looks converted.

    Attributes:
        days: First and last day of the blocks that do.
        observed: Their median; `expected` that of the week before.
    """

    column: str
    conversion: Conversion
    days: tuple[str, str]
    observed: float
    expected: float


def find(
    past: Sequence[Block],
    window: Sequence[Block],
    column: str,
    conversions: Sequence[Conversion],
    *,
    least_width: float = 0.0,
) -> Converted | None:
    """The conversion that explains the window's blocks, or None where they need no explanation or none fits.

    Args:
        past: Blocks of earlier windows, oldest first.
        least_width: No spread counts as smaller than this (in units of the column).
    """
    known = [item for block in past if (item := block.numbers.get(column)) and item.count >= _LEAST_VALUES]
    dated = [(block, item) for block in window if (item := block.numbers.get(column)) and item.count >= _LEAST_VALUES]
    if not known or not dated or not (least_width or _varies(known)):
        return None
    if not _as_different(known, [item for _, item in dated]):
        return None
    line = _Line.of([*known, *(item for _, item in dated)], len(known), least_width)
    for place in line.strange_places():
        conversion = line.explanation(place, conversions)
        if conversion is None:
            continue
        like = line.looking_converted(place, conversion)
        # A storm of two days multiplies delays by ten, and nothing by a hundred.
        if like.mean() >= _LASTING or (place.size == 1 and not _small(conversion) and _large(conversion)):
            positions = np.flatnonzero(like) if like.any() else np.array([0])
            first, last = (int(position) + place.first for position in (positions[0], positions[-1]))
            days = (dated[first - len(known)][0].day, dated[last - len(known)][0].last_day)
            observed = line.pooled(first, last - first + 1)[4]
            return Converted(column, conversion, days, float(observed), float(line.reference(place.first)[4]))
    return None


@dataclass(frozen=True)
class _Place:
    """Where a change may begin (a position on the line), how many blocks from there are judged together."""

    first: int
    size: int


@dataclass(frozen=True)
class _Line:
    """Blocks of a column in their order, those of the window last.

    Attributes:
        quantiles: (n, 9); `counts` (n,) their values; the running sums (n + 1, ...) make a mean of any stretch cheap.
        start: Position of the window's first block.
    """

    quantiles: Floats
    counts: Floats
    whole: npt.NDArray[np.bool_]
    sums: Floats
    totals: Floats
    start: int
    least_width: float

    @classmethod
    def of(cls, blocks: Sequence[Numbers], start: int, least_width: float) -> "_Line":
        quantiles = np.array([item.quantiles for item in blocks])
        counts = np.array([item.count for item in blocks], dtype=np.float64)
        sums = np.vstack([np.zeros(9), np.cumsum(quantiles * counts[:, None], axis=0)])
        totals = np.concatenate([[0.0], np.cumsum(counts)])
        whole = np.array([item.whole for item in blocks])
        return cls(quantiles, counts, whole, sums, totals, start, least_width)

    def pooled(self, first: npt.ArrayLike, size: npt.ArrayLike) -> Floats:
        """The mean quantile function (Wasserstein barycenter) of `size` blocks from `first`, weighted by counts."""
        begin, end = np.asarray(first), np.asarray(first) + np.asarray(size)
        pooled: Floats = (self.sums[end] - self.sums[begin]) / (self.totals[end] - self.totals[begin])[..., None]
        return pooled

    def reference(self, first: npt.ArrayLike) -> Floats:
        """The week before a position."""
        size = np.minimum(np.asarray(first), _REFERENCE)
        before: Floats = self.pooled(np.asarray(first) - size, size)
        return before

    def moves(self, first: npt.ArrayLike, quantiles: Floats) -> Floats:
        """How the three numbers of `quantiles` differ from those of the week before `first`."""
        before = self.reference(first)
        width = np.maximum(_width(before), self.least_width)
        width = np.where(width > 0, width, np.inf)  # a constant has moved nowhere
        moved: Floats = np.abs(_three(quantiles, width) - _three(before, width))
        return moved

    def usual(self, size: int, values: float) -> Floats:
        """What `size` blocks of `values` values together usually move, by the blocks before the window."""
        places = np.arange(max(1, min(3, self.start - 1)), self.start - size + 1)
        floor = _FLOOR + _SAMPLING / np.sqrt(values)
        if places.size < _FEW_MOVES:
            floor = floor * (1 + 6 / (1 + places.size))
        if not places.size:
            return np.asarray(floor)
        moved = self.moves(places, self.pooled(places, size))
        usual: Floats = np.maximum(np.quantile(moved, 0.9, axis=0) / _NORMAL_90, floor)
        return usual

    def strange_places(self) -> Iterator[_Place]:
        """The stretches of the window that lie far outside of what is usual, in their order, a week before a block."""
        blocks = len(self.counts) - self.start
        places = []
        for size in dict.fromkeys((min(_REFERENCE, blocks), 1)):
            firsts = np.arange(self.start, len(self.counts) - size + 1)
            values = self.totals[firsts + size] - self.totals[firsts]
            moved = self.moves(firsts, self.pooled(firsts, size)) / self.usual(size, float(np.median(values)))
            strange = np.sqrt((moved**2).sum(axis=1)) >= (_STRANGE if size > 1 else _STRANGE_ALONE)
            # What is left of a day that lost most of its rows is not a sample of it.
            whole = values >= _WHOLE * size * np.median(self.counts[: self.start])
            places += [_Place(int(first), size) for first in firsts[strange & whole]]
        yield from sorted(places, key=lambda place: (place.first, -place.size))

    def explanation(self, place: _Place, conversions: Sequence[Conversion]) -> Conversion | None:
        """The commonest conversion that, undone, brings the stretch back to where such stretches usually lie."""
        stretch = slice(place.first, place.first + place.size)
        usual = self.usual(place.size, float(self.counts[stretch].sum()))
        quantiles, width = (
            self.pooled(place.first, place.size),
            max(float(_width(self.reference(place.first))), self.least_width),
        )
        strange, whole, fits = self._distance(place.first, quantiles, usual), bool(self.whole[stretch].all()), {}
        few = self.counts[stretch].sum() < _FEW_VALUES
        for conversion in (item for item in conversions if not few or _large(item)):
            # Rounded to whole hours, minutes are off by up to half an hour.
            rounding = 0.5 / abs(conversion.factor) / width if whole and abs(conversion.factor) < 1 else 0.0
            needed, allowed = (_STRANGE_IF_SMALL, _EXPLAINED_IF_SMALL) if _small(conversion) else (0.0, _EXPLAINED)
            distance = self._distance(place.first, conversion.undo_quantiles(quantiles), np.hypot(usual, rounding))
            near = distance <= min(allowed, _SHARE * strange) and self._nears_the_past(quantiles, conversion, usual)
            if rounding <= 1 and strange >= needed and near:
                fits[conversion] = distance
        # Of several that fit alike the commonest is named, so the list's order decides.
        alike = 1.5 * min(fits.values()) + 0.5 if fits else 0.0
        return next((conversion for conversion, distance in fits.items() if distance <= alike), None)

    def _nears_the_past(self, quantiles: Floats, conversion: Conversion, usual: Floats) -> bool:
        """Whether it does so against the last week before the window, too: its own strange blocks explain nothing."""
        undone = self._distance(self.start, conversion.undo_quantiles(quantiles), usual)
        return undone <= min(_NEAR, _NEARER * self._distance(self.start, quantiles, usual))

    def looking_converted(self, place: _Place, conversion: Conversion) -> npt.NDArray[np.bool_]:
        """Of each block from the change on, whether it lies nearer to the week before with the conversion undone."""
        usual = self.usual(1, float(np.median(self.counts[place.first :])))
        like = [
            self._distance(place.first, conversion.undo_quantiles(quantiles), usual)
            < self._distance(place.first, quantiles, usual)
            for quantiles in self.quantiles[place.first :]
        ]
        return np.array(like)

    def _distance(self, first: int, quantiles: Floats, usual: Floats) -> float:
        return float(np.sqrt(((self.moves(first, quantiles) / usual) ** 2).sum()))


def _varies(blocks: Sequence[Numbers]) -> bool:
    different = np.array([len(set(item.quantiles)) for item in blocks])
    return bool((different >= _LEAST_DIFFERENT).mean() >= _LASTING)


def _as_different(known: Sequence[Numbers], now: Sequence[Numbers]) -> bool:
    """Whether as many quantiles differ as before: a conversion makes no two values one, but for rounding to whole."""
    before, after = ([len(set(item.quantiles)) for item in items] for items in (known, now))
    return all(item.whole for item in now) or float(np.median(after)) >= _MERGED * float(np.median(before))


def _large(conversion: Conversion) -> bool:
    """Whether no day does what it does, however few its values are."""
    factor = abs(conversion.factor)
    return conversion.clock or max(factor, 1 / factor) >= _LARGE or abs(conversion.offset) > 100


def _small(conversion: Conversion) -> bool:
    """Whether a change of season could look like it."""
    if conversion.factor == -1.0 and conversion.offset:
        return True
    return 0.2 < conversion.factor < 5 and not conversion.clock and abs(conversion.offset) < 100


def _three(quantiles: Floats, width: Floats) -> Floats:
    """Middle in widths, logarithm of the spread, skewness of the tails (-1 to 1); (..., 3) of quantiles (..., 9)."""
    least = np.where(np.isfinite(width), 0.003 * width, 1.0)
    q = np.moveaxis(quantiles, -1, 0)
    spread = np.mean([np.log(q[high] - q[low] + least) for low, high in ((0, 8), (1, 7), (2, 6))], axis=0)
    skewness = (q[7] + q[1] - 2 * q[4]) / (q[7] - q[1] + least)
    return np.stack([q[4] / width, spread, skewness], axis=-1)


def _width(quantiles: Floats) -> Floats:
    wide: Floats = np.maximum(quantiles[..., 6] - quantiles[..., 2], 0.25 * (quantiles[..., 8] - quantiles[..., 0]))
    return wide
