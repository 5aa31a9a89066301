"""Windows inside a table that hold none of its rows: files with the header alone say that nothing happened in them."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from airloop.config import Feed, Pipeline, calendar_windows
from airloop.records import Window
from airloop.stores import landed_files


def names(pipeline: Pipeline, feed: Feed, landed: Iterable[str], table: Iterable[str]) -> list[str]:
    """Names of the files to write, one a window of the calendar between the table's first and last file without any.

    None unless the feed declares that windows without rows are normal: a gap elsewhere is somebody's mistake.

    Args:
        landed: Names of the feed's files that are there.
        table: Names of the files that the table becomes.
    """
    if feed.static or feed.empty_windows != "normal":
        return []
    of_table = _spans(feed, table)
    if not of_table:
        return []
    inside = Window(min(span.start for span in of_table), max(span.end for span in of_table))
    there = {
        window for span in (*of_table, *_spans(feed, landed)) for window in calendar_windows(pipeline.calendar, span)
    }
    return [_name(feed, window) for window in calendar_windows(pipeline.calendar, inside) if window not in there]


def _spans(feed: Feed, files: Iterable[str]) -> list[Window]:
    return [span for name in files if (span := landed_files.file_span(feed, name)) is not None]


def _name(feed: Feed, window: Window) -> str:
    """The file of the local day, or hour, in the middle of a window."""
    middle = (window.start + (window.end - window.start) / 2).astimezone(ZoneInfo(feed.day_timezone))
    return landed_files.named(feed, middle.date(), middle.hour)
