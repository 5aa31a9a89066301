"""One pipeline's mistake is its own: its DAGs stay and say what is wrong, those of the others know nothing of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.exceptions import AirflowFailException
from airflow.serialization.serialized_objects import DagSerialization
from tests.support import toy, toy_fleet

from airloop.settings import Settings

pytestmark = pytest.mark.filterwarnings("ignore:GitWildMatchPattern:DeprecationWarning")

PROJECT = Path(__file__).parents[2]
GROUPS = ("data", "inbox", "monitoring", "promotion", "rollback", "scoring", "training")
GOLDEN = {group: json.loads((PROJECT / "tests" / "golden" / f"{group}.json").read_text()) for group in GROUPS}


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    settings = toy.write_project(tmp_path / "project", PROJECT)
    for name in ("alpha", "beta"):
        toy_fleet.add(settings, name)
    monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(settings.project_dir))
    return settings


def _break(settings: Settings, name: str = "beta", old: str = "calendar:", new: str = "calender:") -> Path:
    declared = settings.pipelines_dir / name / "pipeline.yaml"
    toy_fleet.rewrite(declared, old, new)
    return declared


def _bag() -> DagBag:
    return DagBag(dag_folder=str(PROJECT / "dags"))


def _ids(*names: str) -> list[str]:
    return sorted(f"{name}__{group}" for name in names for group in GROUPS)


def _edges(dag: Any) -> dict[str, list[str]]:
    return {task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks}


def test_without_a_mistake_no_dag_is_refused_and_nothing_is_listed(fleet: Settings) -> None:
    bag = _bag()
    assert (sorted(bag.dags), bag.import_errors) == (_ids("alpha", "beta", "toy"), {})
    assert not any("refused" in dag.tags for dag in bag.dags.values())


def test_a_refused_pipeline_keeps_its_dags_and_their_tasks(fleet: Settings) -> None:
    declared = _break(fleet)
    bag = _bag()
    assert sorted(bag.dags) == _ids("alpha", "beta", "toy")
    for group in GROUPS:
        dag = bag.dags[f"beta__{group}"]
        assert _edges(dag) == GOLDEN[group]
        assert {"airloop", group, "beta", "refused"} == dag.tags
        assert dag.doc_md is not None
        assert f"{declared}:7: calender: unknown key; did you mean 'calendar'?" in dag.doc_md
        assert "refused" in str(dag.description)
        assert type(dag.timetable).__name__ == "NullTimetable"


def test_the_list_of_import_errors_names_file_and_line_and_stops_no_dag(fleet: Settings) -> None:
    declared = _break(fleet)
    errors = _bag().import_errors
    assert [Path(path).name for path in errors] == ["airloop_declarations_dag.py"]
    assert f"{declared}:7: calender" in "".join(errors.values())


def test_the_dags_of_the_others_are_what_they_are_without_the_mistake(fleet: Settings) -> None:
    def others() -> dict[str, Any]:
        return {name: DagSerialization.to_dict(dag) for name, dag in _bag().dags.items() if "beta" not in name}

    sound = others()
    _break(fleet)
    assert json.dumps(others(), sort_keys=True) == json.dumps(sound, sort_keys=True)


@pytest.mark.parametrize("group", GROUPS)
def test_every_task_of_a_refused_pipeline_fails_with_the_reason_before_it_does_anything(
    fleet: Settings, group: str
) -> None:
    _break(fleet)
    for task in _bag().dags[f"beta__{group}"].tasks:
        hook = task.partial_kwargs["pre_execute"] if task.is_mapped else task._pre_execute_hook
        with pytest.raises(AirflowFailException, match="calender: unknown key"):
            hook({})


@pytest.mark.parametrize("group", GROUPS)
def test_the_scheduler_can_read_the_dags_of_a_refused_pipeline(fleet: Settings, group: str) -> None:
    _break(fleet)
    dag = _bag().dags[f"beta__{group}"]
    assert DagSerialization.from_dict(DagSerialization.to_dict(dag)).dag_id == dag.dag_id


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name: [beta",
        "? [a, b]\n: 1\n",
        "name: beta\ncoverage: {start: 2020-02-31}\n",
        "[" * 3000,
        b"name: b\xe9ta\n",
        "name: other\n",
    ],
    ids=["empty", "cut", "key is a list", "no such day", "nested", "not UTF-8", "little"],
)
def test_whatever_the_file_holds_the_others_are_built(fleet: Settings, text: str | bytes) -> None:
    content = text if isinstance(text, bytes) else text.encode()
    (fleet.pipelines_dir / "beta" / "pipeline.yaml").write_bytes(content)
    bag = _bag()
    assert sorted(bag.dags) == _ids("alpha", "beta", "toy")
    assert [Path(path).name for path in bag.import_errors] == ["airloop_declarations_dag.py"]


def test_what_airflow_refuses_of_a_readable_declaration_is_the_pipelines_own_too(fleet: Settings) -> None:
    _break(fleet, old="tags: [test]", new=f"tags: [{'t' * 101}]")
    bag = _bag()
    assert sorted(bag.dags) == _ids("alpha", "beta", "toy")
    assert "refused" in bag.dags["beta__data"].tags
    assert "refused" not in bag.dags["alpha__data"].tags


def test_a_folder_that_cannot_name_a_dag_takes_no_other_away(fleet: Settings) -> None:
    (fleet.pipelines_dir / "beta").rename(fleet.pipelines_dir / "My beta")
    bag = _bag()
    assert sorted(bag.dags) == _ids("alpha", "toy")
    assert "My beta" in "".join(bag.import_errors.values())


def test_a_task_that_starts_for_one_pipeline_never_reads_the_broken_one(
    fleet: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _break(fleet)
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "alpha__data")
    bag = _bag()
    assert (sorted(bag.dags), bag.import_errors) == (_ids("alpha"), {})


@pytest.mark.integration
@pytest.mark.filterwarnings("ignore")
def test_a_run_of_a_refused_pipeline_fails_at_the_first_try_and_its_log_says_why(
    fleet: Settings, airflow_database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _break(fleet)
    run = _bag().dags["beta__data"].test(run_conf={"start": "2020-01-01T00:00:00Z", "end": "2020-01-02T00:00:00Z"})
    states = {ti.task_id: (str(ti.state), ti.try_number) for ti in run.get_task_instances()}
    assert states["ingest"] == ("failed", 1)
    assert states["validate_raw"][0] == "upstream_failed"
    assert "did you mean 'calendar'?" in capsys.readouterr().out
