"""Alarms about a feed's own rows: a day without one, far fewer than usual, copies of others under new keys."""

from collections.abc import Iterator
from datetime import timedelta

from airloop.config import Feed
from airloop.data.feed_history import completeness, due_days, lost_hours, repeated_days, repeated_rows, row_numbers
from airloop.data.feed_history.looked import AGAIN, LAND, Looked
from airloop.records import Alarm

_SHOWN = 5
_SEVERAL_DAYS, _A_DAY = 5, timedelta(days=1)


def find(looked: Looked) -> Iterator[Alarm]:
    """The alarms of every feed."""
    for name, feed in looked.pipeline.feeds.items():
        yield from _shrunk(looked, name) if feed.static else _days(looked, name, feed)
        yield from _copied(looked, name)
        yield from _repeated(looked, name)


def _shrunk(looked: Looked, name: str) -> Iterator[Alarm]:
    rows = looked.sketches[name].rows if name in looked.sketches else 0
    least = row_numbers.shrunk([earlier.rows for earlier in looked.trusted(name, name)], rows) if rows else None
    if least:
        says = f"{name} has {rows:,} rows, and had {least:,} or more before: is a part of the table missing? {LAND}"
        yield Alarm("incomplete", name, says, float(rows), float(least))


def _copied(looked: Looked, name: str) -> Iterator[Alarm]:
    sketch = looked.sketches.get(name)
    if sketch is None or sketch.copied is None:
        return
    past = [earlier.copied for earlier in looked.trusted(name, name) if earlier.copied is not None]
    usual = row_numbers.copied(past, sketch.copied)
    if usual is not None:
        says = (
            f"{name}: {sketch.copied:.0%} of the rows say the same as another row under another key, before at most "
            f"{usual:.0%}: was each sent twice? {AGAIN}"
        )
        yield Alarm("copied_rows", name, says, sketch.copied, usual)


def _repeated(looked: Looked, name: str) -> Iterator[Alarm]:
    sketch = looked.sketches.get(name)
    if sketch is None:
        return
    past = looked.trusted(name, name)
    days = repeated_days.find([earlier.contents for earlier in past], sketch.contents)
    rows = repeated_rows.find([earlier.said for earlier in past], sketch.said)
    if days:
        day, first = days[0]
        more = f" and {len(days) - 1} more days" if len(days) > 1 else ""
        says = (
            f"{name}: the numbers of {day}{more} are those of {first}, row by row: were old files sent under new "
            f"dates? {AGAIN}"
        )
        yield Alarm("repeated_days", name, says, float(len(days)), 0.0)
    elif rows:
        when = "the window before" if rows.windows_ago == 1 else f"the window {rows.windows_ago} before it"
        says = (
            f"{name}: {rows.share:.0%} of its different rows, keys and instants aside, are those of {when}, of no two "
            f"windows before were more than {rows.usual:.0%}: were old files sent under new dates? {AGAIN}"
        )
        yield Alarm("repeated_days", name, says, rows.share, rows.usual)


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
    days = [
        day
        for day in judged
        if day not in absent
        and due_days.bounds(feed, day)[1] <= looked.window.end
        and not due_days.is_outermost(looked.pipeline, feed, day)
    ]
    fewer = completeness.fewer_rows(earlier, whole, days)
    if fewer and not any(_partner_says(looked, pair) for pair in looked.pairs if pair[1] == name):
        says = (
            f"{name} has {fewer.observed:.0%} of the rows a day that it had on the same weekdays of the four weeks "
            f"before; {LAND}"
        )
        yield Alarm("labels_missing" if feed.outcome else "incomplete", name, says, fewer.observed, 1.0)
    elif len(sketch.days) >= _SEVERAL_DAYS:
        yield from _hours(looked, name, feed)
    elif looked.window.end - looked.window.start < _A_DAY:
        yield from _steady(looked, name, feed)


def _steady(looked: Looked, name: str, feed: Feed) -> Iterator[Alarm]:
    """Of a part of a day; an outcome's rows come when they come."""
    length, rows = looked.window.end - looked.window.start, looked.sketches[name].rows
    trusted = looked.trusted(name, name)
    alike = [item for item in looked.past.get(name, ()) if item.window.end - item.window.start == length]
    fewer = completeness.fewer_than_ever([item.sketch.rows for item in alike if item.sketch in trusted], rows)
    if fewer and not feed.outcome:
        says = f"{name} has {rows:,} rows, and had about {fewer.expected:,.0f} in each window before; {LAND}"
        yield Alarm("incomplete", name, says, fewer.observed, fewer.expected)


def _hours(looked: Looked, name: str, feed: Feed) -> Iterator[Alarm]:
    """Of several days; on one day an hour is empty for many reasons."""
    time = feed.event_time or ""
    past = [earlier.hours[time] for earlier in looked.trusted(name, name) if time in earlier.hours]
    lost = lost_hours.find(past, looked.sketches[name].hours.get(time, ()))
    if lost:
        hours, rows, expected = lost
        shown = ", ".join(f"{hour:02}:00" for hour in hours[:_SHOWN])
        more = f" and {len(hours) - _SHOWN} more" if len(hours) > _SHOWN else ""
        says = (
            f"{name} has {rows:,.0f} rows in the hours from {shown}{more} on ({feed.day_timezone}), by the other hours "
            f"{expected:,.0f} or more should be there; {LAND}"
        )
        yield Alarm("labels_missing" if feed.outcome else "incomplete", name, says, rows, expected)


def _partner_says(looked: Looked, pair: tuple[str, str]) -> bool:
    """Whether a pair of feeds says how many rows the second should have: then their number alone says less."""
    return bool(looked.trusted("|".join(pair), pair[1]))
