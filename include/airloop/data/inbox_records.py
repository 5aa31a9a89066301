"""What was made of landed files so far: the newest records of calendar windows, opened where they are asked for."""

import functools
from collections.abc import Iterable
from typing import Any

from airloop.config import Pipeline, calendar_windows
from airloop.config.calendar import is_period
from airloop.records import Ingested, LandedFile, SetAside, Window
from airloop.settings import Settings
from airloop.stores import state


class Records:
    """The newest records of every calendar window; one run over several whole windows is a run of each of them.

    A run by hand over a part of a window does not count for it.

    Attributes:
        ingests: Number of the newest ingest record of each window that has one.
    """

    def __init__(self, pipeline: Pipeline, settings: Settings, within: Window | None) -> None:
        self._settings = settings
        self.ingests = _newest(pipeline, "ingest", settings, within)
        # Asked of windows that wait alone, and after a bell with nothing new of none.
        self._builds = functools.cache(lambda: _newest(pipeline, "build_features", settings, within))
        self._opened: dict[int, dict[str, Any]] = {}
        # Read once each: a run over weeks is the newest of hundreds of hours.
        self._checksums = functools.cache(lambda number: _checksums(self._record(number)))
        self._texts = functools.cache(lambda number: str(self._record(number)))

    def open_records(self, windows: Iterable[Window]) -> None:
        """Open the ingest records of many windows at once."""
        self._open(sorted({self.ingests[window] for window in windows if window in self.ingests}))

    def checksums(self, window: Window) -> dict[str, str] | None:
        """SHA-256 of every file that its last ingest saw, read or set aside; None before any."""
        return self._checksums(self.ingests[window]) if window in self.ingests else None

    def made_of(self, window: Window) -> list[str]:
        """What the window's ingest and its features have on record, as text."""
        numbers = (self.ingests.get(window), self._builds().get(window))
        return [str(None) if number is None else self._texts(number) for number in numbers]

    def _record(self, number: int) -> dict[str, Any]:
        if number not in self._opened:
            self._open([number])
        return self._opened[number]

    def _open(self, numbers: list[int]) -> None:
        self._opened |= state.records_of(self._settings, numbers)


def _checksums(record: dict[str, Any]) -> dict[str, str]:
    ingested = Ingested.from_json(record)
    files: list[LandedFile | SetAside] = [*ingested.files, *ingested.set_aside]
    return {file.uri: file.sha256 for file in files}


def _newest(pipeline: Pipeline, stage: str, settings: Settings, within: Window | None) -> dict[Window, int]:
    newest: dict[Window, int] = {}
    for run, number in state.newest_ids(settings, pipeline.name, stage, overlapping=within).items():
        for window in (run,) if is_period(pipeline.calendar, run) else calendar_windows(pipeline.calendar, run):
            whole = run.start <= window.start and window.end <= run.end
            if whole and (within is None or (within.start <= window.start and window.end <= within.end)):
                newest[window] = max(number, newest.get(window, number))
    return newest
