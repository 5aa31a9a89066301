"""Judge the champion on the rows whose labels matured lately, and ask for a training when the probe surely beats it.

Its calendar is `monitoring.every`, and each look judges the last `monitoring.over_days`, or its whole period where that
is longer. It starts together with the data run of its last window and waits for it like scoring does. What a backfill
finds is recorded as such and asks for nothing. The training it asks for has a run id made of the reason, so that the
same reason asks once. Where `gate.rules` has `shadowed`, each look asks whether the version that waits was beside the
champion for long enough by now, and starts its promotion. Where `gate.probation` is declared, `take_back` puts the
version before in force again after the look that measured a loss of the champion's promotion.

**Triage.** `triage` says in its log and in the ledger what it decided and why; "not enough data" and "cooling down"
are outcomes, not errors. `retrain` skipped: this reason had been asked before, its run is in `<pipeline>__training`.
`take_back` ends well also where the version stays: its log, the ledger (`not_taken_back`) and an alert say why.
The report lies where the record of `monitor` (XCom) says.
"""

from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import task

from airloop.config import Pipeline
from airloop.config.dag_ids import dag_of
from airloop.run.run_ids import as_run_id
from airloop_airflow import arrivals, live_traffic, outcomes, pipelines, stage, waiting, windows
from airloop_airflow.notes import TriggerWithNote
from airloop_airflow.params import dag
from airloop_airflow.refused import Refused
from airloop_airflow.stage import Json


def _asks_again(pipeline: Pipeline, *, after: Any) -> None:
    """Start the promotion that waited for live traffic, where it waits no longer."""

    @task.short_circuit
    def shadowed() -> int:
        return live_traffic.due(pipeline)

    sequence: Any = shadowed()
    (
        after
        >> sequence
        >> TriggerWithNote(
            task_id="promotion",
            trigger_dag_id=dag_of(pipeline.name, "promotion"),
            trigger_run_id="decision__{{ ti.xcom_pull(task_ids='shadowed') }}__shadowed",
            conf={"sequence": sequence},
            note="it was asked beside the champion for as long as gate.rules says",
            logical_date=None,
            skip_when_already_exists=True,
        )
    )


def build(pipeline: Pipeline) -> None:
    """The DAG `<pipeline>__monitoring`."""
    arguments = pipelines.defaults(
        pipeline, "monitoring", doc=__doc__, params=windows.window_params(), retries=outcomes.WAITING_RETRIES
    ) | {"user_defined_filters": {"as_run_id": as_run_id}}

    @dag(schedule=pipelines.calendar(pipeline, "monitoring"), **waiting.side_by_side(pipeline, arguments, "monitoring"))
    def monitoring() -> None:
        @task
        def monitor(**context: Any) -> Json:
            origin = "backfill" if context["dag_run"].run_type == "backfill" else "live"
            return stage.run("monitor", pipeline, arrivals.due_window(pipeline, context, "monitoring"), origin=origin)

        # Every key is an XCom of its own: what a branch decided is not in its XCom yet when the next task reads it.
        @task(multiple_outputs=True)
        def triage(monitored: Json, **context: Any) -> Json:
            window = windows.window(pipeline, context, "monitoring")
            return stage.run("triage", pipeline, window, upstream={"monitor": monitored})

        @task.branch
        def branch(action: Json) -> str:
            return action["kind"] if action["kind"] in ("retrain", "take_back") else "nothing"

        monitored = monitor()
        waiting.waits_for(waiting.FEATURES, pipeline, "monitoring", before=monitored)
        action: Any = triage(monitored)
        retrain = TriggerWithNote(
            task_id="retrain",
            trigger_dag_id=dag_of(pipeline.name, "training"),
            trigger_run_id="{{ ti.xcom_pull(task_ids='triage', key='reason_key') | as_run_id }}",
            conf={
                "cutoff": action["cutoff"],
                "reason": "{{ ti.xcom_pull(task_ids='triage', key='reason') or 'probe' }}",
                "reason_key": action["reason_key"],
            },
            note="{{ ti.xcom_pull(task_ids='triage', key='why') }}",
            logical_date=None,
            skip_when_already_exists=True,
        )
        ways: list[Any] = [retrain, EmptyOperator(task_id="nothing")]
        if not isinstance(pipeline, Refused) and pipeline.gate.probation:

            @task
            def take_back(monitored: Json, action: Json, **context: Any) -> Json:
                window = windows.window(pipeline, context, "monitoring")
                return stage.run("take_back", pipeline, window, upstream={"monitor": monitored, "triage": action})

            ways.append(take_back(monitored, action))
        branch(action) >> ways
        if live_traffic.asks(pipeline):
            _asks_again(pipeline, after=action)

    monitoring()
