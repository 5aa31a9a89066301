"""Which windows wait for a data run: derived from the landing folder and the stored ingest records, never queued."""

import functools
import hashlib
import logging
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from airloop.config import Feed, Pipeline, calendar_windows
from airloop.data import settled
from airloop.data.file_hours import FileHours
from airloop.data.inbox_records import Records
from airloop.records import Window
from airloop.run.run_ids import window_run_id
from airloop.settings import Settings
from airloop.stores import landed_files
from airloop.stores.landed_files import ListedFile

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Waiting:
    """A window that needs a data run; the same reason gives the same `run_id`, so it is started once.

    Attributes:
        digest: SHA-256 over what asks for the run: the landed files the window and its lookback read, and the records
            of what was made of them so far (a file that is put back is another reason than when it came first).
        why: In words, for the log.
        files: SHA-256 over the landed files alone, with their checksums.
        ingested: Number of the window's newest ingest record; 0 before any.
        follows: Nothing of its own has landed: its lookback reads another window that waits.
    """

    window: Window
    digest: str
    why: str
    files: str = ""
    ingested: int = 0
    follows: bool = False

    @property
    def run_id(self) -> str:
        """Run id of the data run where it waits alone."""
        return run_id(self.window, self.digest)


def run_id(over: Window, digest: str) -> str:
    """Run id of a data run that the inbox starts."""
    return window_run_id("inbox", over, digest[:12])


def waiting_windows(pipeline: Pipeline, settings: Settings, *, within: Window | None = None) -> tuple[Waiting, ...]:
    """Finished calendar windows inside `coverage` to run now, oldest first.

    A window waits when a file whose local day (or hour) overlaps it is not in its newest ingest record (read or set
    aside), or has another checksum there. Where files are longer than windows, a further file of the day wakes those
    windows alone that it has rows of. Static tables start nothing, nor does a file that was removed. A window that was
    ingested before follows when its lookback reads such a one (window.start - lookback < waiting.end): its features
    were built from what changed.

    Args:
        within: A span of data time that is over: only its windows, which are finished whatever has landed. None asks
            the landed files how far data time has come, and looks at all windows.

    Raises:
        UpstreamUnavailable: Landing folder or state database do not answer.
    """
    landed = _Landed(pipeline, settings, within)
    done = Records(pipeline, settings, within)
    quiet = settled.read(pipeline, settings)
    files = {window: landed.by_window.get(window, []) for window in {*landed.by_window, *done.ingests}}
    marks = {window: quiet.mark(listed, done.ingests.get(window)) for window, listed in files.items()}
    unsettled = [window for window, mark in marks.items() if not quiet.knows(window, mark)]
    done.open_records(unsettled)
    fresh = {window: landed.fresh(window, done.checksums(window)) for window in unsettled}
    why = _why(pipeline, files, fresh, done)
    sure = [window for window in unsettled if not fresh[window] and settled.is_sure(files[window])]
    settled.remember(pipeline.name, {window: marks[window] for window in sure}, settings)
    for window, says in why.items():
        logger.info("%s %s waits: %s", pipeline.name, window, says)
    waiting = []
    for window, says in why.items():
        lines = landed.read_by(Window(window.start - timedelta(days=pipeline.features.lookback_days), window.end))
        reason, number = _digest([*lines, *done.made_of(window)]), done.ingests.get(window, 0)
        waiting.append(Waiting(window, reason, says, _digest(lines), number, follows=not fresh.get(window)))
    return tuple(waiting)


def _why(
    pipeline: Pipeline,
    files: Mapping[Window, Sequence[ListedFile]],
    fresh: Mapping[Window, Sequence[str]],
    done: Records,
) -> dict[Window, str]:
    """Of each window that waits why, oldest first: a file of its own, or one of its lookback's windows."""
    lookback = timedelta(days=pipeline.features.lookback_days)
    why: dict[Window, str] = {}
    newest: Window | None = None
    for window in sorted(files, key=lambda item: item.start):
        if came := fresh.get(window):
            why[window] = f"{len(came)} of {len(files[window])} files not ingested, first {came[0]}"
            newest = window
        elif newest is not None and window.start - lookback < newest.end and done.checksums(window):
            why[window] = f"its lookback reads {newest}"
    return why


def data_time(pipeline: Pipeline, files: Iterable[ListedFile]) -> datetime | None:
    """How far data time has come, as the landed files show it; None when no file with a local day landed.

    The newest end of a local day among the feeds that are certainly written after the events they hold: outcomes,
    feeds with a declared delay, and streams (those to the start of their newest period). Others (a schedule) may land
    ahead of their day; they count when there is nothing else. A file about a day that has not begun shows nothing.
    """
    feeds = {name: pipeline.feeds[name] for name in _telling(pipeline)}
    declared = ((feeds[file.feed], file.name) for file in files if file.feed in feeds)
    spans = ((feed, landed_files.file_span(feed, name)) for feed, name in declared)
    come = ((feed, span) for feed, span in spans if span is not None and landed_files.has_come(span))
    return max((landed_files.reaches(feed, span) for feed, span in come), default=None)


def ahead(pipeline: Pipeline, files: Iterable[ListedFile]) -> list[ListedFile]:
    """Files about a day that has not begun, of feeds that are written after the events they hold: misnamed ones."""
    after = {name for name, feed in pipeline.feeds.items() if _after_the_event(feed)}
    named = (
        (file, landed_files.file_span(pipeline.feeds[file.feed], file.name)) for file in files if file.feed in after
    )
    return [file for file, span in named if span is not None and not landed_files.has_come(span)]


def beyond(pipeline: Pipeline, files: Iterable[ListedFile]) -> list[ListedFile]:
    """Files about periods that start at coverage.end or later: no window reads them, unless more is declared."""
    end = pipeline.coverage.end
    if end is None:
        return []
    named = ((file, landed_files.file_span(pipeline.feeds[file.feed], file.name)) for file in files)
    return [file for file, span in named if span is not None and span.start >= end]


def _telling(pipeline: Pipeline) -> list[str]:
    dated = [name for name, feed in pipeline.feeds.items() if not feed.static]
    return [name for name in dated if _after_the_event(pipeline.feeds[name])] or dated


def _after_the_event(feed: Feed) -> bool:
    return feed.outcome or feed.delay_minutes > 0 or feed.stream is not None


class _Landed:
    """The landing folder as it is listed now; each file is read at most once."""

    def __init__(self, pipeline: Pipeline, settings: Settings, within: Window | None) -> None:
        self._files = landed_files.list_files(pipeline, settings)
        # Pairs, not a dict: hashing a listed file is what a look at years of files would mostly do.
        self._spans = [(file, landed_files.file_span(pipeline.feeds[file.feed], file.name)) for file in self._files]
        by_start = sorted((span.start, number) for number, (_, span) in enumerate(self._spans) if span)
        self._starts, self._by_start = [start for start, _ in by_start], [number for _, number in by_start]
        self._longest = max((span.end - span.start for _, span in self._spans if span), default=timedelta())
        # By number: the windows of a month read the same files.
        self._lines = functools.cache(lambda number: self._line(self._spans[number][0]))
        self._static = [file for file in self._files if file.name == pipeline.feeds[file.feed].files]
        self._read = functools.cache(lambda file: landed_files.checksum(file, settings))
        self._hours = FileHours(pipeline, settings, self._read)
        self.by_window = self._finished(pipeline, within)

    def checksum(self, file: ListedFile) -> str:
        """SHA-256 of what the file holds."""
        return self._read(file).sha256

    def fresh(self, window: Window, known: Mapping[str, str] | None) -> list[str]:
        """The files that ask for a run of the window; `known` are the checksums of its last one, None before any."""
        return [file.uri for file in self.by_window.get(window, ()) if self._is_fresh(file, window, known)]

    def _is_fresh(self, file: ListedFile, window: Window, known: Mapping[str, str] | None) -> bool:
        if known is None:
            return True
        if file.uri not in known and not self._hours.touches(file, window):
            return False
        return self.checksum(file) != known.get(file.uri)

    def _finished(self, pipeline: Pipeline, within: Window | None) -> dict[Window, list[ListedFile]]:
        """Files of every finished window inside coverage; a local day may belong to two windows, or to 25."""
        over, coverage = within.end if within else self._over(pipeline), pipeline.coverage
        if over is None:
            return {}
        start = max(coverage.start, within.start) if within else coverage.start
        end = min(over, coverage.end or over)
        by_window: dict[Window, list[ListedFile]] = {}
        for file, span in self._spans:
            for window in calendar_windows(pipeline.calendar, span) if span else ():
                if start <= window.start and window.end <= end:
                    by_window.setdefault(window, []).append(file)
        return by_window

    def _over(self, pipeline: Pipeline) -> datetime | None:
        """How far data time has come: by names, and by the rows of the newest files that are longer than a window."""
        telling = set(_telling(pipeline))
        spans = [
            (file, landed_files.reaches(pipeline.feeds[file.feed], span))
            for file, span in self._spans
            if span and file.feed in telling and landed_files.has_come(span)
        ]
        newest = max((end for _, end in spans), default=None)
        tied = [(file, end) for file, end in spans if end == newest]
        ends = [end if pipeline.feeds[file.feed].stream else self._hours.newest_end(file) for file, end in tied]
        return max((end for end in ends if end is not None), default=newest)

    def read_by(self, span: Window) -> list[str]:
        """Files of the local days that overlap a span and have rows of it, and the static tables, with checksums."""
        first = bisect_left(self._starts, span.start - self._longest)
        near = sorted(self._by_start[first : bisect_left(self._starts, span.end)])
        spans, touches = self._spans, self._hours.touches
        read = []
        for number in near:
            file, day = spans[number]
            if day and span.start < day.end and touches(file, span):
                read.append(number)
        return [self._lines(number) for number in read] + [self._line(file) for file in self._static]

    def _line(self, file: ListedFile) -> str:
        return f"{file.uri} {self.checksum(file)}"


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
