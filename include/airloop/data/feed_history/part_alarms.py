"""Alarms about the rows of one name alone, a shop or a station: another unit there, outcomes of another meaning."""

from collections.abc import Iterator, Set

from airloop.data.feed_history import levels_of_parts, rates_of_parts
from airloop.data.feed_history.conversions import AMOUNTS
from airloop.data.feed_history.looked import AGAIN, MEND, Looked
from airloop.data.feed_history.sketch import Sketch
from airloop.records import Alarm

_BY = " by "


def find(looked: Looked, suspects: Set[str]) -> list[Alarm]:
    """One alarm a column at most, of columns of which nothing is said yet.

    Args:
        suspects: Columns of which another alarm says what is wrong in all rows.
    """
    by_subject: dict[str, Alarm] = {}
    for name, sketch in looked.feeds.items():
        for alarm in _units(looked, name, sketch, suspects):
            by_subject.setdefault(alarm.subject, alarm)
    for (first, second), sketch in looked.pairs.items():
        for alarm in _rates(looked, f"{first}|{second}", sketch, suspects):
            by_subject.setdefault(alarm.subject, alarm)
    return list(by_subject.values())


def _units(looked: Looked, name: str, sketch: Sketch, suspects: Set[str]) -> Iterator[Alarm]:
    for about, levels in sketch.levels.items():
        column, text = (f"{name}.{part}" for part in about.split(levels_of_parts.WHERE))
        if {column, text} & suspects:
            continue
        past = [item.levels.get(about, {}) for item in looked.trusted(name, column, text)]
        part = levels_of_parts.converted(past, levels, AMOUNTS)
        if part:
            says = (
                f"{column} looks like a unit change ({part.conversion.name}) where {text} is {part.name!r}, and not "
                f"elsewhere: its median there is {part.observed:.4g}, in the old unit {part.expected:.4g}; {MEND}"
            )
            yield Alarm("unit_change", column, says, part.observed, part.expected)


def _rates(looked: Looked, names: str, sketch: Sketch, suspects: Set[str]) -> Iterator[Alarm]:
    for about, profiles in sketch.profiles.items():
        text, _, outcome = about.rpartition(_BY)
        if {text, outcome} & suspects:
            continue
        past = [item.profiles.get(about, {}) for item in looked.trusted(names, outcome, text)]
        part = rates_of_parts.find(past, profiles)
        if part:
            says = (
                f"{outcome}: where {text} is {part.name!r}, {part.observed:.0%} of the outcomes are {part.outcome!r}, "
                f"in the windows before {part.expected:.0%}, and those of all other rows are as they were: has their "
                f"meaning been turned there, or do some not arrive? {AGAIN}"
            )
            yield Alarm("label_rate", outcome, says, part.observed, part.expected)
