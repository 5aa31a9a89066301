"""Files whose rows lie outside their day: whether another clock wrote them, which is told by its reading."""

from datetime import timedelta

import polars as pl

from airloop.config import Feed
from airloop.data.file_rows import event_times
from airloop.errors import DataContractError
from airloop.records import LandedFile, Window
from airloop.settings import Settings
from airloop.stores import landed_files

_ALL = 0.999
_FEW = 0.9
_FEWEST_ROWS = 3
# Half an hour is Adelaide's, Kolkata's or Newfoundland's; whole hours come first, as they are commoner.
_HALF_HOURS = sorted((half for half in range(-28, 29) if half), key=lambda half: (half % 2, abs(half)))


def named(file: LandedFile, feed: Feed, settings: Settings) -> str:
    """Which clock wrote the event times of a file, in words, when with it all of them lie in the file's day; or empty.

    First the local clock of `day_timezone` written as UTC, then a clock that is off by hours, where most rows lie
    outside of their day.

    Raises:
        UpstreamUnavailable: The landing folder does not answer.
    """
    span = landed_files.file_span(feed, file.uri.rsplit("/", 1)[-1])
    if span is None or feed.event_time is None:
        return ""
    try:
        times = event_times(file.uri, landed_files.read_bytes(file.uri, settings), feed)
    except DataContractError:
        return ""
    if times.len() < _FEWEST_ROWS or _inside(times, span) >= _ALL:
        return ""
    wall = times.dt.replace_time_zone(None)
    read = wall.dt.replace_time_zone(feed.day_timezone, ambiguous="earliest", non_existent="null")
    if feed.day_timezone != "UTC" and _inside(read, span) >= _ALL:
        return f"{feed.event_time} looks like local time ({feed.day_timezone}) written as UTC"
    if _inside(times, span) > _FEW:
        return ""
    for half in _HALF_HOURS:
        if _inside(times - timedelta(minutes=30 * half), span) >= _ALL:
            return f"{feed.event_time} looks like another clock, {half / 2:+g} h"
    return ""


def _inside(times: pl.Series, span: Window) -> float:
    known = times.drop_nulls().dt.convert_time_zone("UTC")
    return int(known.is_between(span.start, span.end, closed="left").sum()) / known.len() if known.len() else 0.0
