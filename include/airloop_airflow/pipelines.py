"""What the DAG files share: defaults, the calendar, and the Params of a run.

This file is imported at every parse, so it imports nothing heavy.
"""

import functools
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import get_parsing_context
from airflow.sdk.exceptions import AirflowFailException

from airloop import settings
from airloop.config import Pipeline, load_declared, pipeline_names
from airloop.config.calendar import CRON, period_end, period_start
from airloop.config.dag_ids import dag_of, pipeline_and_group
from airloop.config.nearest import nearest
from airloop.errors import AirloopError
from airloop.settings import Settings
from airloop_airflow import alerting, outcomes, refused
from airloop_airflow.calendar import CoverageCalendar
from airloop_airflow.params import Param
from airloop_airflow.refused import Refused

EXECUTION_TIMEOUT = timedelta(hours=1)
# A run whose logical date lies before it gets no tasks and ends as a success; `calendar` bounds the schedule.
START_DATE = datetime(1970, 1, 1, tzinfo=UTC)

_OPENLINEAGE_KEY = "openlineage"


def build_each(build: Callable[[Pipeline], None]) -> None:
    """Build the DAG of every declared pipeline; of a task that is starting only its own, which is all that it needs.

    A pipeline that is refused, by its declaration or while its DAG is built, keeps its DAG: see refused. The DAGs
    of the others are built as if it were not there.
    """
    installed = settings.load_settings()
    for name in _wanted_names(installed):
        try:
            build(load_declared(name, installed, keep=True))
        except Exception as error:
            if refused.can_have_dags(name):
                build(refused.stand_in(name, _reason(name, error)))


def refusals() -> list[str]:
    """Why declarations are refused, one text each; nothing while a task is starting."""
    if get_parsing_context().dag_id is not None:
        return []
    installed, reasons = settings.load_settings(), []
    for name in _wanted_names(installed):
        try:
            load_declared(name, installed, keep=True)
        except Exception as error:
            reasons.append(_reason(name, error))
    return reasons


def _wanted_names(installed: Settings) -> tuple[str, ...]:
    names, dag_id = pipeline_names(installed), get_parsing_context().dag_id
    return names if dag_id is None else tuple(name for name in names if name == pipeline_and_group(dag_id)[0])


def _reason(name: str, error: Exception) -> str:
    return str(error) if isinstance(error, AirloopError) else f"{name}: {type(error).__name__}: {error}"


def defaults(
    pipeline: Pipeline, group: str, *, doc: str, params: Mapping[str, Param], retries: int = outcomes.RETRIES
) -> dict[str, Any]:
    """Arguments of `@dag` that every DAG has, beside its schedule.

    One run at a time: runs of a pipeline write the same tables, and SQLite has one writer.

    Args:
        doc: The DAG file's docstring, shown in the UI with the Params below it.
    """
    return {
        "dag_id": dag_of(pipeline.name, group),
        **(refused.arguments(pipeline, doc) if isinstance(pipeline, Refused) else _texts(pipeline, doc, params)),
        "tags": ["airloop", group, pipeline.name, *pipeline.tags],
        "params": dict(params),
        "start_date": START_DATE,
        "catchup": False,
        "max_active_runs": 1,
        "owner_links": {pipeline.owner: pipeline.channel} if getattr(pipeline, "channel", "") else {},
        **alerting.dag_callbacks(pipeline),
        "default_args": {
            "owner": pipeline.owner,
            "retries": retries,
            "retry_delay": outcomes.RETRY_DELAY,
            "retry_policy": outcomes.Outcomes(retries),
            "execution_timeout": EXECUTION_TIMEOUT,
            # Of many runs that wait for a slot the one that is furthest goes on: fifty pipelines end one after the
            # other instead of all at the end.
            "weight_rule": "upstream",
            **alerting.task_callbacks(pipeline),
            **(refused.task_arguments(pipeline) if isinstance(pipeline, Refused) else {}),
        },
    }


def calendar(pipeline: Pipeline, group: str) -> CoverageCalendar | None:
    """Schedule of a DAG that takes windows: each period of its calendar wholly inside `coverage`, at its end.

    None for a pipeline that is refused: its runs could only fail.

    Args:
        group: `monitoring` has a calendar of its own; see `monitoring.every`.
    """
    if isinstance(pipeline, Refused):
        return None
    start = pipeline.coverage.start
    every = pipeline.calendar_of(group)
    period = period_start(every, start)
    period = period if period >= start else period_end(every, period)
    return _calendar(CRON[every], period_end(every, period), pipeline.coverage.end)


@functools.cache
def _calendar(cron: str, first: datetime, last: datetime | None) -> CoverageCalendar:
    """One for all pipelines that have the same: Airflow words a cron expression anew for each, in 2 ms."""
    return CoverageCalendar(cron, first=first, last=last)


def read_params(context: Mapping[str, Any]) -> dict[str, Any]:
    """The run's Params, after refusing keys nobody declared (Airflow accepts them silently).

    Raises:
        AirflowFailException: An unknown key; the message names the nearest valid one.
    """
    params = dict(context["params"])
    valid = list(context["dag"].params)
    for key in context["dag_run"].conf or {}:
        if key not in valid and key != _OPENLINEAGE_KEY:
            known = ", ".join(valid) or "none"
            raise AirflowFailException(f"unknown Param {key!r}{nearest(key, valid)} (valid: {known})")
    return params


def starter(context: Mapping[str, Any]) -> str:
    """Who started the run: the user's name, or the run's id where Airflow knows of none (another DAG started it)."""
    return person(context) or str(context["run_id"])


def person(context: Mapping[str, Any]) -> str:
    """The name of the user who started the run; empty where Airflow knows of none."""
    return str(getattr(context["dag_run"], "triggering_user_name", None) or "")


def _texts(pipeline: Pipeline, doc: str, params: Mapping[str, Param]) -> dict[str, str]:
    lines = [f"- `{name}`: {param.description}" for name, param in params.items()]
    about = f"Pipeline **{pipeline.name}** (owner: {pipeline.owner}): {pipeline.description}"
    doc_md = "\n".join([doc.strip(), "", about, *(["", "**Params**", *lines] if lines else [])])
    return {"description": f"{pipeline.name}: {doc.strip().splitlines()[0]}", "doc_md": doc_md}
