"""What the calendar of a live pipeline says should have happened by now, and has not."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from airloop.config import Pipeline
from airloop.config.calendar import period_end, period_start
from airloop.config.dag_ids import dag_of
from airloop.records import Alert, Window
from airloop.settings import Settings
from airloop.stores import state

DUE_KINDS = ("paused", "source_stalled")
"""The kinds that `of_calendar` finds: one of them that it does not find is over."""

_GROUPS = ("inbox", "data", "scoring", "monitoring", "training", "promotion")
_SHORTEST, _LONGEST = timedelta(hours=1), timedelta(days=1)


def due_window(pipeline: Pipeline, now: datetime) -> Window | None:
    """The newest whole window whose data should be there: it ended a period ago (at least an hour, at most a day)."""
    start = period_start(pipeline.calendar, now)
    for _ in range(2):
        start = period_start(pipeline.calendar, start - timedelta(microseconds=1))
        window = Window(start, period_end(pipeline.calendar, start))
        patience = min(max(window.end - window.start, _SHORTEST), _LONGEST)
        if now - window.end >= patience:
            return window if window.start >= pipeline.coverage.start else None
    return None


def of_calendar(
    pipeline: Pipeline, settings: Settings, *, now: datetime, is_paused: Callable[[str], bool]
) -> Iterator[Alert]:
    """DAGs that are paused though a window is due, and a source that delivered nothing for it.

    Args:
        is_paused: Whether a DAG (by its id) is paused; Airflow knows.
    """
    # A pipeline of the past is late for nothing.
    window = due_window(pipeline, now) if pipeline.coverage.holds(now) else None
    if window is None:
        return
    data = dag_of(pipeline.name, "data")
    paused = [dag_id for dag_id in (dag_of(pipeline.name, group) for group in _GROUPS) if is_paused(dag_id)]
    for dag_id in paused:
        yield Alert(
            kind="paused",
            cause=f"paused:{dag_id}",
            severity="warning",
            what=f"{dag_id} is paused, and {window} is due",
            why="A paused DAG starts nothing, on the calendar or when it is triggered: the loop does not close.",
            evidence=f"the newest window that ended is {window}",
            link=f"dags/{dag_id}",
            to_do="Unpause it (the switch beside its name), or end the pipeline's coverage.",
        )
    if data not in paused and not _ingested(pipeline, settings, window):
        yield Alert(
            kind="source_stalled",
            cause="source_stalled",
            severity="critical",
            what=f"no data of {window}",
            why=f"The window ended at {window.end:%Y-%m-%dT%H:%MZ}, and no file of it has been ingested.",
            evidence=f"feeds: {', '.join(name for name, feed in pipeline.feeds.items() if not feed.static)}",
            link=f"dags/{data}",
            to_do=f"See {data} for a run that failed; else ask the upstream system for its files.",
        )


def _ingested(pipeline: Pipeline, settings: Settings, window: Window) -> bool:
    return bool(state.latest_records(settings, pipeline.name, "ingest", window=window))
