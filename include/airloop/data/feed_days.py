"""A feed's files by its own local days: which are missing, and which hold far fewer rows than such days do."""

import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from airloop.config import Feed, Pipeline
from airloop.data.feed_history.due_days import is_outermost
from airloop.records import Window
from airloop.settings import Settings
from airloop.stores import lake

HISTORY_DAYS = 28

_FEWEST_LIKE_IT = 2
# A Saturday is compared with Saturdays; the quietest holidays of a busy business leave more than that.
_SHORT_SHARE = 0.6
_SHORT_DEVIATIONS = 5


@dataclass(frozen=True)
class ShortDay:
    """A day whose files hold `rows` rows where such a day usually has `usual` (a median)."""

    day: date
    rows: int
    usual: float


@dataclass(frozen=True)
class FeedDays:
    """What was found of a feed's days in a window.

    Attributes:
        expected: Days of the window for which there should be a file by now.
        missing: Those of them without a file that can be read.
        short: Days with far fewer rows than the same weekday had.
    """

    expected: int
    missing: tuple[date, ...]
    short: tuple[ShortDay, ...]


def history(pipeline: Pipeline, name: str, window: Window, settings: Settings) -> dict[date, int]:
    """Rows that raw/<feed> holds of each whole local day in the four weeks before a window."""
    feed = pipeline.feeds[name]
    uri = lake.table_uri(settings, pipeline.name, "raw", name)
    if feed.event_time is None or lake.open_table(uri, settings) is None:
        return {}
    since = max(window.start - timedelta(days=HISTORY_DAYS + 2), datetime.min.replace(tzinfo=window.start.tzinfo))
    where = lake.between(feed.event_time, Window(since, window.start))
    rows = pl.DataFrame(lake.read(uri, settings, where=where, columns=[feed.event_time]))
    local = pl.col(feed.event_time).dt.convert_time_zone(feed.day_timezone).dt.date()
    counted = dict(rows.group_by(local).len().rows())
    return {day: rows for day, rows in counted.items() if day is not None and _whole(feed, day, since, window.start)}


def judge_days(
    pipeline: Pipeline, name: str, window: Window, *, landed: Mapping[date, int], past: Mapping[date, int]
) -> FeedDays:
    """Compare the days of a window with their like: the same weekday in the four weeks before, else in the window.

    A day is expected when most days like it had a file, it lies in the pipeline's coverage and, before any history, not
    before the feed's first file. An outcome may still come: its day is expected once a later one has landed. A day is
    short with less than 0.6 of the median of its like, and more than five standard deviations of a count below it. The
    days in which the coverage begins and ends are not short: a table may begin and end at any hour.

    Args:
        landed: Rows by local day of the files that could be read.
        past: Rows by local day before the window; see `history`.
    """
    feed = pipeline.feeds[name]
    landed = {day: rows for day, rows in landed.items() if _is_judged(feed, day, window)}
    newest = max(landed, default=date.min)
    due = [day for day in _due(pipeline, feed, window, newest) if _is_judged(feed, day, window)]
    expected = [day for day in due if day in landed or _is_expected(day, landed, past)]
    whole = {day: rows for day, rows in landed.items() if not is_outermost(pipeline, feed, day)}
    short = tuple(_short(whole, past))
    return FeedDays(len(expected), tuple(day for day in expected if day not in landed), short)


def _due(pipeline: Pipeline, feed: Feed, window: Window, newest: date) -> Iterator[date]:
    """The local days of the window whose files should be there by its end; `newest` has one."""
    zone, coverage = ZoneInfo(feed.day_timezone), pipeline.coverage
    day = window.start.astimezone(zone).date()
    while (start := _midnight(day, zone)) < window.end:
        end = _midnight(day + timedelta(days=1), zone)
        covered = coverage.start <= start and (coverage.end is None or end <= coverage.end)
        if covered and (not feed.outcome or day < newest):
            yield day
        day += timedelta(days=1)


def _is_judged(feed: Feed, day: date, window: Window) -> bool:
    """Whether the window says anything about a whole day: an hour does only where the day ends in it."""
    if window.end - window.start >= timedelta(days=1):
        return True
    return not feed.hourly and _ends_in(feed, day, window)


def _ends_in(feed: Feed, day: date, window: Window) -> bool:
    return window.start < _midnight(day + timedelta(days=1), ZoneInfo(feed.day_timezone)) <= window.end


def _is_expected(day: date, landed: Mapping[date, int], past: Mapping[date, int]) -> bool:
    first = min(past or landed, default=day)
    if day < first:
        return False
    for known in (past, landed):
        like = [other for other in _same_weekdays(day, known, first) if other != day]
        if len(like) >= _FEWEST_LIKE_IT:
            return sum(other in known for other in like) > len(like) / 2
    around = [min(landed) + timedelta(days=n) for n in range((max(landed) - min(landed)).days + 1)] if landed else []
    others = [other for other in around if other != day]
    return len(others) >= _FEWEST_LIKE_IT and sum(other in landed for other in others) > len(others) / 2


def _same_weekdays(day: date, known: Mapping[date, int], first: date) -> list[date]:
    """Days of this weekday from the first to the last known one; the newest four weeks of a long history."""
    if not known:
        return []
    last = max(known)
    start = max(min(known), first, last - timedelta(days=HISTORY_DAYS - 1))
    days = [start + timedelta(days=n) for n in range((last - start).days + 1)]
    return [other for other in days if other.weekday() == day.weekday()]


def _short(landed: Mapping[date, int], past: Mapping[date, int]) -> Iterator[ShortDay]:
    for day, rows in sorted(landed.items()):
        for known in (past, landed):
            like = [count for other, count in known.items() if other != day and other.weekday() == day.weekday()]
            if len(like) >= _FEWEST_LIKE_IT:
                usual = statistics.median(like)
                if rows < _SHORT_SHARE * usual and rows < usual - _SHORT_DEVIATIONS * usual**0.5:
                    yield ShortDay(day, rows, usual)
                break


def _whole(feed: Feed, day: date, start: datetime, end: datetime) -> bool:
    zone = ZoneInfo(feed.day_timezone)
    return start <= _midnight(day, zone) and _midnight(day + timedelta(days=1), zone) <= end


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    # With the zone: two instants of one zone are compared by their clocks, with others by time.
    return datetime(day.year, day.month, day.day, tzinfo=zone)
