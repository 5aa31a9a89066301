"""What flows where when a DAG runs: real Airflow tasks, branches and skips around stages that only answer."""

from pathlib import Path
from typing import Any

import dag_runs
import pytest
from dag_runs import JANUARY, MONTH, Stages

from airloop import records
from airloop.config import Pipeline, load_pipeline
from airloop.data import bell_answers, inbox
from airloop.errors import DataContractError
from airloop.records import Window
from airloop.settings import load_settings
from airloop.stores import replay_hold

# The whole of Airflow runs in this process, and warns about itself.
pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore")]


def test_the_data_dag_runs_its_stages_over_the_given_window(stages: Stages) -> None:
    validated = records.Validated(JANUARY, "raw", (), (), "uri")
    stages.answers = {
        "ingest": records.Ingested(JANUARY, (), (), ()),
        "validate_raw": validated,
        "build_features": records.BuiltFeatures(JANUARY, ()),
        "validate_features": validated,
        "materialize": records.Materialized(JANUARY, {}, 0),
        "profile": records.Profiled(JANUARY, {}, "uri"),
    }
    assert dag_runs.run("data", MONTH).state == "success"
    assert stages.names()[:4] == ["ingest", "validate_raw", "build_features", "validate_features"]
    assert sorted(stages.names()[4:]) == ["materialize", "profile"]
    assert {window for _, window, _ in stages.calls} == {JANUARY}


@pytest.mark.parametrize("group", ["data", "scoring", "monitoring"])
def test_a_run_without_a_window_fails_and_runs_no_stage(
    stages: Stages, group: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dag_runs.run(group, {}).state == "failed"
    assert "this run has no window" in capsys.readouterr().out
    assert stages.calls == []


def test_an_unknown_param_fails_the_run(stages: Stages, capsys: pytest.CaptureFixture[str]) -> None:
    assert dag_runs.run("data", {**MONTH, "strat": "2013-01-01T00:00:00Z"}).state == "failed"
    assert "did you mean 'start'" in capsys.readouterr().out
    assert stages.calls == []


def test_a_permanent_error_fails_at_the_first_try_and_says_why(
    stages: Stages, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_options: Any) -> Any:
        raise DataContractError("column 'distance' is missing")

    stages.answers = {"ingest": refuse}
    assert dag_runs.run("data", MONTH).state == "failed"
    assert "ingest: column 'distance' is missing" in capsys.readouterr().out
    assert stages.names() == ["ingest"]


def test_scoring_hands_its_mode_on(stages: Stages) -> None:
    stages.answers = {"score": records.Scored(JANUARY, 1, "champion", "backtest", 1, 1, 1)}
    assert dag_runs.run("scoring", {**MONTH, "mode": "backtest"}).state == "success"
    assert stages.calls == [("score", JANUARY, {"mode": "backtest"})]


def _monitored() -> records.Monitored:
    return records.Monitored(
        *(
            JANUARY,
            JANUARY,
            "m",
            1,
            100,
            {},
            (),
            None,
            (),
            None,
            None,
            {},
            "live",
            "report",
            "metrics",
        )
    )


@pytest.mark.parametrize("kind", ["nothing", "not_enough_data", "cooling_down"])
def test_only_retrain_asks_for_a_training(stages: Stages, kind: str) -> None:
    stages.answers = {"monitor": _monitored(), "triage": records.Action(kind, "why", "", JANUARY.end, ())}
    done = dag_runs.run("monitoring", MONTH)
    assert done.state == "success"
    assert (dag_runs.states(done)["retrain"], dag_runs.states(done)["nothing"]) == ("skipped", "success")
    assert stages.calls[0] == ("monitor", JANUARY, {"origin": "live"})


def test_a_training_that_another_trigger_asks_for_has_its_reason(stages: Stages) -> None:
    key = "schedule:1:2013-02-01T00:00:00Z"
    action = records.Action("retrain", "too old", key, JANUARY.end, (), reason="schedule")
    stages.answers = {"monitor": _monitored(), "triage": action}
    assert dag_runs.run("monitoring", MONTH).state == "success"
    (asked,) = dag_runs.runs("flight_delays__training", key)
    assert (asked.conf["reason"], asked.conf["reason_key"]) == ("schedule", key)


def test_retrain_hands_reason_and_evidence_to_the_training(stages: Stages) -> None:
    evidence = records.Evidence("brier", 0.1, 0.05, 0.2, 0.9, 0.2, 0.1, 5000, 28, 200, 1)
    action = records.Action("retrain", "why", "probe:1:2013-02-01T00:00:00Z", JANUARY.end, (evidence,))
    stages.answers = {"monitor": _monitored(), "triage": action}
    done = dag_runs.run("monitoring", MONTH)
    assert (dag_runs.states(done)["retrain"], dag_runs.states(done)["nothing"]) == ("success", "skipped")
    asked = dag_runs.runs("flight_delays__training", "probe:1:2013-02-01T00:00:00Z")
    assert dag_runs.note("flight_delays__training", "probe:1:2013-02-01T00:00:00Z") == "why"
    assert asked[0].conf == {
        "cutoff": "2013-02-01T00:00:00Z",
        "reason": "probe",
        "reason_key": "probe:1:2013-02-01T00:00:00Z",
    }


def test_the_inbox_starts_a_data_run_per_waiting_window_and_none_twice(
    stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    months = [Window.parse(f"2013-0{number}-01T00:00:00Z", f"2013-0{number + 1}-01T00:00:00Z") for number in (1, 2, 3)]
    waiting = tuple(inbox.Waiting(month, "a" * 64, "landed") for month in months)
    monkeypatch.setattr(inbox, "waiting_windows", lambda *_: waiting)
    first, second = dag_runs.run("inbox", {}), dag_runs.run("inbox", {})
    assert (first.state, second.state) == ("success", "success")
    assert [str(ti.state) for ti in first.get_task_instances() if ti.task_id == "start"] == ["success"] * 3
    assert [str(ti.state) for ti in second.get_task_instances() if ti.task_id == "start"] == ["skipped"] * 3
    for item in waiting:
        assert [asked.conf for asked in dag_runs.runs("flight_delays__data", item.run_id)] == [item.window.to_json()]


def test_an_inbox_run_answers_the_bell_for_the_folder_it_looked_at(stages: Stages, tmp_path: Path) -> None:
    folder = tmp_path / "landing" / "flight_delays" / "schedule"
    folder.mkdir(parents=True)
    (folder / "2013-01-01.csv").write_text("x")
    settings = load_settings()
    _, listing = bell_answers.listing(load_pipeline("flight_delays", settings), settings)
    assert not bell_answers.is_answered("flight_delays", listing, settings)
    assert dag_runs.run("inbox", {}).state == "success"
    assert bell_answers.is_answered("flight_delays", listing, settings)
    (folder / "2013-01-02.csv").write_text("x")
    _, changed = bell_answers.listing(load_pipeline("flight_delays", settings), settings)
    assert not bell_answers.is_answered("flight_delays", changed, settings)


def test_an_inbox_run_that_looked_in_vain_leaves_the_bell_ringing(
    stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: Any) -> Any:
        raise DataContractError("too many wait")

    monkeypatch.setattr(inbox, "waiting_windows", down)
    settings = load_settings()
    _, listing = bell_answers.listing(load_pipeline("flight_delays", settings), settings)
    dag_runs.run("inbox", {})
    assert not bell_answers.is_answered("flight_delays", listing, settings)


def test_an_inbox_run_during_a_replay_starts_nothing_and_leaves_the_bell_ringing(
    stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def waiting(pipeline: Pipeline, *_: Any) -> tuple[()]:
        asked.append(pipeline.name)
        return ()

    monkeypatch.setattr(inbox, "waiting_windows", waiting)
    settings = load_settings()
    _, listing = bell_answers.listing(load_pipeline("flight_delays", settings), settings)
    with replay_hold.hold(settings, "flight_delays"):
        assert dag_runs.states(dag_runs.run("inbox", {})) == {"drain": "skipped", "start": "skipped"}
    assert (asked, bell_answers.is_answered("flight_delays", listing, settings)) == ([], False)
    assert dag_runs.states(dag_runs.run("inbox", {}))["drain"] == "success"
    assert (asked, bell_answers.is_answered("flight_delays", listing, settings)) == (["flight_delays"], True)


def test_an_inbox_run_that_finds_nothing_does_nothing(stages: Stages) -> None:
    done = dag_runs.run("inbox", {})
    assert done.state == "success"
    assert dag_runs.states(done) == {"drain": "success", "start": "skipped"}
