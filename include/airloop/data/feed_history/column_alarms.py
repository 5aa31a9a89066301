"""Alarms about one column: another unit, one value, missing values, other values of what is fixed."""

from collections.abc import Iterator, Sequence, Set

import numpy as np

from airloop.config import Feed
from airloop.data.feed_history import (
    companions,
    far_values,
    fixed_attributes,
    frozen_values,
    missing_values,
    pile_up,
    precision,
    price_factor,
    smooth_columns,
    unit_change,
    value_grid,
)
from airloop.data.feed_history.conversions import AMOUNTS, TURNED, Conversion
from airloop.data.feed_history.looked import AGAIN, LAND, MEND, Looked
from airloop.data.feed_history.precision import Digit, Precision
from airloop.data.feed_history.price_factor import Multiplied
from airloop.data.feed_history.sketch import Sketch
from airloop.data.feed_history.sketches import numeric_columns
from airloop.data.feed_history.unit_change import Converted
from airloop.records import Alarm


def find(looked: Looked) -> Iterator[Alarm]:
    """The alarms of every column of every feed."""
    for name, sketch in looked.feeds.items():
        feed = looked.pipeline.feeds[name]
        fixed = list(_fixed(looked, name, sketch))
        yield from _units(looked, name, feed, sketch, fixed={alarm.subject for alarm in fixed})
        yield from _piles(looked, name, feed, sketch)
        yield from _far(looked, name, sketch)
        yield from _digits(looked, name, sketch)
        yield from _frozen(looked, name, feed, sketch)
        yield from _missing(looked, name, feed, sketch)
        yield from fixed


def _units(looked: Looked, name: str, feed: Feed, sketch: Sketch, *, fixed: Set[str]) -> Iterator[Alarm]:
    numbers = numeric_columns(feed)
    trusted = {column: looked.trusted(name, f"{name}.{column}") for column in numbers}
    converted = {column: change for column in numbers if (change := _converted(trusted[column], sketch, column))}
    grids = {column: [item.grids[column] for item in past if column in item.grids] for column, past in trusted.items()}
    multiplied = price_factor.find(grids, sketch.grids)
    as_before = [column for column in numbers if column not in converted]
    for column, past in trusted.items():
        subject, changed = f"{name}.{column}", converted.get(column)
        if changed and not companions.of(past, sketch, column, changed.conversion, as_before):
            yield _another_unit(subject, changed, static=feed.static)
        elif not changed and column in sketch.grids:
            # Whole numbers lie on any grid once something is undone.
            lost = _lost_digit(past, sketch, column)
            rounding = lost and lost.step >= 1 and _lies_as_before(past, sketch, column)
            moved = None if rounding else value_grid.find(grids[column], sketch.grids[column], AMOUNTS)
            # Whose rows they are is the better name: what was fixed for them has changed.
            in_part = not (lost or moved or column in multiplied or subject in fixed)
            if moved:
                yield _moved_grid(subject, *moved)
            elif column in multiplied:
                yield _multiplied(subject, multiplied[column])
            elif in_part and (part := value_grid.find_part(grids[column], sketch.grids[column], AMOUNTS)):
                yield _moved_part(subject, *part)


def _another_unit(subject: str, changed: Converted, *, static: bool) -> Alarm:
    first, last = changed.days
    since = "" if static else f" from {first} to {last}"
    kind = "turned" if changed.conversion in TURNED else "unit_change"
    looks = "turned round" if kind == "turned" else "like a unit change"
    says = (
        f"{subject} looks {looks} ({changed.conversion.name}){since}: its median is {changed.observed:.4g}, before "
        f"{changed.expected:.4g}; {MEND}"
    )
    return Alarm(kind, subject, says, changed.observed, changed.expected)


def _moved_grid(subject: str, conversion: Conversion, without: float, share: float) -> Alarm:
    says = (
        f"{subject} looks like a unit change ({conversion.name}): {without:.0%} of its rows have a value that was "
        f"there before, and {share:.0%} once the change is undone; {MEND}"
    )
    return Alarm("unit_change", subject, says, without, share)


def _multiplied(subject: str, priced: Multiplied) -> Alarm:
    says = (
        f"{subject} looks multiplied by {priced.factor:g}: {priced.without:.0%} of its rows have a value that was "
        f"there before, and {priced.share:.0%} once that is undone: another currency, a tax in it, a new price "
        f"list? {MEND}"
    )
    return Alarm("unit_change", subject, says, priced.without, priced.share)


def _moved_part(subject: str, conversion: Conversion, strange: float, share: float) -> Alarm:
    says = (
        f"{subject} looks like a unit change ({conversion.name}) in a part of the rows: {strange:.0%} have a value "
        f"that was never there before, and {share:.0%} of those were once the change is undone; {MEND}"
    )
    return Alarm("unit_change", subject, says, strange, share)


def _converted(past: Sequence[Sketch], sketch: Sketch, column: str) -> Converted | None:
    if _crept(past, sketch, column):
        return None
    blocks = [block for earlier in past for block in earlier.blocks]
    return unit_change.find(blocks, sketch.blocks, column, (*AMOUNTS, *_turned(past, sketch, column)))


def _turned(past: Sequence[Sketch], sketch: Sketch, column: str) -> list[Conversion]:
    """The other parts that a share may be: all its values lie between none and the whole."""
    blocks = [block.numbers[column] for item in (*past, sketch) for block in item.blocks if column in block.numbers]
    lowest = min((item.quantiles[0] for item in blocks), default=-1.0)
    highest = max((item.quantiles[-1] for item in blocks), default=-1.0)
    return [item for item in TURNED if lowest >= 0 and 0.5 * item.offset < highest <= item.offset]


def _crept(past: Sequence[Sketch], sketch: Sketch, column: str) -> bool:
    courses = [earlier.courses[column] for earlier in past if column in earlier.courses]
    return smooth_columns.crept(courses, sketch.courses.get(column))


def _far(looked: Looked, name: str, sketch: Sketch) -> Iterator[Alarm]:
    for column, ends in sketch.ends.items():
        subject = f"{name}.{column}"
        trusted = looked.trusted(name, subject)
        far = far_values.find([earlier.ends[column] for earlier in trusted if column in earlier.ends], ends)
        if _crept(trusted, sketch, column):
            continue
        if far:
            says = (
                f"{subject}: {far.share:.1%} of the rows or more lie far {far.side} all that was there before "
                f"({far.lowest:.6g} to {far.highest:.6g}), like {far.value:.6g}: a code for missing, or another unit "
                f"in a part of the rows? {AGAIN}"
            )
            yield Alarm("far_values", subject, says, far.share, 0.0)
            continue
        level = far_values.level([earlier.ends[column] for earlier in trusted if column in earlier.ends], ends)
        if level:
            says = (
                f"{subject}: nine rows in ten lie {level.side} 99 % of those of every window before "
                f"({level.lowest:.6g} to {level.highest:.6g}), their median is {level.value:.6g}: another scale, or "
                f"another meaning? {AGAIN}"
            )
            yield Alarm("far_values", subject, says, level.share, 0.0)


def _digits(looked: Looked, name: str, sketch: Sketch) -> Iterator[Alarm]:
    for column, digits in sketch.digits.items():
        subject = f"{name}.{column}"
        past = looked.trusted(name, subject)
        lost, gained = _lost_digit(past, sketch, column), precision.gained(_digits_before(past, column), digits)
        if lost:
            says = (
                f"{subject}: {1 - lost.share:.0%} of the values are {lost.name}, in every window before "
                f"{lost.before:.0%} or more were finer: rounded, or cut off on the way? {AGAIN}"
            )
            yield Alarm("rounded", subject, says, lost.share, lost.before)
        elif gained:
            says = (
                f"{subject}: {gained.share:.0%} of the values are no {gained.name}, in the windows before all were: "
                f"converted, or calculated on the way? {AGAIN}"
            )
            yield Alarm("new_digits", subject, says, gained.share, gained.before)


def _lost_digit(past: Sequence[Sketch], sketch: Sketch, column: str) -> Digit | None:
    return precision.lost(_digits_before(past, column), sketch.digits.get(column))


def _digits_before(past: Sequence[Sketch], column: str) -> list[Precision]:
    return [item.digits[column] for item in past if column in item.digits]


def _lies_as_before(past: Sequence[Sketch], sketch: Sketch, column: str) -> bool:
    """Whether a column's median lies among those of the windows before, by a quarter of its width."""
    known = [item.numbers[column].quantiles for earlier in past for item in earlier.blocks if column in item.numbers]
    now = [item.numbers[column].quantiles for item in sketch.blocks if column in item.numbers]
    if not known or not now:
        return False
    middles, slack = [item[4] for item in known], 0.25 * float(np.median([item[6] - item[2] for item in known]))
    return min(middles) - slack <= float(np.median([item[4] for item in now])) <= max(middles) + slack


def _frozen(looked: Looked, name: str, feed: Feed, sketch: Sketch) -> Iterator[Alarm]:
    for column in numeric_columns(feed):
        subject = f"{name}.{column}"
        past = [earlier.variety for earlier in looked.trusted(name, subject)]
        frozen = frozen_values.find(past, sketch.variety, column)
        if frozen:
            part, now, before = frozen
            where = f" where {part}" if part else ""
            says = (
                f"{subject}{where} has {now:g} different values a day, before {before:g} or more: does a sensor hang, "
                f"or was a value copied down? {AGAIN}"
            )
            yield Alarm("frozen_values", subject, says, now, before)


def _piles(looked: Looked, name: str, feed: Feed, sketch: Sketch) -> Iterator[Alarm]:
    for column, pile in sketch.piles.items():
        subject = f"{name}.{column}"
        past = [earlier.piles[column] for earlier in looked.trusted(name, subject) if column in earlier.piles]
        before = pile_up.taken_over(past, pile)
        if before is not None:
            what = f"the minute {pile.value}" if feed.columns[column] == "timestamp" else f"the value {pile.value}"
            says = (
                f"{subject}: {pile.share:.0%} of the rows have {what}, no value was in more than {before:.0%} "
                "before: a default, a limit or a code for missing in place of what was measured? Land the files "
                "with the values themselves, or say that they are right: `airloop alarms answer`"
            )
            yield Alarm("one_value", subject, says, pile.share, before)


def _missing(looked: Looked, name: str, feed: Feed, sketch: Sketch) -> Iterator[Alarm]:
    for column in sketch.filled:
        subject = f"{name}.{column}"
        more = missing_values.more(looked.trusted(name, subject), sketch, column)
        if more:
            when = "of the table" if feed.static else "a day"
            says = (
                f"{subject} is empty in {more.observed:.1%} of the rows {when}, usually in {more.expected:.1%}; {LAND}"
            )
            yield Alarm("missing_values", subject, says, more.observed, more.expected)


def _fixed(looked: Looked, name: str, sketch: Sketch) -> Iterator[Alarm]:
    subjects = {rule.partition(fixed_attributes.FIXES)[2] for rule in (*sketch.fixed, *sketch.unfixed)}
    for column in sorted(subjects):
        subject = f"{name}.{column}"
        rules = [earlier.fixed for earlier in looked.trusted(name, subject)]
        for change in fixed_attributes.changed(rules, sketch.fixed):
            if change.column == column:
                says = (
                    f"{subject} is fixed for each {change.by}, and has another value now for {change.share:.0%} of "
                    f"those seen before ({change.example}); {MEND}"
                )
                yield Alarm("fixed_attribute_changed", subject, says, change.share, 0.0)
        for change in fixed_attributes.no_longer(rules, sketch.unfixed):
            if change.column == column:
                says = (
                    f"{subject} was fixed for each {change.by}, and {change.share:.0%} of the rows now have another "
                    f"value than most of theirs ({change.example}); {MEND}"
                )
                yield Alarm("fixed_attribute_changed", subject, says, change.share, 0.0)
