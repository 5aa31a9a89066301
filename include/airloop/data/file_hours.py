"""Which hours a landed file is about, where one file holds more than one window: only its rows say it.

A file that is named by its day and lands every hour overlaps all windows of the day by its name, and has rows of one.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import polars as pl

from airloop.config import Pipeline
from airloop.data.file_rows import read_file
from airloop.errors import DataContractError
from airloop.records import LandedFile, Window
from airloop.settings import Settings
from airloop.stores.landed_files import ListedFile, file_span

_HOUR = timedelta(hours=1)


class FileHours:
    """Looks into landed files, into each at most once, and into none whose name says enough.

    Args:
        landed: Listed file -> its checksum.
    """

    def __init__(self, pipeline: Pipeline, settings: Settings, landed: Callable[[ListedFile], LandedFile]) -> None:
        self._pipeline, self._settings, self._landed = pipeline, settings, landed
        self._plain = {name: pipeline.calendar != "hourly" or feed.hourly for name, feed in pipeline.feeds.items()}
        self._hours: dict[ListedFile, frozenset[datetime] | None] = {}

    def name_says_all(self, file: ListedFile) -> bool:
        """Whether the period in the file's name is no longer than a window."""
        return self._plain[file.feed]

    def touches(self, file: ListedFile, span: Window) -> bool:
        """Whether the file has rows of a span; one that cannot be read touches only the last window of its period."""
        if self.name_says_all(file):
            return True
        hours = self._of(file)
        if hours is None:
            whole = self._span(file)
            return whole is not None and span.start < whole.end <= span.end
        return any(hour < span.end and span.start < hour + _HOUR for hour in hours)

    def newest_end(self, file: ListedFile) -> datetime | None:
        """The end of the newest window of which the file has a row; its period's where the name says enough."""
        span = self._span(file)
        if span is None or self.name_says_all(file):
            return span.end if span else None
        hours = self._of(file)
        if not hours:
            return span.start if hours is not None else span.end
        return max(hours) + _HOUR

    def _span(self, file: ListedFile) -> Window | None:
        return file_span(self._pipeline.feeds[file.feed], file.name)

    def _of(self, file: ListedFile) -> frozenset[datetime] | None:
        if file not in self._hours:
            self._hours[file] = self._read(file)
        return self._hours[file]

    def _read(self, file: ListedFile) -> frozenset[datetime] | None:
        feed = self._pipeline.feeds[file.feed]
        try:
            rows = read_file(self._landed(file), feed, self._settings, max_bad_share=1.0)
        except DataContractError:
            return None
        hours = rows.select(pl.col(feed.event_time or "").dt.truncate("1h")).drop_nulls().unique()
        return frozenset(hours.to_series().to_list())
