"""Judge the champion on the rows whose labels matured in a window, and ask for a training when the probe beats it.

On the calendar it starts together with the window's data run and waits for it like scoring does. What a backfill finds
is recorded as such and asks for nothing. The training it asks for has a run id made of the reason, so that the same
reason asks once.

**Triage.** `triage` says in its log and in the ledger what it decided and why; "not enough data" and "cooling down"
are outcomes, not errors. `retrain` skipped: this reason had been asked before, its run is in `<pipeline>__training`.
The report lies where the record of `monitor` (XCom) says.
"""

from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import dag, task

from airloop.config import Pipeline
from airloop_airflow import outcomes, pipelines, stage, windows
from airloop_airflow.notes import TriggerWithNote
from airloop_airflow.stage import Json


def build(pipeline: Pipeline) -> None:
    """The DAG `<pipeline>__monitoring`."""
    arguments = pipelines.defaults(
        pipeline, "monitoring", doc=__doc__, params=windows.window_params(), retries=outcomes.WAITING_RETRIES
    )

    @dag(schedule=pipelines.calendar(pipeline), **arguments)
    def monitoring() -> None:
        @task
        def monitor(**context: Any) -> Json:
            origin = "backfill" if context["dag_run"].run_type == "backfill" else "live"
            return stage.run("monitor", pipeline, windows.window(pipeline, context), origin=origin)

        # Every key is an XCom of its own: what a branch decided is not in its XCom yet when the next task reads it.
        @task(multiple_outputs=True)
        def triage(monitored: Json, **context: Any) -> Json:
            window = windows.window(pipeline, context)
            return stage.run("triage", pipeline, window, upstream={"monitor": monitored})

        @task.branch
        def branch(action: Json) -> str:
            return "retrain" if action["kind"] == "retrain" else "nothing"

        action: Any = triage(monitor())
        retrain = TriggerWithNote(
            task_id="retrain",
            trigger_dag_id=f"{pipeline.name}__training",
            trigger_run_id="{{ ti.xcom_pull(task_ids='triage', key='reason_key') | as_run_id }}",
            conf={"cutoff": action["cutoff"], "reason": "probe", "reason_key": action["reason_key"]},
            note="{{ ti.xcom_pull(task_ids='triage', key='why') }}",
            logical_date=None,
            skip_when_already_exists=True,
        )
        branch(action) >> [retrain, EmptyOperator(task_id="nothing")]

    monitoring()
