"""Alarms about a feed's own days: one without a row, and days with far fewer rows than usual."""

from collections.abc import Iterator

from airloop.config import Feed
from airloop.data.feed_history import completeness, due_days
from airloop.data.feed_history.looked import LAND, Looked
from airloop.records import Alarm

_SHOWN = 5


def find(looked: Looked) -> Iterator[Alarm]:
    """The alarms of every feed that has days."""
    for name, feed in looked.pipeline.feeds.items():
        if not feed.static:
            yield from _days(looked, name, feed)


def _days(looked: Looked, name: str, feed: Feed) -> Iterator[Alarm]:
    sketch = looked.sketches.get(name)
    if sketch is None or not sketch.days:
        return
    past = due_days.side_by_side(looked.past.get(name, ()), looked.window)
    before = due_days.summed(past)
    judged = due_days.judged(looked.pipeline, feed, looked.window, sketch.days, adjacent=bool(past))
    absent = completeness.missing_days(before, sketch.days, judged)
    missing = [day for day in absent if f"{name} {day}" not in looked.missing_days]
    if missing:
        shown = ", ".join(str(day) for day in missing[:_SHOWN])
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        says = f"{name} has no row of {shown}{more} (days in {feed.day_timezone}), a file is missing; {LAND}"
        yield Alarm("missing_day", name, says, float(len(missing)), 0.0)
    # The day that the window before began is whole only with its rows from there.
    whole = {str(day): before.get(str(day), 0) + sketch.days.get(str(day), 0) for day in judged}
    earlier = {day: rows for day, rows in before.items() if day not in whole}
    days = [day for day in judged if day not in absent and due_days.bounds(feed, day)[1] <= looked.window.end]
    fewer = completeness.fewer_rows(earlier, whole, days)
    if fewer and not any(_partner_says(looked, pair) for pair in looked.pairs if pair[1] == name):
        says = (
            f"{name} has {fewer.observed:.0%} of the rows a day that it had on the same weekdays of the four weeks "
            f"before; {LAND}"
        )
        yield Alarm("labels_missing" if feed.outcome else "incomplete", name, says, fewer.observed, 1.0)


def _partner_says(looked: Looked, pair: tuple[str, str]) -> bool:
    """Whether a pair of feeds says how many rows the second should have: then their number alone says less."""
    return bool(looked.trusted("|".join(pair), pair[1]))
