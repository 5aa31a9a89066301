"""Alarms about flags, codes and parts of a clock: one value left, two that changed places, another way to count."""

from collections.abc import Iterator

from airloop.data.feed_history import clock_columns, code_shares
from airloop.data.feed_history.clock_columns import Clocked
from airloop.data.feed_history.looked import AGAIN, Looked
from airloop.data.feed_history.sketch import Sketch
from airloop.records import Alarm


def find(looked: Looked) -> Iterator[Alarm]:
    """The alarms of every feed."""
    for name, sketch in looked.feeds.items():
        for column in sketch.codes:
            yield from _shares(looked, name, column, sketch)
        yield from _clocks(looked, name, sketch)


def _shares(looked: Looked, name: str, column: str, sketch: Sketch) -> Iterator[Alarm]:
    subject, codes = f"{name}.{column}", sketch.codes[column]
    past = [earlier.codes[column] for earlier in looked.trusted(name, subject) if column in earlier.codes]
    left = code_shares.one_left(past, codes)
    if left:
        value, others = left
        says = (
            f"{subject} is {value!r} in every row, in every window before {others:.0%} of the rows or more had another "
            f"value: is it a default, or does its source hang? {AGAIN}"
        )
        yield Alarm("frozen_values", subject, says, 1.0, 1 - others)
    pair = code_shares.changed_places(past, codes)
    if pair:
        says = (
            f"{subject}: {pair[0]!r} and {pair[1]!r} have changed places: {codes.share(pair[1]):.0%} of the rows are "
            f"{pair[1]!r}, in the windows before {past[-1].share(pair[1]):.0%}, and the other way round: has its "
            f"meaning been turned? {AGAIN}"
        )
        yield Alarm("changed_places", subject, says, codes.share(pair[1]), past[-1].share(pair[1]))


def _clocks(looked: Looked, name: str, sketch: Sketch) -> Iterator[Alarm]:
    now = Clocked(sketch.clocked, sketch.unclocked)
    for column in dict.fromkeys(rule.partition(clock_columns.SAYS)[2] for rule in (*now.values, *now.broken)):
        subject = f"{name}.{column}"
        past = [earlier.clocked for earlier in looked.trusted(name, subject)]
        other = clock_columns.changed(past, now, column)
        if other:
            yield Alarm("clock_change", subject, f"{subject} {other.says}; {AGAIN}", other.observed, other.expected)
