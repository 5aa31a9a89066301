"""Alarms about the time between two instants of a row: never so long, or the later one before the earlier one."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from airloop.data.feed_history import far_values
from airloop.data.feed_history.looked import AGAIN, MEND, Looked
from airloop.data.feed_history.sketch import Sketch
from airloop.records import Alarm

PARTED = " - "
_LEAST_WINDOWS, _LEAST_SHARE = 2, 0.005
_A_DAY = 1440.0
_DAYS, _LEAST_TO_MOVE, _STILL = (-1, -2, -7), 3, 0.3
"""Days that dates lose (people do wait longer, all of them); how far, in days and of how far they moved, all quantiles
may lie from that."""


def find(looked: Looked) -> Iterator[Alarm]:
    """The alarms of every feed."""
    for name, sketch in looked.feeds.items():
        moved = _moved(looked, name, sketch)
        yield from moved.values()
        for span in sketch.spans:
            if not set(span.split(PARTED)) & set(moved):
                yield from _span(looked, name, sketch, span)


def _moved(looked: Looked, name: str, sketch: Sketch) -> dict[str, Alarm]:
    """Columns that were moved by whole days: those that most of such spans share, and not the event time."""
    days = {span: by for span, now in sketch.spans.items() if (by := _moved_days(_past(looked, name, span), now))}
    alarms: dict[str, Alarm] = {}
    while days:
        blamed = Counter(column for span in days for column in span.split(PARTED))
        event_time, later = looked.pipeline.feeds[name].event_time, {span.split(PARTED)[0] for span in days}
        # The one that lost a day, rather than the other one that gained it.
        column = max(blamed, key=lambda item: (blamed[item], item != event_time, item in later, item))
        span = next(span for span in days if column in span.split(PARTED))
        last, first = span.split(PARTED)
        by = days[span] if column == last else -days[span]
        says = (
            f"{name}.{column} looks {abs(by)} day{'s' * (abs(by) > 1)} {'early' if by < 0 else 'late'}: the time from "
            f"{first} to {last} is as it was, and {days[span]:+} d, in all rows; {MEND}"
        )
        alarms[column] = Alarm("clock_change", f"{name}.{column}", says, float(by), 0.0)
        days = {span: by for span, by in days.items() if column not in span.split(PARTED)}
    return alarms


def _past(looked: Looked, name: str, span: str) -> list[tuple[float, ...]]:
    trusted = looked.trusted(name, *(f"{name}.{column}" for column in span.split(PARTED)))
    return [item.spans[span] for item in trusted if span in item.spans]


def _span(looked: Looked, name: str, sketch: Sketch, span: str) -> Iterator[Alarm]:
    later, _, earlier = span.partition(PARTED)
    subject, now, past = f"{name}.{later}", sketch.spans[span], _past(looked, name, span)
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


def _moved_days(past: Sequence[tuple[float, ...]], now: tuple[float, ...]) -> int | None:
    """The whole days that all quantiles lost together; None where they move by parts of a day anyway."""
    if len(past) < _LEAST_TO_MOVE:
        return None
    before, ends_now = np.array([ends[1:] for ends in past]), np.array(now[1:])
    apart = np.abs(before[:, None] - before[None, :]).mean(axis=2) + np.diag(np.full(len(past), np.inf))
    if apart.min(axis=1).max() > _STILL * _A_DAY:
        return None
    nearest = {days: float(np.abs(before + days * _A_DAY - ends_now).mean(axis=1).min()) for days in (0, *_DAYS)}
    best = min(_DAYS, key=lambda days: nearest[days])
    return best if nearest[best] <= _STILL * _A_DAY and nearest[best] <= _STILL * nearest[0] else None


def _one_length(past: Sequence[tuple[float, ...]], now: tuple[float, ...]) -> float | None:
    """The minutes between both in eight rows of ten or more, where no window had one length in so many."""
    tenth = far_values.SHARES.index(0.1) + 1
    if len(past) < _LEAST_WINDOWS or any(ends[tenth] == ends[-tenth] for ends in past):
        return None
    return now[tenth] if now[tenth] == now[-tenth] else None
