"""Alarms about the time between two instants of a row: never so long, or the later one before the earlier one."""

from collections.abc import Iterator, Sequence

from airloop.data.feed_history import far_values
from airloop.data.feed_history.looked import AGAIN, Looked
from airloop.data.feed_history.sketch import Sketch
from airloop.records import Alarm

PARTED = " - "
_LEAST_WINDOWS, _LEAST_SHARE = 2, 0.005
_A_DAY = 1440.0


def find(looked: Looked) -> Iterator[Alarm]:
    """The alarms of every feed."""
    for name, sketch in looked.feeds.items():
        for span in sketch.spans:
            yield from _span(looked, name, sketch, span)


def _span(looked: Looked, name: str, sketch: Sketch, span: str) -> Iterator[Alarm]:
    later, _, earlier = span.partition(PARTED)
    subject, now = f"{name}.{later}", sketch.spans[span]
    trusted = looked.trusted(name, subject, f"{name}.{earlier}")
    past = [item.spans[span] for item in trusted if span in item.spans]
    turned = _turned(past, now)
    if turned:
        says = (
            f"{subject} lies before {earlier} in {turned:.1%} of the rows or more, in no window before did it; {AGAIN}"
        )
        yield Alarm("clock_change", subject, says, turned, 0.0)
    one = _one_length(past, now)
    if one is not None:
        says = (
            f"{subject} lies {one:g} minutes after {earlier} in nearly all rows, before they lay more and less "
            f"apart: was one copied from the other? {AGAIN}"
        )
        yield Alarm("one_value", subject, says, one, 0.0)
    far = None if all(ends[1] == ends[-1] for ends in past) else far_values.find(past, now)
    if far:
        says = (
            f"{subject} lies {far.value / _A_DAY:.4g} days after {earlier} in {far.share:.1%} of the rows or more, "
            f"before {far.lowest / _A_DAY:.4g} to {far.highest / _A_DAY:.4g} days: a date for missing, or day "
            f"and month in another order? {AGAIN}"
        )
        yield Alarm("far_values", subject, says, far.share, 0.0)


def _turned(past: Sequence[tuple[float, ...]], now: tuple[float, ...]) -> float:
    """The share of the rows, as far as it is known, whose order was turned; 0 where that is not new."""
    if len(past) < _LEAST_WINDOWS or min(ends[1] for ends in past) < 0:
        return 0.0
    below = [share for share, value in zip(far_values.SHARES, now[1:], strict=False) if value < 0]
    share = max(below, default=0.0)
    return share if share >= _LEAST_SHARE else 0.0


def _one_length(past: Sequence[tuple[float, ...]], now: tuple[float, ...]) -> float | None:
    """The minutes between both in eight rows of ten or more, where no window had one length in so many."""
    tenth = far_values.SHARES.index(0.1) + 1
    if len(past) < _LEAST_WINDOWS or any(ends[tenth] == ends[-tenth] for ends in past):
        return None
    return now[tenth] if now[tenth] == now[-tenth] else None
