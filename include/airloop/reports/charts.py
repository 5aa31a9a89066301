"""Small SVG pictures: a gain with its interval, a histogram. Their colours are CSS classes of the page."""

import math
from collections.abc import Sequence

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


def svg(content: str, *, css: str, size: tuple[float, float], title: str) -> Markup:
    """A picture of content that is escaped; without a title it is decoration, hidden from readers."""
    says = (
        f' role="img" aria-label="{escape(title)}"><title>{escape(title)}</title>' if title else ' aria-hidden="true">'
    )
    # Numbers, and texts escaped above.
    return Markup(f'<svg class="{css}" viewBox="0 0 {size[0]:g} {size[1]:g}"{says}{content}</svg>')  # noqa: S704
