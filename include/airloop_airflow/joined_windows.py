"""A data run over windows that the inbox has joined: each is read and checked by itself, all are built at once.

What a window may lack, and what it is compared with, is then what it is where the window comes alone. One that is
refused is left to a run of its own, and the others go on. Of an ordinary run, which has one window, a task returns the
record of its stage; of these `records`, and `alone`, the windows that are left over.

This file is imported at every parse, so it imports nothing heavy.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from airloop.config import Pipeline
from airloop.config.calendar import may_join, spanned, stretches, windows_of
from airloop.errors import DataContractError
from airloop.records import Validated, Window
from airloop_airflow import late_scoring, stage, windows
from airloop_airflow.stage import Json
from airloop_airflow.started_runs import asked, start_each

logger = logging.getLogger(__name__)

_RECORDS, _ALONE = "records", "alone"

_Job = tuple[Window, Mapping[str, Any]]
"""A window to run a stage over, and the records it is handed, by stage."""


def begin(name: str, pipeline: Pipeline, context: Mapping[str, Any], over: Window, **options: Any) -> Json:
    """Run a stage that needs no other over the window of a run, or over each of its windows."""
    if not windows.asks_for_each(context):
        return stage.run(name, pipeline, over, **options)
    return _each(name, pipeline, [(window, {}) for window in windows.taken(pipeline, context)], (), **options)


def go_on(name: str, pipeline: Pipeline, **upstream: Json) -> Json:
    """Run a stage over each window of which the last one in `upstream` has a record.

    Args:
        upstream: Stage name -> what its task returned; of the others one record of all windows within is handed on.
    """
    (*others, (last, handed)) = upstream.items()
    if _RECORDS not in handed:
        return stage.run(name, pipeline, _window(handed), upstream=upstream)
    jobs = [
        (_window(record), {other: _of_all(_window(record), each) for other, each in others} | {last: record})
        for record in handed[_RECORDS]
    ]
    return _each(name, pipeline, jobs, handed[_ALONE])


def build(pipeline: Pipeline, validated: Json) -> Json:
    """Build the features of a run's window, or of all its windows that follow each other at once."""
    if _RECORDS not in validated:
        return go_on("build_features", pipeline, validate_raw=validated)
    spans = map(spanned, stretches(map(_window, validated[_RECORDS]), lambda _: None))
    jobs = [(span, {"validate_raw": _of_all(span, validated)}) for span in spans]
    return _each("build_features", pipeline, jobs, validated[_ALONE])


def materialize(pipeline: Pipeline, context: Mapping[str, Any], validated: Json) -> Json:
    """Put features online; returns the runs that `start_left` starts."""
    done = go_on("materialize", pipeline, validate_features=validated)
    reason = context["run_id"].rpartition("__")[2]
    left = [Window.from_json(window) for window in done.get(_ALONE, ())]
    return [asked("alone", window, reason, **late_scoring.conf(pipeline)) for window in left]


def start_left(pipeline: Pipeline, materialized: Any) -> None:
    """Start a run of its own for each window that was refused; nothing, and no worker, where none was."""
    if may_join(pipeline.calendar):
        start_each("alone", pipeline, "data", materialized)


def _each(name: str, pipeline: Pipeline, jobs: Iterable[_Job], alone: Iterable[Json], **options: Any) -> Json:
    records, left = [], list(alone)
    for window, upstream in jobs:
        try:
            records.append(stage.run(name, pipeline, window, upstream=upstream, **options))
        except AirflowFailException as error:
            if not isinstance(error.__cause__, DataContractError):
                raise
            logger.warning("%s %s is left to a run of its own: %s", pipeline.name, window, error)
            left += [part.to_json() for part in windows_of(pipeline.calendar, window)]
    return {_RECORDS: records, _ALONE: left}


def _of_all(span: Window, validated: Json) -> Json:
    """The verdicts about the windows of a span, as one record."""
    records = map(Validated.from_json, validated[_RECORDS])
    within = [record for record in records if span.start <= record.window.start and record.window.end <= span.end]
    return Validated.of_all(within).to_json()


def _window(record: Json) -> Window:
    return Window.from_json(record["window"])
