"""Which windows wait for a data run: derived from the landing folder and the stored ingest records, never queued."""

import functools
import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from airloop import landing, state
from airloop.config import Pipeline, calendar_windows
from airloop.errors import DataContractError
from airloop.landing import ListedFile
from airloop.records import Ingested, Window
from airloop.settings import Settings

logger = logging.getLogger(__name__)

# What one inbox run may start: below Airflow's max_map_length (1024).
MOST_WINDOWS = 1000


@dataclass(frozen=True)
class Waiting:
    """A window that needs a data run; equal landed files give an equal `run_id`, so it is started once.

    Attributes:
        digest: SHA-256 over what asks for the run: the window's files and, for one that follows, the changed windows'.
        why: In words, for the log.
    """

    window: Window
    digest: str
    why: str

    @property
    def run_id(self) -> str:
        """Run id of the data run, e.g. `inbox__2013-01-01T00:00Z__2013-02-01T00:00Z__3f2a9c04d1e7`."""
        return f"inbox__{self.window.start:%Y-%m-%dT%H:%MZ}__{self.window.end:%Y-%m-%dT%H:%MZ}__{self.digest[:12]}"


def waiting_windows(pipeline: Pipeline, settings: Settings) -> tuple[Waiting, ...]:
    """Finished calendar windows inside `coverage` to run now, oldest first.

    A window waits when a file whose local day overlaps it is not in its newest ingest record, or has another checksum
    there. Static tables start nothing, nor does a file that was removed. A window that was ingested before follows when
    its lookback reads such a one (window.start - lookback < waiting.end): its features were built from what changed.

    Raises:
        DataContractError: More than MOST_WINDOWS wait; the message says what to do.
        UpstreamUnavailable: Landing folder or state database do not answer.
    """
    landed = _landed_by_window(pipeline, settings)
    ingested = _ingested_by_window(pipeline, settings)
    checksum = functools.cache(functools.partial(landing.checksum, settings=settings))
    lookback = timedelta(days=pipeline.features.lookback_days)
    changed: list[Waiting] = []
    following: list[Waiting] = []
    for window in sorted({*landed, *ingested}, key=lambda item: item.start):
        files = [checksum(file) for file in landed.get(window, [])]
        known = {file.uri: file.sha256 for file in ingested[window].files} if window in ingested else {}
        fresh = [file.uri for file in files if file.sha256 != known.get(file.uri)]
        read = [earlier for earlier in changed if window.start - lookback < earlier.window.end]
        if fresh:
            why = f"{len(fresh)} of {len(files)} files not ingested, first {fresh[0]}"
            changed.append(Waiting(window, _digest(f"{file.uri} {file.sha256}" for file in files), why))
        elif known and read:
            why = f"its lookback reads {read[-1].window}"
            following.append(Waiting(window, _digest(item.digest for item in read), why))
    waiting = tuple(sorted([*changed, *following], key=lambda item: item.window.start))
    _refuse_flood(pipeline, waiting)
    for item in waiting:
        logger.info("%s %s waits: %s", pipeline.name, item.window, item.why)
    return waiting


def data_time(pipeline: Pipeline, files: Iterable[ListedFile]) -> datetime | None:
    """How far data time has come, as the landed files show it; None when no file with a local day landed.

    The newest end of a local day among the feeds that are certainly written after the events they hold: outcomes, and
    feeds with a declared delay. Others (a schedule) may land ahead of their day; they count when there is nothing else.
    """
    dated = [name for name, feed in pipeline.feeds.items() if not feed.static]
    telling = [
        name for name in dated if pipeline.feeds[name].outcome or pipeline.feeds[name].delay_minutes > 0
    ] or dated
    spans = (landing.file_span(pipeline.feeds[file.feed], file.name) for file in files if file.feed in telling)
    return max((span.end for span in spans if span is not None), default=None)


def _landed_by_window(pipeline: Pipeline, settings: Settings) -> dict[Window, list[ListedFile]]:
    """Landed files of every finished window inside coverage; a local day may belong to two windows, or to 25."""
    files = landing.list_files(pipeline, settings)
    over, coverage = data_time(pipeline, files), pipeline.coverage
    found: dict[Window, list[ListedFile]] = {}
    for file in files:
        span = landing.file_span(pipeline.feeds[file.feed], file.name)
        for window in calendar_windows(pipeline.calendar, span) if span and over else ():
            if coverage.start <= window.start and window.end <= min(over or window.end, coverage.end or window.end):
                found.setdefault(window, []).append(file)
    return found


def _ingested_by_window(pipeline: Pipeline, settings: Settings) -> dict[Window, Ingested]:
    """The newest ingest record of every calendar window; runs by hand over other windows do not count."""
    records = (Ingested.from_json(row) for row in state.latest_records(settings, pipeline.name, "ingest"))
    newest = {record.window: record for record in records}
    return {window: record for window, record in newest.items() if _is_period(pipeline, window)}


def _is_period(pipeline: Pipeline, window: Window) -> bool:
    return calendar_windows(pipeline.calendar, window) == (window,)


def _refuse_flood(pipeline: Pipeline, waiting: Sequence[Waiting]) -> None:
    if len(waiting) > MOST_WINDOWS:
        raise DataContractError(
            f"{len(waiting)} windows of {pipeline.name} wait, {waiting[0].window} to {waiting[-1].window}, and one "
            f"run starts at most {MOST_WINDOWS}: start a backfill of {pipeline.name}__data over them"
        )


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
