"""Put the version of one passed decision in force: the alias moves only for a decision that stands in the ledger.

Started by the training DAG, or by hand with the decision's sequence (`airloop ledger show`). The decision is read from
the ledger, never from the run's conf. Run twice, it changes nothing. Where `approval` of pipeline.yaml asks for a
person, `approve` waits for an answer under Required Actions and holds no worker. Who started the training or this run
cannot approve. Where `gate.rules` has `shadowed`, a version waits as challenger until it was asked beside the champion
for long enough: the run ends with `promote` skipped, and a look of monitoring starts the next one.

**Triage.** Refused: the sequence is not a decision, the decision did not pass, or the model did not load in a fresh
process; the log says which. Skipped: the answer was no, nobody answered in time, or a newer version passed meanwhile;
the ledger says which. Killed half-way: clear the task, it finishes the move (or `airloop ledger verify` shows what is
missing).
"""

from typing import Any

from airflow.sdk import task
from airflow.sdk.exceptions import AirflowFailException

from airloop.config import Pipeline
from airloop_airflow import live_traffic, pipelines, stage
from airloop_airflow.approval import FORM, Approval
from airloop_airflow.params import Param, dag
from airloop_airflow.stage import Json


def build(pipeline: Pipeline) -> None:
    """The DAG `<pipeline>__promotion`."""
    params = {
        "sequence": Param(
            description="Sequence of the decision in the ledger, e.g. 3.", type="integer", minimum=1, maximum=10**9
        )
    }

    @dag(schedule=None, **pipelines.defaults(pipeline, "promotion", doc=__doc__, params=params))
    def promotion() -> None:
        @task
        def promote(**context: Any) -> Json:
            from airloop import settings
            from airloop.records import Decision, Window
            from airloop.stores import ledger

            sequence = pipelines.read_params(context)["sequence"]
            entries = ledger.entries(settings.load_settings(), pipeline.name, kind="decision")
            payloads = {entry.sequence: entry.payload for entry in entries}
            if sequence not in payloads:
                raise AirflowFailException(
                    f"refused: {sequence} is not a decision in the ledger (decisions: {sorted(payloads)})"
                )
            decision = Decision.from_json(payloads[sequence] | {"sequence": sequence})
            window = Window(pipeline.coverage.start, decision.effective_at)
            return stage.run("promote", pipeline, window, upstream={"decide": decision.to_json()})

        @task.short_circuit
        def shadowed(**context: Any) -> bool:
            return live_traffic.kept(pipeline, pipelines.read_params(context)["sequence"])

        first: Any = promote()
        if pipeline.approval.when.any:
            approve = Approval(task_id="approve", pipeline=pipeline, params=FORM)
            approve >> first
            first = approve
        if live_traffic.asks(pipeline):
            shadowed() >> first

    promotion()
