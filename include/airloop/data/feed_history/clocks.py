"""Which timestamp column looks as if another clock wrote it: by its hours of the day, and by its distance to others."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from airloop.config import Pipeline
from airloop.data.feed_history import clock_shift, unit_change
from airloop.data.feed_history.conversions import CLOCKS
from airloop.data.feed_history.sketch import Sketch

_LEAST_WIDTH_MINUTES = 30.0
Trusted = Callable[..., Sequence[Sketch]]


@dataclass(frozen=True)
class Shifted:
    """A timestamp column that looks shifted by whole hours; both numbers are hours."""

    subject: str
    says: str
    observed: float
    expected: float


def find(
    pipeline: Pipeline, sketches: Mapping[str, Sketch], trusted: Trusted, *, whole_days: bool = True
) -> Iterator[Shifted]:
    """The columns to blame: those whose hours of the day moved, else those that most shifted differences share.

    Args:
        whole_days: Whether the windows show every hour of the day, and not each another one.
    """
    moved = dict(_by_minutes(sketches, trusted)) | (dict(_by_hours(pipeline, sketches, trusted)) if whole_days else {})
    yield from moved.values()
    by_time = dict(_by_hours_apart(pipeline, sketches, trusted)) | dict(_by_difference(pipeline, sketches, trusted))
    shifted = {name: item for name, item in by_time.items() if not _named(name) & set(moved)}
    while shifted:
        blamed = Counter(column for name in shifted for column in sorted(_named(name)))
        column = max(blamed, key=lambda item: (blamed[item], item))
        about = [name for name in shifted if column in _named(name)]
        item = shifted[about[0]]
        yield Shifted(column, item.says, item.observed, item.expected)
        shifted = {name: item for name, item in shifted.items() if name not in about}


def _by_hours(pipeline: Pipeline, sketches: Mapping[str, Sketch], trusted: Trusted) -> Iterator[tuple[str, Shifted]]:
    for name, sketch in sketches.items():
        for column, hours in sketch.hours.items():
            subject = f"{name}.{column}"
            past = [earlier.hours[column] for earlier in trusted(name, subject) if column in earlier.hours]
            shift = clock_shift.find(past, hours)
            if shift:
                says = _says(
                    pipeline, subject, shift[0], sketch.blocks[0].day, "its rows over the hours of the day moved"
                )
                yield subject, Shifted(subject, says, float(shift[0]), 0.0)


def _by_minutes(sketches: Mapping[str, Sketch], trusted: Trusted) -> Iterator[tuple[str, Shifted]]:
    for name, sketch in sketches.items():
        for column, minutes in sketch.minutes.items():
            subject = f"{name}.{column}"
            past = [earlier.minutes[column] for earlier in trusted(name, subject) if column in earlier.minutes]
            shift = clock_shift.find(past, minutes, least=1)
            if shift:
                before, now = (int(np.argmax(counts)) for counts in (past[-1], minutes))
                says = (
                    f"{subject} looks like another clock, {shift[0]:+g} min: its rows over the minutes of the hour "
                    f"moved, most were at {before:02d} and are at {now:02d}"
                )
                yield subject, Shifted(subject, says, shift[0] / 60, 0.0)


def _by_difference(
    pipeline: Pipeline, sketches: Mapping[str, Sketch], trusted: Trusted
) -> Iterator[tuple[str, Shifted]]:
    for name, sketch in sketches.items():
        columns = {column for block in sketch.blocks for column in block.numbers if " - " in column}
        for column in sorted(columns):
            full = column if "|" in name else " - ".join(f"{name}.{part}" for part in column.split(" - "))
            subjects = _named(full)
            past = trusted(name, *sorted(subjects))
            blocks = [block for earlier in past for block in earlier.blocks]
            change = unit_change.find(blocks, sketch.blocks, column, CLOCKS, least_width=_LEAST_WIDTH_MINUTES)
            if change:
                hours, about = (
                    change.conversion.offset / 60,
                    f"{full} is {change.observed / 60:.1f} h, before {change.expected / 60:.1f} h",
                )
                later = full.split(" - ")[0]
                says = _says(pipeline, later, hours, change.days[0], about)
                yield full, Shifted(later, says, change.observed / 60, change.expected / 60)


def _by_hours_apart(
    pipeline: Pipeline, sketches: Mapping[str, Sketch], trusted: Trusted
) -> Iterator[tuple[str, Shifted]]:
    """By the hours between two instants modulo a day: of a promise for noon some days later, noon."""
    for name, sketch in sketches.items():
        for span, hours in sketch.apart.items():
            full = " - ".join(f"{name}.{part}" for part in span.split(" - "))
            past = [item.apart[span] for item in trusted(name, *sorted(_named(full))) if span in item.apart]
            turned = clock_shift.find(past, hours)
            if turned:
                later = full.split(" - ")[0]
                says = _says(pipeline, later, turned[0], sketch.blocks[0].day, f"the time of the day of {full} moved")
                yield full, Shifted(later, says, float(turned[0]), 0.0)


def _named(difference: str) -> set[str]:
    return set(difference.split(" - "))


def _says(pipeline: Pipeline, subject: str, hours: float, day: str, why: str) -> str:
    feed = pipeline.feeds[subject.partition(".")[0]]
    noon = datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=ZoneInfo(feed.day_timezone))
    offset = (noon.utcoffset() or timedelta()).total_seconds() / 3600
    if offset and hours == offset:
        return f"{subject} looks like local time ({feed.day_timezone}) written as UTC, {hours:+g} h: {why}"
    return f"{subject} looks like another clock, {hours:+g} h: {why}"
