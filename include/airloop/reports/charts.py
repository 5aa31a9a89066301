"""Small SVG pictures: a gain with its interval, a histogram. Their colours are CSS classes of the page."""

import itertools
import math
from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

from airloop.reports.rendering import signed


def interval(gain: float | None, lower: float | None, upper: float | None, *, reach: float) -> Markup:
    """A gain with its interval on an axis from -reach to reach, zero in the middle; empty without numbers.

    Good when the interval lies above zero, bad when below, undecided when it holds zero.
    """
    if gain is None or lower is None or upper is None or not all(map(math.isfinite, (gain, lower, upper))):
        return Markup()
    width, height = 150.0, 18.0
    kind = "good" if lower > 0 else "bad" if upper < 0 else "open"

    def x(value: float) -> float:
        return round(width / 2 + (width / 2 - 4) * max(-1.0, min(1.0, value / reach if reach else 0.0)), 1)

    title = f"{signed(gain)}, interval {signed(lower)} to {signed(upper)}"
    return svg(
        f'<line class="zero" x1="{width / 2}" y1="0" x2="{width / 2}" y2="{height}"/>'
        f'<rect class="range" x="{x(lower)}" y="6" width="{max(x(upper) - x(lower), 1.5):.1f}" height="6" rx="3"/>'
        f'<circle class="dot" cx="{x(gain)}" cy="9" r="4"/>',
        css=f"interval {kind}",
        size=(width, height),
        title=title,
    )


def histogram(counts: Sequence[int]) -> Markup:
    """How many values fall into equal parts of a range."""
    if not counts or not max(counts):
        return Markup()
    width, height, top = 132.0, 30.0, max(counts)
    step = width / len(counts)
    bars = (
        f'<rect x="{position * step:.1f}" y="{height - size:.1f}" width="{step - 1:.1f}" height="{size:.1f}"/>'
        for position, value in enumerate(counts)
        if (size := max(height * value / top, 1.0 if value else 0.0))
    )
    return svg("".join(bars), css="histogram", size=(width, height), title="")


_NAME_WIDTH = 66
COLOURS = ("#767b86", "#c2571a", "#0b63c5", "#8a5bd0", "#12803f", "#b3261e", "#a07d00", "#007a87")
"""Of lines, in their order; readable on light and dark pages."""


def lines(names: Sequence[str], series: Mapping[str, Sequence[float | None]], *, width: float = 860.0) -> Markup:
    """One line per series over named places, with the smallest and the largest value on the axis; gaps where None.

    Args:
        width: About how wide it is shown: its letters keep their size then.
    """
    values = [value for line in series.values() for value in line if value is not None]
    if not values:
        return Markup()
    low, high = min(values), max(values)
    height, left, bottom = 240.0, 56.0, 22.0

    def x(place: int) -> float:
        return round(left + (width - left - 20) * (place + 0.5) / len(names), 1)

    def y(value: float) -> float:
        return round(12 + (height - bottom - 24) * (1 - (value - low) / ((high - low) or 1.0)), 1)

    shown = [_text(left - 8, y(value) + 4, f"{value:.4g}", anchor="end") for value in (low, high)]
    step = math.ceil(len(names) * _NAME_WIDTH / (width - left))
    shown += [
        _text(x(place), height - 6, name, anchor="middle") for place, name in enumerate(names) if place % step == 0
    ]
    for colour, line in zip(itertools.cycle(COLOURS), series.values(), strict=False):
        there = [(x(place), y(value)) for place, value in enumerate(line) if value is not None]
        points = " ".join(f"{across},{down}" for across, down in there)
        shown.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        shown += [f'<circle cx="{across}" cy="{down}" r="3" fill="{colour}"/>' for across, down in there]
    title = f"{', '.join(series)}: {low:.4g} to {high:.4g}"
    return svg("".join(shown), css="lines", size=(width, height), title=title)


def _text(across: float, down: float, says: str, *, anchor: str) -> str:
    return (
        f'<text x="{across}" y="{down}" text-anchor="{anchor}" font-size="11" fill="currentColor">{escape(says)}</text>'
    )


def svg(content: str, *, css: str, size: tuple[float, float], title: str) -> Markup:
    """A picture of content that is escaped; without a title it is decoration, hidden from readers."""
    says = (
        f' role="img" aria-label="{escape(title)}"><title>{escape(title)}</title>' if title else ' aria-hidden="true">'
    )
    # Numbers, and texts escaped above.
    return Markup(f'<svg class="{css}" viewBox="0 0 {size[0]:g} {size[1]:g}"{says}{content}</svg>')  # noqa: S704
