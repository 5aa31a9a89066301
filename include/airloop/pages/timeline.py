"""A metric of the champion, window by window, with its intervals: where it stands, and where another one took over."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from airloop.reports.charts import svg
from airloop.reports.rendering import score

_WIDTH, _WIDE, _HEIGHT = 440.0, 900.0, 280.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 14.0, 24.0, 26.0
_LABELS, _LETTER = 6, 6.5


@dataclass(frozen=True)
class Point:
    """A metric in one window.

    Attributes:
        label: The window, below the axis.
        value: None where nothing was measured; so are the bounds.
        version: The champion that was judged.
    """

    label: str
    value: float | None
    lower: float | None
    upper: float | None
    version: int


def draw(points: Sequence[Point], *, alone: bool = False) -> Markup:
    """The picture of windows, oldest first; empty when nothing was measured in any.

    Args:
        alone: No other stands beside it: it is as wide as two.
    """
    bounds = [(point.lower, point.value, point.upper) for point in points]
    values = [value for bound in bounds for value in bound if value is not None]
    if not values:
        return Markup()
    frame = _Frame.around(min(values), max(values), len(points), width=_WIDE if alone else _WIDTH)
    content = "".join([*frame.grid(), *_labels(frame, points), *_marks(frame, points)])
    return svg(content, css="over alone" if alone else "over", size=(frame.width, _HEIGHT), title="")


def _labels(frame: "_Frame", points: Sequence[Point]) -> Iterator[str]:
    """Where windows start, as many as have room side by side, none beyond an edge; a mark's title has the whole."""
    starts = [point.label.partition(" to ")[0] for point in points]
    length = max(map(len, starts)) * _LETTER
    # The last one is moved to the left where it would leave the picture, towards the one before.
    moved = max(0.0, frame.x(len(points) - 1) + length / 2 - frame.width)
    most = round(_LABELS * frame.width / _WIDTH)
    every = max(math.ceil(len(points) / most), math.ceil((length + _LETTER + moved) / frame.step))
    for position, start in enumerate(starts):
        if (len(points) - 1 - position) % every == 0:
            x = round(min(max(frame.x(position), length / 2), frame.width - length / 2), 1)
            yield f'<text class="tick" x="{x}" y="{_HEIGHT - 6}" text-anchor="middle">{escape(start)}</text>'


def _marks(frame: "_Frame", points: Sequence[Point]) -> Iterator[str]:
    before: tuple[float, float, int] | None = None
    for position, point in enumerate(points):
        if point.value is None:
            continue
        x, y = frame.x(position), frame.y(point.value)
        if before is not None and before[2] == point.version:
            yield f'<line class="path" x1="{before[0]}" y1="{before[1]}" x2="{x}" y2="{y}"/>'
        else:
            edge = round(x - frame.step / 2, 1)
            yield f'<line class="change" x1="{edge}" y1="{_TOP - 12}" x2="{edge}" y2="{_HEIGHT - _BOTTOM}"/>'
            yield f'<text class="version" x="{edge + 6}" y="{_TOP - 4}">v{point.version}</text>'
        if point.lower is not None and point.upper is not None:
            yield f'<line class="whisker" x1="{x}" y1="{frame.y(point.lower)}" x2="{x}" y2="{frame.y(point.upper)}"/>'
        says = escape(f"{point.label}, version {point.version}: {score(point.value)}")
        yield f'<circle class="dot" cx="{x}" cy="{y}" r="4.5"><title>{says}</title></circle>'
        before = (x, y, point.version)


@dataclass(frozen=True)
class _Frame:
    """Where values and windows lie; ticks are round numbers, and the outer two hold every value."""

    ticks: tuple[float, ...]
    digits: int
    step: float
    width: float

    @classmethod
    def around(cls, low: float, high: float, windows: int, *, width: float) -> "_Frame":
        size = (high - low) or abs(high) or 1.0
        power = 10.0 ** math.floor(math.log10(size / 4))
        factor = next(factor for factor in (1, 2, 5, 10) if power * factor >= size / 4)
        tick = power * factor
        ticks = tuple(number * tick for number in range(math.floor(low / tick), math.ceil(high / tick) + 1))
        digits = max(0, -math.floor(math.log10(tick) + 1e-9))
        return cls(ticks, digits, (width - _LEFT - _RIGHT) / windows, width)

    def x(self, position: int) -> float:
        return round(_LEFT + self.step * (position + 0.5), 1)

    def y(self, value: float) -> float:
        low, high = self.ticks[0], self.ticks[-1]
        place = (value - low) / (high - low) if high > low else 0.5
        return round(_TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - place), 1)

    def grid(self) -> Iterator[str]:
        for tick in self.ticks:
            y = self.y(tick)
            yield f'<line class="grid" x1="{_LEFT}" y1="{y}" x2="{self.width - _RIGHT}" y2="{y}"/>'
            text = f"{tick:,.{self.digits}f}"
            yield f'<text class="tick" x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{text}</text>'
