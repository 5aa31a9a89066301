"""A window that its files kept waiting too long is scored when they come: the calendar's scoring of it was skipped.

This file is imported at every parse, so it imports nothing heavy.
"""

import logging
from collections.abc import Mapping
from typing import Any

from airflow.sdk import task

from airloop import settings
from airloop.config import Pipeline, load_pipeline
from airloop.config.dag_ids import dag_of
from airloop_airflow import waiting, windows
from airloop_airflow.params import Param
from airloop_airflow.stage import Json
from airloop_airflow.started_runs import asked, start_each

logger = logging.getLogger(__name__)

PARAM = "then"
_SCORE = "score"


def params(pipeline: Pipeline) -> dict[str, Param]:
    """The Param by which the inbox asks for it; none where no feed says how late its files may be."""
    if not waiting.waits(pipeline):
        return {}
    says = "`score`, as the inbox asks: a window that has a champion in force and was not scored is scored after it."
    return {PARAM: Param("", says, type="string", enum=["", _SCORE])}


def conf(pipeline: Pipeline) -> dict[str, str]:
    """What the inbox gives a data run besides its window."""
    return {PARAM: _SCORE} if waiting.waits(pipeline) else {}


def owed(pipeline: Pipeline, context: Mapping[str, Any]) -> Json:
    """The scoring runs that a data run of the inbox owes, for windows that the calendar could not score.

    None where nobody asked, before the calendar's own scoring of a window has given up, without a champion at its
    start, and where a champion has scored it.
    """
    from airloop.serving import unscored

    here = settings.load_settings()
    pipeline = load_pipeline(pipeline.name, here)
    if context["params"].get(PARAM) != _SCORE:
        logger.info("nobody asked for a scoring after this run")
        return []
    late = []
    for window in windows.taken(pipeline, context):
        if waiting.is_awaited(pipeline, window):
            logger.info("%s of %s is still waiting for this run", dag_of(pipeline.name, "scoring"), window)
        else:
            late.append(window)
    return [asked("late", over) for over in unscored.owed(pipeline, late, here)]


def after(pipeline: Pipeline, last: Any) -> None:
    """Put what starts the scorings behind the last task of a data run, where a feed says how late its files may be."""
    if not waiting.waits(pipeline):
        return

    @task
    def unscored(**context: Any) -> Json:
        return owed(pipeline, context)

    runs: Any = unscored()
    last >> runs
    start_each("score_late", pipeline, "scoring", runs)
