"""Train the candidates on everything mature before one cutoff, and judge the best against the champion.

Asked for by monitoring (`reason` probe) or by hand; it has no calendar of its own. `claim` makes sure that one reason
is answered by one training: a second run with the same `reason_key` skips everything and names the run that answered.
A probe counts only for what triage asked, which the ledger knows; anyone else trains by `reason` hand.
When the decision passed, the version is refitted on all mature rows where `training.refit` asks for it, and the
promotion DAG is started with the decision's number in the ledger, and nothing else. `describe` makes the version's
model card beside it, `describe_refit` that of the refit: nothing waits for them.

**Triage.** A refused candidate is a successful run: `decide` says why in its log, the ledger and the version's tags. A
run that failed: clear its failed task, a retry resumes (same snapshot, same MLflow runs); or start a new run with the
same `reason_key`, which takes over from one that is over and left no decision about the model. `claim` refused: what a
person may do instead is in its log. `snapshot` refused with a column's name: a feature uses what was not known yet.
"""

from collections.abc import Callable, Mapping
from typing import Any

from airflow.sdk import get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from airloop.config import Pipeline
from airloop.config.dag_ids import dag_of
from airloop.records import REASONS
from airloop_airflow import pipelines, stage, windows
from airloop_airflow.notes import TriggerWithNote
from airloop_airflow.params import Param, dag
from airloop_airflow.refused import Refused
from airloop_airflow.stage import Json

# No control character: it stands in logs, notes and run ids.
_TEXT = r"^(?![\s\S]*[\u0000-\u001f\u007f])"


def _params(pipeline: Pipeline) -> dict[str, Param]:
    says = "Why: probe and growth count only when triage asked for this cutoff; the gate may have a rule of its own."
    key = "What asked, e.g. march again; one training answers it. Empty: triage's key, else this run's id."
    return {
        "cutoff": windows.cutoff_param(),
        "reason": Param("hand", says, type="string", enum=_reasons(pipeline)),
        "reason_key": Param(None, key, type=["null", "string"], maxLength=200, pattern=_TEXT),
    }


def _reasons(pipeline: Pipeline) -> list[str]:
    """The reasons that the gate has a rule for beside the usual ones; `default` stands for all others."""
    ruled = () if isinstance(pipeline, Refused) else pipeline.gate.compare.rule
    return [*REASONS, *sorted({*ruled} - {*REASONS, "default"})]


def _claim(pipeline: Pipeline, context: Mapping[str, Any]) -> Json:
    from airloop import settings
    from airloop.stores import training_reason

    cutoff, run_id = windows.training_window(pipeline, context).end, context["run_id"]
    reason, key = context["params"]["reason"], context["params"]["reason_key"]
    key = key or ("" if reason in training_reason.PROVEN else run_id)

    def is_over(run: str) -> bool:
        count = context["ti"].get_dr_count(context["dag"].dag_id, run_ids=[run], states=["queued", "running"])
        return bool(count == 0)

    store = settings.load_settings()
    request = training_reason.asked_for(store, pipeline, cutoff, reason=reason, reason_key=key)
    try:
        training_reason.claim(store, pipeline.name, request, run_key=run_id, is_over=is_over)
    except training_reason.AskedAlready as error:
        raise AirflowSkipException(str(error)) from error
    return {"reason": request.reason, "reason_key": request.reason_key}


@task.short_circuit(task_id="passed")
def _passed(decision: Json) -> bool:
    return bool(decision["outcome"] == "passed")


def _go_on(pipeline: Pipeline, run: Callable[..., Json], passed: Any, promotion: Any, upstream: dict[str, Any]) -> None:
    """What follows a decision: its card; of one that passed the refit, where one is asked for, and the promotion."""
    described = _following("describe", run)(upstream)
    if isinstance(pipeline, Refused) or pipeline.training.refit.on == "none":
        passed >> promotion
        return
    refitted = _following("refit", run)(upstream)
    passed >> refitted >> promotion
    _following("describe_refit", run)({"describe": described, "refit": refitted})


def _following(stage_name: str, run: Callable[..., Json]) -> Any:
    """The task of a stage that follows the decision."""

    @task(task_id=stage_name)
    def following(upstream: dict[str, Json]) -> Json:
        return run(stage_name, upstream)

    return following


def build(pipeline: Pipeline) -> None:
    """The DAG `<pipeline>__training`."""

    @dag(schedule=None, **pipelines.defaults(pipeline, "training", doc=__doc__, params=_params(pipeline)))
    def training() -> None:
        def run(name: str, upstream: dict[str, Json] | None = None, **options: Any) -> Json:
            window = windows.training_window(pipeline, get_current_context())
            return stage.run(name, pipeline, window, upstream=upstream, **options)

        @task
        def claim(**context: Any) -> Json:
            return _claim(pipeline, context)

        @task
        def snapshot(request: Json) -> Json:
            return run("snapshot", **request)

        @task(map_index_template="{{ candidate }}")
        def tune(snapshot: Json, candidate: str) -> Json:
            context: Any = get_current_context()
            context["candidate"] = candidate
            return run("tune", {"snapshot": snapshot}, candidate=candidate)

        @task
        def train(snapshot: Json, tuned: Json) -> Json:
            return run("train", {"snapshot": snapshot, "tune": tuned})

        @task
        def evaluate(snapshot: Json, trained: Json) -> Json:
            return run("evaluate", {"snapshot": snapshot, "train": trained})

        @task(multiple_outputs=True)
        def decide(evaluated: Json) -> Json:
            return run("decide", {"evaluate": evaluated})

        frozen = snapshot(claim())
        tuned = tune.partial(snapshot=frozen).expand(candidate=list(pipeline.training.candidates))
        trained = train(frozen, tuned)
        evaluated = evaluate(frozen, trained)
        decision: Any = decide(evaluated)
        promotion = TriggerWithNote(
            task_id="promotion",
            trigger_dag_id=dag_of(pipeline.name, "promotion"),
            trigger_run_id="decision__{{ ti.xcom_pull(task_ids='decide', key='sequence') }}",
            conf={"sequence": decision["sequence"]},
            note="{{ ti.xcom_pull(task_ids='decide', key='why') }}",
            logical_date=None,
            skip_when_already_exists=True,
        )
        judged = {"snapshot": frozen, "train": trained, "decide": decision}
        _go_on(pipeline, run, _passed(decision), promotion, judged)

    training()
