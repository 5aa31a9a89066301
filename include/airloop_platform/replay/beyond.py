"""What had landed before a replay began and lies beyond it: the inbox would take it without scoring it."""

from datetime import datetime

from airloop.config import Pipeline, calendar_windows
from airloop.config.dag_ids import dag_of
from airloop.data import inbox
from airloop.records import Ingested, Window
from airloop.settings import Settings
from airloop.stores import landed_files, state


def landed_until(pipeline: Pipeline, settings: Settings) -> datetime | None:
    """How far the landed files reach inside the coverage; None without dated files."""
    reached = inbox.data_time(pipeline, landed_files.list_files(pipeline, settings))
    return min(reached, pipeline.coverage.end or reached) if reached else None


def left(pipeline: Pipeline, settings: Settings, *, since: datetime, until: datetime | None) -> tuple[Window, ...]:
    """The whole windows of `[since, until)` that nobody ingested; `until` is where files reached before the replay.

    The inbox would start one data run after the other over them, outcomes and all, and a replay that goes on later
    would score windows whose outcomes lie in the lake.
    """
    if until is None or until <= since:
        return ()
    span = Window(since, until)
    done = state.latest_records(settings, pipeline.name, "ingest", overlapping=span)
    ingested = [Ingested.from_json(record).window for record in done]
    return tuple(
        window
        for window in calendar_windows(pipeline.calendar, span)
        if since <= window.start and window.end <= until
        if not any(had.start <= window.start and window.end <= had.end for had in ingested)
    )


def note(pipeline: Pipeline, windows: tuple[Window, ...]) -> str:
    """What a person is told of them."""
    many = f"{len(windows):,} windows" if len(windows) > 1 else "a window"
    inbox = dag_of(pipeline.name, "inbox")
    return (
        f"{inbox} stays paused, for {many} from {windows[0].start:%Y-%m-%dT%H:%MZ} on had landed before "
        f"and nobody took them in. Go on with airloop replay {pipeline.name}, which lets it go at its end; or unpause "
        "it in Airflow, and it ingests them one after the other, without scoring them"
    )
