"""How a task runs its stage.

This file is imported at every parse, so it imports nothing heavy at the top; stages are imported inside `run`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowFailException

from airloop import settings
from airloop.config import Pipeline
from airloop.deployment import Deployment
from airloop.records import Window, run_context
from airloop_airflow import outcomes, pipelines
from airloop_airflow.connections import urls

# An alias, because a task whose annotation says dict pushes every key as an XCom of its own.
Json = Any


def run(
    stage: str,
    pipeline: Pipeline,
    over: Window,
    *,
    upstream: Mapping[str, Any] | None = None,
    connections: Sequence[str] = (),
    **options: Any,
) -> Json:
    """Run a stage and return its record as JSON.

    Args:
        upstream: Stage name -> the JSON its task returned; tune's are a sequence.
        connections: Ids of the Airflow connections the stage needs; looked up here, in the task.

    Raises:
        AirflowFailException: A domain error that a retry would meet again; the others go through and are retried.
    """
    settings.apply_quiet_environment()
    from airloop.feast_stores import feast_boot
    from airloop.run import stage_run
    from airloop.run.stages import find_stage

    feast_boot.neutralise_typeguard()
    records = {name: _decode(find_stage(name).record, data) for name, data in (upstream or {}).items()}
    here = settings.load_settings()
    try:
        if connections:
            here = here.model_copy(update={"connections": urls(connections)})
        with run_context.working_for(_run_id(), starter=_starter()):
            record = stage_run.run_stage(stage, Deployment(pipeline, here), over, upstream=records, **options)
    except outcomes.PERMANENT as error:
        raise AirflowFailException(f"{stage}: {error}") from error
    return record.to_json()


def _run_id() -> str:
    try:
        return str(get_current_context()["run_id"])
    except RuntimeError:
        return run_context.BY_HAND  # no task: somebody calls the function


def _starter() -> str:
    try:
        return pipelines.person(get_current_context())
    except RuntimeError:
        return ""


def _decode(record: Any, data: Any) -> Any:
    return record.from_json(data) if isinstance(data, Mapping) else tuple(record.from_json(item) for item in data)
