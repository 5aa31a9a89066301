"""Windows in which nothing waited when the inbox last looked: it looks again when a file or a record changes.

What stands here is remembered, never decided: without it every file is read again and every record opened, and the same
windows wait.
"""

import hashlib
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from airloop.config import Pipeline
from airloop.records import Window
from airloop.settings import Settings
from airloop.stores import state, tables
from airloop.stores.landed_files import ListedFile

_SURE_AFTER_SECONDS = 2.0
"""A file that changed less than this ago may change again under the same stamp: file systems count time in ticks."""


@dataclass(frozen=True)
class Settled:
    """What is remembered of a pipeline's windows.

    Attributes:
        marks: Of each window, by its bounds, in which nothing waited, the mark it had then.
        feeds: Digest of how files are declared: other names or another zone give windows other files.
    """

    marks: Mapping[tuple[datetime, datetime], str]
    feeds: str

    def knows(self, window: Window, mark: str) -> bool:
        """Whether this is the mark that the window had."""
        return self.marks.get((window.start, window.end)) == mark

    def mark(self, files: Iterable[ListedFile], record: int | None) -> str:
        """Another one when a file of the window comes, goes or is replaced, or its ingest ran again."""
        listed = (f"{file.uri} {file.stamp}" for file in files)
        return hashlib.sha256("\n".join([self.feeds, str(record), *listed]).encode()).hexdigest()


def read(pipeline: Pipeline, settings: Settings) -> Settled:
    """What the inbox remembers of a pipeline.

    Raises:
        UpstreamUnavailable: The state database does not answer.
    """
    table = tables.settled_windows
    query = sa.select(table.c.window_start, table.c.window_end, table.c.mark).where(table.c.pipeline == pipeline.name)
    with state.reading(settings) as connection:
        rows = connection.execute(query).all()
    read_instant = datetime.fromisoformat
    marks = {(read_instant(start), read_instant(end)): mark for start, end, mark in rows}
    declared = "\n".join(f"{name} {feed.model_dump_json()}" for name, feed in pipeline.feeds.items())
    return Settled(marks, hashlib.sha256(declared.encode()).hexdigest())


def remember(pipeline: str, marks: Mapping[Window, str], settings: Settings) -> None:
    """Remember windows in which nothing waits, each in place of what was known of it.

    Raises:
        UpstreamUnavailable: The state database does not answer.
    """
    rows = [
        {
            "pipeline": pipeline,
            "window_start": state.instant_text(window.start),
            "window_end": state.instant_text(window.end),
            "mark": mark,
        }
        for window, mark in marks.items()
    ]
    state.replace_rows(tables.settled_windows, rows, settings)


def is_sure(files: Iterable[ListedFile]) -> bool:
    """Whether the stamps of files stand for what was read of them: none changed just now."""
    return all(file.changed_at < time.time() - _SURE_AFTER_SECONDS for file in files)
