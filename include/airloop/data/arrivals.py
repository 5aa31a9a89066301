"""Has the data of a window come yet? By what lies in the landing folder, without reading a file."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airloop.config import Feed, Pipeline
from airloop.data import inbox
from airloop.records import Record, Window
from airloop.settings import Settings
from airloop.stores import landed_files
from airloop.stores.landed_files import ListedFile


@dataclass(frozen=True)
class Awaited(Record):
    """A feed of which a window's last file has not landed.

    Attributes:
        until: It may come until then: the end of its last period, and the feed's `lateness_hours`.
        newest: The end of the newest period of which a file landed; None when none has.
        file: The name by which the window's last one is expected.
    """

    feed: str
    until: datetime
    newest: datetime | None
    file: str = ""


def awaited(
    pipeline: Pipeline, window: Window, settings: Settings, *, files: Sequence[ListedFile] | None = None
) -> tuple[Awaited, ...]:
    """The feeds with `lateness_hours` whose file of the window's last period has not landed.

    Args:
        files: What lies in the landing folder, where the caller has listed it.

    Raises:
        UpstreamUnavailable: The landing folder does not answer.
    """
    waited_for = {name: feed for name, feed in pipeline.feeds.items() if feed.lateness_hours}
    if not waited_for:
        return ()
    files = landed_files.list_files(pipeline, settings) if files is None else files
    late = []
    for name, feed in waited_for.items():
        newest, due = _newest(feed, name, files), _last_period_end(feed, window)
        if newest is None or newest < due:
            file = landed_files.name_at(feed, due - timedelta.resolution)
            late.append(Awaited(name, due + timedelta(hours=feed.lateness_hours or 0), newest, file))
    return tuple(late)


def _newest(feed: Feed, name: str, files: Iterable[ListedFile]) -> datetime | None:
    spans = (landed_files.file_span(feed, file.name) for file in files if file.feed == name)
    come = (span for span in spans if span is not None and landed_files.has_come(span))
    return max((landed_files.reaches(feed, span) for span in come), default=None)


def _last_period_end(feed: Feed, window: Window) -> datetime:
    """The end of the feed's period that holds the window's last instant: its local day, or hour."""
    zone = ZoneInfo(feed.day_timezone)
    last = (window.end - timedelta.resolution).astimezone(zone)
    return landed_files.period_of(feed, last).end


def patience(pipeline: Pipeline) -> timedelta:
    """The longest that any feed may be late."""
    hours = (feed.lateness_hours or 0 for feed in pipeline.feeds.values())
    return timedelta(hours=max(hours, default=0))


def not_reached(pipeline: Pipeline, window: Window, settings: Settings) -> str:
    """Why the calendar has nothing to do in a window yet; empty when it has.

    Landed data ends before the window starts, by more than the feeds may be late: a pipeline of the past whose coverage
    has no end would else fail in each period of the present. When the files land after all, the inbox starts the
    window. A pipeline that fetches rows itself is never too early.

    Raises:
        UpstreamUnavailable: The landing folder does not answer.
    """
    if any(feed.fetched for feed in pipeline.feeds.values() if not feed.static):
        return ""
    newest = inbox.data_time(pipeline, landed_files.list_files(pipeline, settings))
    if newest is not None and newest >= window.start - patience(pipeline):
        return ""
    came = "no file has landed yet" if newest is None else f"landed data ends at {newest:%Y-%m-%dT%H:%MZ}"
    return (
        f"{pipeline.name} {window}: {came}, before this window: there is nothing to do in it yet; the inbox starts it "
        f"once its files land below {settings.landing_uri}/{pipeline.name}. For data of the past write coverage.end"
    )
