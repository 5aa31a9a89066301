"""Which local days of a feed have to be whole by the end of a window."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from airloop.config import Feed, Pipeline
from airloop.data.feed_history.store import PastWindow
from airloop.records import Window

_MOST_OF_A_DAY = timedelta(hours=12)
_SEVERAL_DAYS = timedelta(days=3)


def judged(pipeline: Pipeline, feed: Feed, window: Window, days: Mapping[str, int], *, adjacent: bool) -> list[date]:
    """The local days whose rows have to be there by the end of the window.

    Days within the window; the day it begins in, where the window before lies beside it (`adjacent`); of a window of
    several days also the one it ends in, when most of it lies inside. None that ends after the coverage does. Of an
    outcome, which may still be landing, only days before the newest that has rows.

    Args:
        days: Local day -> rows of the window; at least one.
    """
    newest = max(date.fromisoformat(day) for day in days)
    return [
        day
        for day in _local_days(feed, window)
        if _due(pipeline, bounds(feed, day), window, adjacent=adjacent) and not (feed.outcome and day >= newest)
    ]


def _due(pipeline: Pipeline, day: tuple[datetime, datetime], window: Window, *, adjacent: bool) -> bool:
    start, end = day
    if pipeline.coverage.end is not None and end > pipeline.coverage.end:
        return False
    if start < window.start:
        return adjacent and end <= window.end
    if end <= window.end:
        return True
    several = window.end - window.start >= _SEVERAL_DAYS
    return several and window.end - start >= _MOST_OF_A_DAY


def is_outermost(pipeline: Pipeline, feed: Feed, day: date) -> bool:
    """Whether the coverage begins or ends in a local day, or with it: a table may begin and end at any hour."""
    (start, end), coverage = bounds(feed, day), pipeline.coverage
    return start <= coverage.start or (coverage.end is not None and end >= coverage.end)


def bounds(feed: Feed, day: date) -> tuple[datetime, datetime]:
    """`[start, end)` in UTC of a local day of the feed."""
    zone = ZoneInfo(feed.day_timezone)
    start, end = (datetime.combine(item, time(), zone).astimezone(UTC) for item in (day, day + timedelta(days=1)))
    return start, end


def _local_days(feed: Feed, window: Window) -> Iterator[date]:
    zone = ZoneInfo(feed.day_timezone)
    day, last = window.start.astimezone(zone).date(), (window.end - timedelta.resolution).astimezone(zone).date()
    while day <= last:
        yield day
        day += timedelta(days=1)


def side_by_side(past: Sequence[PastWindow], window: Window) -> list[PastWindow]:
    """The past windows without a hole between them and up to this one."""
    apart: list[PastWindow] = []
    start = window.start
    for item in reversed(past):
        if item.window.end != start:
            break
        apart.insert(0, item)
        start = item.window.start
    return apart


def summed(past: Sequence[PastWindow]) -> dict[str, int]:
    """Rows of each local day, of whose hours two windows may hold a part."""
    days: dict[str, int] = {}
    for item in past:
        for day, rows in item.sketch.days.items():
            days[day] = days.get(day, 0) + rows
    return days
