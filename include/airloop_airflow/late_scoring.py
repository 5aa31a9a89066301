"""A window that its files kept waiting too long is scored when they come: the calendar's scoring of it was skipped.

This file is imported at every parse, so it imports nothing heavy.
"""

from typing import Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk.exceptions import AirflowSkipException

from airloop import settings
from airloop.config import Pipeline, load_pipeline
from airloop.config.dag_ids import dag_of
from airloop.run.run_ids import as_run_id
from airloop_airflow import waiting, windows
from airloop_airflow.params import Param

PARAM = "then"
_SCORE = "score"


def params(pipeline: Pipeline) -> dict[str, Param]:
    """The Param by which the inbox asks for it; none where no feed says how late its files may be."""
    if not waiting.waits(pipeline):
        return {}
    says = "`score`, as the inbox asks: a window that is in force of a champion and was not scored is scored after it."
    return {PARAM: Param("", says, type="string", enum=["", _SCORE])}


def conf(pipeline: Pipeline) -> dict[str, str]:
    """What the inbox gives a data run besides its window."""
    return {PARAM: _SCORE} if waiting.waits(pipeline) else {}


class ScoreLate(TriggerDagRunOperator):
    """The last task of a data run that the inbox started: starts the window's scoring, once, if the calendar could not.

    Skipped where nobody asked, before the calendar's own scoring has given up, without a champion at the window's
    start, and where a champion has scored the window.
    """

    def __init__(self, *, pipeline: str, **options: Any) -> None:
        super().__init__(
            trigger_dag_id=dag_of(pipeline, "scoring"), logical_date=None, skip_when_already_exists=True, **options
        )
        self.pipeline = pipeline

    def execute(self, context: Any) -> None:
        """Start the run, or skip and say why."""
        from airloop.serving import unscored

        here = settings.load_settings()
        pipeline = load_pipeline(self.pipeline, here)
        if context["params"].get(PARAM) != _SCORE:
            raise AirflowSkipException("nobody asked for a scoring after this run")
        window = windows.window(pipeline, context, "data")
        why = unscored.why_not(pipeline, window, here)
        if why or waiting.is_awaited(pipeline, window):
            raise AirflowSkipException(
                why or f"{dag_of(pipeline.name, 'scoring')} of {window} is still waiting for this run"
            )
        self.conf = window.to_json()
        self.trigger_run_id = as_run_id(f"late__{window.start:%Y-%m-%dT%H:%MZ}__{window.end:%Y-%m-%dT%H:%MZ}")
        super().execute(context)


def after(pipeline: Pipeline, last: Any) -> None:
    """Put the task behind the last one of a data run, where a feed says how late its files may be."""
    if waiting.waits(pipeline):
        last >> ScoreLate(task_id="score_late", pipeline=pipeline.name)
