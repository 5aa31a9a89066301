"""Every DAG keeps the contract: it parses, says what it is, and cannot run away."""

import json
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG
from airflow.task import priority_strategy

from airloop.config import load_pipelines
from airloop.config.refit import Refit
from airloop.settings import load_settings
from airloop_airflow.dags import training

# Airflow reads .airflowignore with a pattern class that pathspec has renamed.
pytestmark = pytest.mark.filterwarnings("ignore:GitWildMatchPattern:DeprecationWarning")

PROJECT = Path(__file__).parents[2]
GROUPS = ("data", "inbox", "monitoring", "promotion", "rollback", "scoring", "training")
CALENDAR = ("data", "monitoring", "scoring")
PIPELINES = {pipeline.name: pipeline for pipeline in load_pipelines(load_settings())}
DAG_IDS = sorted(f"{name}__{group}" for name in PIPELINES for group in GROUPS)


@pytest.fixture(scope="module")
def bag() -> DagBag:
    return DagBag(dag_folder=str(PROJECT / "dags"))


@pytest.fixture(params=DAG_IDS)
def dag(bag: DagBag, request: pytest.FixtureRequest) -> DAG:
    return bag.dags[request.param]


def _group(dag: DAG) -> str:
    return dag.dag_id.split("__")[1]


@pytest.mark.parametrize(("on", "after"), [("all_mature", "refit"), ("none", "promotion")])
def test_a_refit_stands_between_decision_and_promotion_where_it_is_declared(on: str, after: str) -> None:
    declared = PIPELINES["flight_delays"]
    update = {"training": declared.training.model_copy(update={"refit": Refit.model_validate({"on": on})})}
    with DAG("refits", schedule=None) as dag:
        passed, promotion = (EmptyOperator(task_id=name) for name in ("passed", "promotion"))
        training._go_on(declared.model_copy(update=update), lambda *_: {}, passed, promotion, {})
    assert dag.get_task("passed").downstream_task_ids == {after}
    assert dag.get_task("promotion").upstream_task_ids == ({"refit"} if on == "all_mature" else {"passed"})
    assert ("describe_refit" in dag.task_ids) == (on == "all_mature")
    if on == "all_mature":
        assert dag.get_task("describe_refit").upstream_task_ids == {"describe", "refit"}
        assert not dag.get_task("describe_refit").downstream_task_ids  # nothing waits for it


def test_a_run_that_has_begun_goes_on_before_another_begins(dag: DAG) -> None:
    strategy = priority_strategy.validate_and_load_priority_weight_strategy("upstream")
    weights = {task.task_id: strategy.get_weight(SimpleNamespace(task=task)) for task in dag.tasks}  # type: ignore[arg-type]
    for task in dag.tasks:
        assert task.weight_rule == "upstream"
        assert all(weights[before] < weights[task.task_id] for before in task.upstream_task_ids)


def test_every_file_is_imported_without_error(bag: DagBag) -> None:
    assert bag.import_errors == {}


@pytest.mark.parametrize(
    ("started", "found"),
    [("flight_delays__data", ["flight_delays__data"]), ("nosuch__data", []), ("somebody_elses", [])],
)
def test_a_task_that_starts_reads_its_own_pipeline_only(
    started: str, found: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Airflow's own context manager leaves the variable behind.
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", started)
    bag = DagBag(dag_folder=str(PROJECT / "dags" / "airloop_data_dag.py"))
    assert (sorted(bag.dags), bag.import_errors) == (found, {})


def test_the_dags_are_exactly_those_of_every_pipeline_and_group(bag: DagBag) -> None:
    assert sorted(bag.dags) == DAG_IDS


def test_there_is_one_file_a_group_and_one_for_what_is_refused(bag: DagBag) -> None:
    expected = {f"airloop_{group}_dag.py" for group in (*GROUPS, "alerts", "declarations", "maintenance")}
    assert {Path(stat.file).name for stat in bag.dagbag_stats} == expected


def test_edges_are_those_of_the_golden_file(dag: DAG) -> None:
    refits = PIPELINES[dag.dag_id.split("__")[0]].training.refit.on != "none"
    name = "training_refit" if refits and _group(dag) == "training" else _group(dag)
    golden = json.loads((PROJECT / "tests" / "golden" / f"{name}.json").read_text())
    assert {task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks} == golden


def test_tags_come_from_the_list(dag: DAG) -> None:
    pipeline = PIPELINES[dag.dag_id.split("__")[0]]
    assert dag.tags == {"airloop", _group(dag), pipeline.name, *pipeline.tags}


def test_every_task_has_the_pipelines_owner(dag: DAG) -> None:
    assert {task.owner for task in dag.tasks} == {PIPELINES[dag.dag_id.split("__")[0]].owner}


def test_the_doc_says_purpose_owner_triage_and_every_param(dag: DAG) -> None:
    pipeline = PIPELINES[dag.dag_id.split("__")[0]]
    words = ["**Triage.**", pipeline.owner, pipeline.description, *(f"`{name}`" for name in dag.params)]
    assert dag.doc_md is not None
    assert [word for word in words if word not in dag.doc_md] == []


def test_every_param_is_described_with_an_example_or_its_values(dag: DAG) -> None:
    params = {name: dag.params.get_param(name) for name in dag.params}
    plain = [name for name, param in params.items() if not param.description or "type" not in param.schema]
    assert plain == []


def test_no_dag_catches_up_and_one_run_is_active_at_a_time(dag: DAG) -> None:
    assert (dag.catchup, dag.max_active_runs) == (False, 1)


def test_every_task_retries_under_the_policy_and_ends_within_an_hour(dag: DAG) -> None:
    retries = 8 if _group(dag) in ("scoring", "monitoring") else 2
    assert {task.retries for task in dag.tasks} == {retries}
    assert {type(task.retry_policy).__name__ for task in dag.tasks} == {"Outcomes"}
    assert {task.retry_policy.retries for task in dag.tasks} == {retries}
    assert {task.execution_timeout for task in dag.tasks} == {timedelta(hours=1)}


def test_the_start_date_is_constant_and_has_a_timezone(dag: DAG) -> None:
    again = DagBag(dag_folder=dag.fileloc).dags[dag.dag_id]
    assert dag.start_date is not None
    assert dag.start_date.utcoffset() == timedelta(0)
    assert dag.start_date == again.start_date


@pytest.mark.parametrize("group", GROUPS)
def test_only_the_window_takers_have_a_calendar_and_only_the_inbox_listens(bag: DagBag, group: str) -> None:
    kinds = {"inbox": "AssetTriggeredTimetable", "training": "NullTimetable", "promotion": "NullTimetable"}
    kinds["rollback"] = "NullTimetable"
    dag = bag.dags[f"flight_delays__{group}"]
    assert type(dag.timetable).__name__ == kinds.get(group, "CoverageCalendar")


@pytest.mark.parametrize("group", CALENDAR)
def test_the_scheduler_reads_a_calendar_that_has_nothing_to_do_today(bag: DagBag, group: str) -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    scheduled = DagSerialization.from_dict(DagSerialization.to_dict(bag.dags[f"flight_delays__{group}"]))
    assert scheduled.timetable.partitioned
    assert scheduled.next_dagrun_info(last_automated_run_info=None) is None


def test_no_dag_has_an_end_date(dag: DAG) -> None:
    # A run whose logical date lies after it gets no tasks, and is a success.
    assert dag.end_date is None


def test_every_trigger_has_a_target_and_never_a_second_run_of_the_same_name(bag: DagBag) -> None:
    triggers = [
        task
        for dag in bag.dags.values()
        for task in dag.tasks
        if issubclass(getattr(task, "operator_class", type(task)), TriggerDagRunOperator)
    ]
    given = [getattr(task, "partial_kwargs", None) or vars(task) for task in triggers]
    assert sorted(task.task_id for task in triggers) == sorted(["promotion", "retrain", "start"] * len(PIPELINES))
    assert {arguments["trigger_dag_id"] for arguments in given} <= set(bag.dags)
    assert {arguments["skip_when_already_exists"] for arguments in given} == {True}
    assert {arguments["logical_date"] for arguments in given} == {None}
