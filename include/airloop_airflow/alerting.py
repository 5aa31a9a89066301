"""Airflow's callbacks that tell people: of a task that fails for good, and of every run that ends.

This file is imported at every parse, so it imports nothing heavy at the top. A callback never raises: who cannot be
told must not change what a run did.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from airloop import settings
from airloop.config import Pipeline
from airloop_airflow.refused import Refused

logger = logging.getLogger(__name__)

Callback = Callable[[Mapping[str, Any]], None]


def dag_callbacks(pipeline: Pipeline) -> dict[str, Callback]:
    """`on_failure_callback` and `on_success_callback` of a DAG; they run in the DAG processor."""
    return {
        "on_failure_callback": partial(_safely, run_ended, pipeline, failed=True),
        "on_success_callback": partial(_safely, run_ended, pipeline, failed=False),
    }


def task_callbacks(pipeline: Pipeline) -> dict[str, Callback]:
    """`on_failure_callback` of every task: only the task's own process knows why it failed."""
    return {"on_failure_callback": partial(_safely, task_failed, pipeline)}


def _safely(what: Callable[..., None], pipeline: Pipeline, context: Mapping[str, Any], **options: Any) -> None:
    try:
        what(pipeline, context, **options)
    except Exception:
        logger.exception("%s: nobody could be told of %s", pipeline.name, context.get("run_id"))


def task_failed(pipeline: Pipeline, context: Mapping[str, Any]) -> None:
    """Keep why the task failed; the run's end tells it."""
    from airloop.stores import alerts as kept
    from airloop.watch import alerts

    dag_id, run_id = _run(context)
    exception = context.get("exception")
    says = str(exception) or type(exception).__name__ if exception is not None else "it was killed or timed out"
    task_id = getattr(context.get("ti"), "task_id", "?")
    why = says if says.startswith(f"{task_id}: ") else f"{task_id}: {says}"
    alert = alerts.run_failed(dag_id, run_id, why=why, link=_link(dag_id, run_id))
    kept.note(settings.load_settings(), pipeline.name, [alert], now=datetime.now(UTC))


def run_ended(pipeline: Pipeline, context: Mapping[str, Any], *, failed: bool) -> None:
    """Tell what the run's stages left in records and ledger, and that the run failed, or that the DAG runs again."""
    from airloop.stores import alerts as kept
    from airloop.watch import alerts
    from airloop_airflow.alert_routes import sender

    here = settings.load_settings()
    dag_id, run_id = _run(context)
    link = _link(dag_id, run_id)
    failure = alerts.run_failed(dag_id, run_id, why=str(context.get("reason") or "a task failed"), link=link)
    known = kept.find(here, pipeline.name, failure.cause)
    if known and known.resolved_at is None and (known.alert.link == link or _seen_since(known.seen_at, context)):
        failure = known.alert  # by the task itself, with its reason; of a later run where this one is told late
    if isinstance(pipeline, Refused):
        kept.note(here, pipeline.name, [failure] if failed else [], now=datetime.now(UTC))
        return
    alerts.tell(
        pipeline,
        here,
        now=datetime.now(UTC),
        send=sender(pipeline),
        noticed=[failure] if failed else [],
        over=lambda alert: not failed and alert.cause == failure.cause,
    )


def _seen_since(seen_at: datetime, context: Mapping[str, Any]) -> bool:
    """Whether an alert was seen after the run began: what an earlier run failed by says nothing about this one."""
    began = getattr(context.get("dag_run"), "start_date", None)
    return began is not None and seen_at >= began


def _run(context: Mapping[str, Any]) -> tuple[str, str]:
    return context["dag"].dag_id, str(context["run_id"])


def _link(dag_id: str, run_id: str) -> str:
    return f"dags/{dag_id}/runs/{quote(run_id, safe='')}"
