"""A data run over joined windows: each is checked by itself, the features of all are built at once, none is lost."""

from pathlib import Path
from typing import Any

import dag_runs
import pytest
from airflow.dag_processing.dagbag import DagBag
from due_runs import HOUR, context
from tests.support import hourly, toy

from airloop import records
from airloop.config import load_pipeline
from airloop.errors import ConfigError, DataContractError, UpstreamUnavailable
from airloop.records import Window
from airloop.run import stage_run
from airloop.settings import load_settings
from airloop_airflow import joined_windows

# The whole of Airflow runs in this process, and warns about itself.
pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore")]

SIX = Window(toy.START, toy.START + 6 * HOUR)


def hour(number: int) -> Window:
    return Window(toy.START + number * HOUR, toy.START + (number + 1) * HOUR)


class Answers:
    """Answers in place of stages; `wrong` says of which stage and window it is what."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Window, dict[str, Any]]] = []
        self.wrong: dict[tuple[str, Window], Exception] = {}

    def run_stage(self, name: str, _at: Any, window: Window, *, upstream: Any, **_options: Any) -> Any:
        self.calls.append((name, window, upstream))
        if error := self.wrong.get((name, window)):
            raise error
        return {
            "ingest": records.Ingested(window, (), (), ()),
            "validate_raw": records.Validated(window, "raw", (), (), "uri"),
            "build_features": records.BuiltFeatures(window, ()),
            "validate_features": records.Validated(window, "features", (), (), "uri"),
            "materialize": records.Materialized(window, {}, 0),
            "profile": records.Profiled(window, {}, "uri"),
        }[name]

    def windows(self, name: str) -> list[Window]:
        return [window for stage, window, _ in self.calls if stage == name]


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, airflow_database: Path) -> Answers:
    """Of the hourly toy."""
    here = toy.write_project(tmp_path / "project", load_settings().project_dir)
    monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(here.project_dir))
    monkeypatch.setenv("AIRLOOP_HOME", str(here.home))
    hourly.declare(here, files="{day}T{hour}.csv")
    fake = Answers()
    monkeypatch.setattr(stage_run, "run_stage", fake.run_stage)
    return fake


def run(**conf: str) -> Any:
    dag = DagBag(dag_folder=str(dag_runs.DAGS / "airloop_data_dag.py")).dags["toy__data"]
    over = {"start": toy.text(SIX.start), "end": toy.text(SIX.end)}
    return dag_runs.without_callbacks(dag).test(run_conf=over | conf)


def left(done: Any) -> list[dict[str, str]]:
    """The confs of the runs that were started for windows that were left over."""
    from airflow.models.dagrun import DagRun

    reason = done.run_id.rpartition("__")[2]
    started = [item for item in DagRun.find(dag_id="toy__data") if item.run_id.startswith("alone__")]
    return sorted((item.conf for item in started if item.run_id.endswith(reason)), key=lambda conf: conf["start"])


def test_each_window_is_checked_by_itself_and_all_are_built_at_once(answers: Answers) -> None:
    done = run(checks="each")
    each = [hour(number) for number in range(6)]
    assert answers.windows("ingest") == answers.windows("validate_raw") == each
    for stage in ("build_features", "validate_features", "materialize", "profile"):
        assert answers.windows(stage) == [SIX]
    for stage in ("build_features", "profile"):
        (upstream,) = [upstream for name, _, upstream in answers.calls if name == stage]
        assert upstream["validate_raw"].window == SIX
    assert dag_runs.states(done)["alone"] == "skipped"
    assert done.state == "success"
    assert left(done) == []


def test_windows_that_are_refused_are_left_to_runs_of_their_own_and_the_others_go_on(answers: Answers) -> None:
    answers.wrong = {
        ("ingest", hour(1)): DataContractError("no column celsius"),
        ("validate_raw", hour(3)): DataContractError("all rows are bad"),
    }
    done = run(checks="each")
    assert answers.windows("ingest") == [hour(number) for number in range(6)]
    assert answers.windows("validate_raw") == [hour(number) for number in (0, 2, 3, 4, 5)]
    built = [hour(0), hour(2), Window(hour(4).start, hour(5).end)]
    for stage in ("build_features", "validate_features", "materialize", "profile"):
        assert answers.windows(stage) == built
    assert done.state == "success"
    assert left(done) == [hour(1).to_json(), hour(3).to_json()]


def test_features_that_are_refused_leave_all_their_windows_to_runs_of_their_own(answers: Answers) -> None:
    answers.wrong = {("validate_features", SIX): DataContractError("a share above 1")}
    done = run(checks="each")
    assert answers.windows("materialize") == answers.windows("profile") == []
    assert left(done) == [hour(number).to_json() for number in range(6)]


def test_a_store_that_does_not_answer_and_a_wrong_declaration_are_of_the_whole_run(answers: Answers) -> None:
    answers.wrong = {("ingest", hour(1)): ConfigError("expectations.yaml: unknown key")}
    done = run(checks="each")
    assert (done.state, dag_runs.states(done)["ingest"]) == ("failed", "failed")
    assert (answers.windows("validate_raw"), left(done)) == ([], [])
    answers.wrong = {("ingest", hour(1)): UpstreamUnavailable("the lake does not answer")}
    pipeline = load_pipeline("toy", load_settings())
    asked = context(pipeline, SIX, "operator_triggered", checks="each")
    with pytest.raises(UpstreamUnavailable):
        joined_windows.begin("ingest", pipeline, asked, SIX)


def test_a_run_that_nobody_asked_to_check_each_window_takes_them_as_one(answers: Answers) -> None:
    assert run().state == "success"
    assert {window for _, window, _ in answers.calls} == {SIX}
    answers.wrong = {("ingest", SIX): DataContractError("no column celsius")}
    done = run()
    assert (dag_runs.states(done)["ingest"], left(done)) == ("failed", [])
