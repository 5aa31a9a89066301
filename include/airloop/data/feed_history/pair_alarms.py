"""Alarms about what belongs together: two clocks, two columns, the rows of two feeds that share their key."""

import itertools
from collections.abc import Iterator
from datetime import date, timedelta

from airloop.data.feed_history import clocks, completeness, exchanged, exchanged_alike, same_values, told_outcomes
from airloop.data.feed_history.looked import AGAIN, LAND, MEND, Looked
from airloop.data.feed_history.relations import PARTED
from airloop.data.feed_history.sketch import Sketch
from airloop.records import Alarm

_SHOWN = 5


def find(looked: Looked) -> Iterator[Alarm]:
    """The alarms of every two columns, and of every two feeds."""
    for name, sketch in looked.feeds.items():
        yield from _exchanged(looked, name, sketch)
        yield from _same(looked, name, sketch)
    whole_days = looked.window.end - looked.window.start >= timedelta(days=1)
    for shifted in clocks.find(looked.pipeline, looked.sketches, looked.trusted, whole_days=whole_days):
        yield Alarm("clock_change", shifted.subject, f"{shifted.says}; {MEND}", shifted.observed, shifted.expected)
    for (first, second), sketch in looked.pairs.items():
        yield from _partners(looked, first, second, sketch)
        yield from _told(looked, first, second, sketch)


def _exchanged(looked: Looked, name: str, sketch: Sketch) -> Iterator[Alarm]:
    columns = {*sketch.texts, *(column for block in sketch.blocks for column in block.numbers)}
    past = {column: looked.trusted(name, f"{name}.{column}") for column in columns}
    columns_named: set[str] = set()
    for pair in itertools.chain(exchanged.find(past, sketch), exchanged_alike.find(past, sketch)):
        if columns_named & set(pair.columns):
            continue
        columns_named |= set(pair.columns)
        one, other = (f"{name}.{column}" for column in pair.columns)
        says = (
            f"{one} and {other} look exchanged: now like {pair.now[0]} and {pair.now[1]}, before like "
            f"{pair.before[0]} and {pair.before[1]}; {AGAIN}"
        )
        yield Alarm("exchanged", f"{one}, {other}", says, pair.own, pair.crossed)


def _same(looked: Looked, name: str, sketch: Sketch) -> Iterator[Alarm]:
    for pair in sketch.alike:
        one, other = (f"{name}.{column}" for column in pair.split(same_values.IS))
        # What is wrong with a third column makes no window useless for these two.
        leapt = same_values.same(looked.trusted(name, one, other), sketch, pair)
        if leapt is None:
            continue
        now, most = leapt
        says = (
            f"{one} and {other} are the same in {now:.0%} of the rows, in no window before in more than {most:.0%}: "
            f"was one copied from the other? {AGAIN}"
        )
        yield Alarm("copied_column", f"{one}, {other}", says, now, most)


def _told(looked: Looked, first: str, second: str, sketch: Sketch) -> Iterator[Alarm]:
    for pair, measured in sketch.known.items():
        before = [item.known for item in looked.trusted(f"{first}|{second}", *pair.split(PARTED))]
        for one, other, now, most in told_outcomes.tells(before, {pair: measured}):
            says = (
                f"{one} tells {other} nearly always ({now:.2f} of what it can at most), in no window before by "
                f"more than {most:.2f}: is it filled in once the outcome is known? A model that learns from it knows "
                f"nothing when it is asked; {AGAIN}"
            )
            yield Alarm("knows_outcome", one, says, now, most)


def _partners(looked: Looked, first: str, second: str, sketch: Sketch) -> Iterator[Alarm]:
    past = looked.trusted(f"{first}|{second}", second)
    outcome = looked.pipeline.feeds[second].outcome
    fewer = completeness.fewer_partners(past, sketch)
    lost = [item for item in completeness.lost_days(past, sketch) if not _said_before(looked, second, item[0])]
    if lost and not fewer:
        (_, share), days = lost[0], ", ".join(day for day, _ in lost[:_SHOWN])
        says = f"{second} hardly has a row for {first} of {days} ({share.observed:.0%}, usually {share.expected:.0%})"
        yield Alarm("missing_day", second, f"{says}: a file is missing; {LAND}", share.observed, share.expected)
    if fewer:
        says = f"{fewer.observed:.1%} of the rows of {first} have one in {second}, usually {fewer.expected:.1%}"
        yield Alarm(
            "labels_missing" if outcome else "incomplete", second, f"{says}; {LAND}", fewer.observed, fewer.expected
        )
    for column, tail, share in completeness.not_at_random(past, sketch)[:1]:
        says = (
            f"{second} is missing not at random: of the tenth of {first} with the {tail} {column}, "
            f"{share.observed:.0%} have no row in it, usually {share.expected:.0%}; {LAND}"
        )
        yield Alarm("missing_not_at_random", second, says, share.observed, share.expected)
    yield from _keys(first, second, past=past, sketch=sketch, outcome=outcome)


def _said_before(looked: Looked, feed: str, day: str) -> bool:
    """Whether ingestion has said that a file is missing of the day, or of one beside it: partners come later."""
    around = (date.fromisoformat(day) + timedelta(days=number) for number in (-1, 0, 1))
    return any(f"{feed} {other}" in looked.missing_days for other in around)


def _keys(first: str, second: str, *, past: list[Sketch], sketch: Sketch, outcome: bool) -> Iterator[Alarm]:
    unknown = completeness.unknown_keys(past, sketch)
    if unknown:
        says = (
            f"{unknown.observed:.1%} of the rows of {second} have no row in {first}, usually {unknown.expected:.1%}: "
            f"are their keys written another way, or are they rows of what never happened? {AGAIN}"
        )
        yield Alarm("unknown_keys", second, says, unknown.observed, unknown.expected)
    filled = completeness.more_partners(past, sketch)
    if filled and outcome:
        says = (
            f"{filled.observed:.1%} of the rows of {first} have no row in {second}, {filled.expected:.1%} or more were "
            f"without one before: does what has no outcome get one now? {AGAIN}"
        )
        yield Alarm("outcomes_for_all", second, says, filled.observed, filled.expected)
