"""Windows without rows: no file landed, files without a row, or files with rows of other windows alone.

These are three things: a source that may have stalled, one that says that nothing happened, and one that says it of
this window. Where a feed declares `empty_windows: normal`, the last two are normal.
"""

from collections.abc import Mapping

from airloop.config import Pipeline
from airloop.data.feed_rows import FeedRows

NO_FILE = "no file landed"
NO_ROWS_IN_FILES = "its files hold none"
NO_ROWS_IN_WINDOW = "its files have rows of other windows alone"


def why_empty(pipeline: Pipeline, counts: Mapping[str, int], by_feed: Mapping[str, FeedRows]) -> dict[str, str]:
    """Dated feed without a row of the window -> why, in the words above; a feed with rows is left out.

    Args:
        counts: Landed files of each feed that may hold rows of the window.
        by_feed: What was read of each feed that has any.
    """
    why = {}
    for name, feed in pipeline.feeds.items():
        if feed.static:
            continue
        if not counts.get(name):
            why[name] = NO_FILE
        elif (rows := by_feed[name].rows) is not None and rows.is_empty():
            why[name] = NO_ROWS_IN_WINDOW if any(by_feed[name].days.values()) else NO_ROWS_IN_FILES
    return why


def is_normal(pipeline: Pipeline, name: str, why: str) -> bool:
    """Whether nobody has to look at a window without rows: its files say so, and the feed declares it."""
    return pipeline.feeds[name].empty_windows == "normal" and why in (NO_ROWS_IN_FILES, NO_ROWS_IN_WINDOW)


def way_out(name: str, why: str) -> str:
    """What to do about a window without rows that is not normal."""
    if why == NO_FILE:
        return "land it, with the header alone where nothing happened"
    return f"land it whole; where such windows are normal, write `empty_windows: normal` at feeds.{name}"
