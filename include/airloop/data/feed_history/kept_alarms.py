"""Alarms about values that stood still in every window before and have moved."""

from collections.abc import Iterator

from airloop.data.feed_history import capped, kept_values
from airloop.data.feed_history.looked import AGAIN, MEND, Looked
from airloop.data.feed_history.sketch import Sketch
from airloop.records import Alarm


def find(looked: Looked) -> Iterator[Alarm]:
    """The alarms of every feed."""
    for name, sketch in looked.feeds.items():
        yield from _ends(looked, name, sketch)
        yield from _capped(looked, name, sketch)
        yield from _held(looked, name, sketch)


def _ends(looked: Looked, name: str, sketch: Sketch) -> Iterator[Alarm]:
    for column, ends in sketch.ends.items():
        subject = f"{name}.{column}"
        past = [earlier.ends[column] for earlier in looked.trusted(name, subject) if column in earlier.ends]
        moved = kept_values.moved_end(past, ends)
        if moved:
            says = (
                f"{subject} looks as if {moved.now - moved.before:+.6g} had been added: its {moved.side} value is "
                f"{moved.now:.6g} in {moved.share:.1%} of the rows or more, in every window before it was "
                f"{moved.before:.6g}; {MEND}"
            )
            yield Alarm("offset", subject, says, moved.now, moved.before)
        limit = kept_values.new_limit(past, ends)
        if limit:
            says = (
                f"{subject}: {limit.share:.0%} of the rows or more have its {limit.side} value {limit.now:.6g}, in no "
                f"window before did {kept_values.THIN:.1%}: a limit, or a code for missing? {AGAIN}"
            )
            yield Alarm("one_value", subject, says, limit.share, 0.0)


def _capped(looked: Looked, name: str, sketch: Sketch) -> Iterator[Alarm]:
    for column, grid in sketch.grids.items():
        subject = f"{name}.{column}"
        past = [earlier.grids[column] for earlier in looked.trusted(name, subject) if column in earlier.grids]
        cut = capped.find(past, grid)
        if cut:
            side, end, share, before = cut
            says = (
                f"{subject}: {share:.0%} of the rows have its {side} value {end:.6g}, in the windows before "
                f"{before:.0%} or less, and others lay beyond it: is it cut off there? {AGAIN}"
            )
            yield Alarm("one_value", subject, says, share, before)


def _held(looked: Looked, name: str, sketch: Sketch) -> Iterator[Alarm]:
    columns_named: set[str] = set()
    for rule, item in sketch.held.items():
        column, _, other = rule.partition(kept_values.WHERE)
        past = [earlier.held for earlier in looked.trusted(name, f"{name}.{column}", f"{name}.{other}")]
        for _, _, before, now in kept_values.broken(past, {rule: item}):
            if column in columns_named:
                continue
            columns_named.add(column)
            says = (
                f"{name}.{column} is {now[0]:.6g} where {other} is 0 ({now[1]:.0%} of those rows), in "
                f"every window before it was {before[0]:.6g}: has something been added to it, or has it been turned? "
                f"{AGAIN}"
            )
            yield Alarm("offset", f"{name}.{column}", says, now[0], before[0])
