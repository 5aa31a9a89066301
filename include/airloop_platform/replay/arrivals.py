"""How the past arrives again: from the pipeline's replay source, file by file, or out of what has landed already."""

from datetime import timedelta
from typing import Protocol

from airloop.config import Pipeline
from airloop.records import Window
from airloop.records.digests import digest
from airloop.settings import Settings
from airloop.stores import landed_files
from airloop_platform.replay.span import upstream

_INPUTS_AHEAD = timedelta(days=2)
"""A day's last inputs land when their local day is over, after the window's end in UTC."""


class Arrivals(Protocol):
    """Lets a window's files arrive in the order of data time.

    Attributes:
        fetches: A data run fetches its window from a database, so that no file shows that a window waits.
    """

    fetches: bool

    def lie_there(self, window: Window) -> bool:
        """Whether the window's outcomes have landed: the data run before its scoring has to leave them out."""

    def inputs(self, window: Window) -> None:
        """What is known by the time the window is scored."""

    def outcomes(self, window: Window) -> None:
        """Outcomes that landed by the window's end."""


class FromSource:
    """Files land when the source says that they did; one that is there is never touched."""

    fetches = False

    def __init__(self, pipeline: Pipeline, settings: Settings) -> None:
        self._pipeline, self._settings, self._source = pipeline, settings, upstream(pipeline)

    def lie_there(self, window: Window) -> bool:
        """See Arrivals: of a source that has landed further before."""
        return any(
            window.start < span.end and span.start < window.end
            for file in landed_files.list_files(self._pipeline, self._settings)
            if (feed := self._pipeline.feeds[file.feed]).outcome and (span := landed_files.file_span(feed, file.name))
        )

    def inputs(self, window: Window) -> None:
        """See Arrivals."""
        # Outcomes of the windows before, where the replay begins with a later one.
        self._land(list(self._pipeline.outcome_feeds), until=window.start)
        feeds = [name for name, feed in self._pipeline.feeds.items() if not feed.outcome]
        self._land(feeds, until=window.end + _INPUTS_AHEAD)

    def outcomes(self, window: Window) -> None:
        """See Arrivals."""
        self._land(list(self._pipeline.outcome_feeds), until=window.end)

    def _land(self, feeds: list[str], *, until: object) -> None:
        root = f"{self._settings.landing_uri}/{self._pipeline.name}"
        self._source.land(root, until=until, feeds=feeds, storage_options=self._settings.storage_options)  # type: ignore[arg-type]


class Landed:
    """Everything has landed: a window's data run reads the window's files alone, and its outcomes after the scoring."""

    def __init__(self, *, fetches: bool) -> None:
        self.fetches = fetches

    def lie_there(self, window: Window) -> bool:
        """See Arrivals."""
        return True

    def inputs(self, window: Window) -> None:
        """See Arrivals."""

    def outcomes(self, window: Window) -> None:
        """See Arrivals."""


def arrivals_of(pipeline: Pipeline, settings: Settings) -> Arrivals:
    """From the replay source where one is declared, else what has landed or lies in the feeds' databases."""
    if pipeline.replay:
        return FromSource(pipeline, settings)
    return Landed(fetches=any(feed.fetched for feed in pipeline.feeds.values()))


def files_digest(pipeline: Pipeline, window: Window, settings: Settings) -> str:
    """SHA-256 of the listed files that a window and its lookback read and whose days were over by its end.

    By name, size and time of change; nothing is read. It changes when such a file is corrected or comes late.
    """
    since = window.start - timedelta(days=pipeline.features.lookback_days)
    listed = []
    for file in landed_files.list_files(pipeline, settings):
        span = landed_files.file_span(pipeline.feeds[file.feed], file.name)
        if span is not None and since < span.end <= window.end:
            listed.append(f"{file.uri} {file.stamp}")
    return digest([str(window), listed])
