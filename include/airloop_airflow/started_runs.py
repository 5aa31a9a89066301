"""How a task starts the runs that the task before it asks for, each once.

This file is imported at every parse, so it imports nothing heavy.
"""

from typing import Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator

from airloop.config import Pipeline
from airloop.config.dag_ids import dag_of
from airloop.records import Window
from airloop.run.run_ids import window_run_id
from airloop_airflow.stage import Json


def asked(kind: str, window: Window, *reason: str, **conf: str) -> Json:
    """A run over a window as `start_each` takes it; the same reason gives the same run."""
    return {"trigger_run_id": window_run_id(kind, window, *reason), "conf": window.to_json() | conf}


def start_each(task_id: str, pipeline: Pipeline, group: str, runs: Any) -> None:
    """Start runs of one of a pipeline's DAGs in the order in which they are asked for; of none, no worker is taken.

    Args:
        runs: What the task before returns: a list of what `asked` gives.
    """
    # One after the other: runs are queued oldest window first, because later windows read earlier ones.
    TriggerDagRunOperator.partial(
        task_id=task_id,
        trigger_dag_id=dag_of(pipeline.name, group),
        logical_date=None,
        skip_when_already_exists=True,
        max_active_tis_per_dagrun=1,
        map_index_template="{{ task.trigger_run_id }}",
    ).expand_kwargs(runs)
