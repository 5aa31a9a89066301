"""What flows where when a DAG runs: real Airflow tasks, branches and skips around stages that only answer."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airloop import inbox, ledger, records, settings, stage_run, state
from airloop.errors import DataContractError
from airloop.records import Window

# The whole of Airflow runs in this process, and warns about itself.
pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore")]

DAGS = Path(__file__).parents[2] / "dags"
JANUARY = Window.parse("2013-01-01T00:00:00Z", "2013-02-01T00:00:00Z")
MONTH = {"start": "2013-01-01T00:00:00Z", "end": "2013-02-01T00:00:00Z"}


@pytest.fixture(scope="session")
def airflow_database(airflow_home: Path) -> Path:
    from airflow.utils.db import initdb

    initdb()
    return airflow_home


class Stages:
    """Answers in place of the stages; `calls` are their names, windows and options in the order they ran."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Window, dict[str, Any]]] = []
        self.answers: dict[str, Any] = {}

    def run_stage(
        self, name: str, _pipeline: Any, window: Window, *, upstream: Any, settings: Any, **options: Any
    ) -> Any:
        self.calls.append((name, window, options))
        missing = [need for need in stage_run.STAGES[name].needs if need not in upstream]
        if missing:
            raise AssertionError(f"{name} was not given {missing}")
        answer = self.answers[name]
        return answer(options) if callable(answer) else answer

    def names(self) -> list[str]:
        return [name for name, _, _ in self.calls]


@pytest.fixture
def stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, airflow_database: Path) -> Stages:
    fake = Stages()
    monkeypatch.setenv("AIRLOOP_HOME", str(tmp_path))
    monkeypatch.setattr(stage_run, "run_stage", fake.run_stage)
    return fake


@pytest.fixture
def run(stages: Stages) -> Callable[..., Any]:
    from airflow.dag_processing.dagbag import DagBag

    def start(group: str, conf: dict[str, Any]) -> Any:
        dag = DagBag(dag_folder=str(DAGS / f"{group}_dag.py")).dags[f"flight_delays__{group}"]
        return dag.test(run_conf=conf)

    return start


def _states(run: Any) -> dict[str, str]:
    return {ti.task_id: str(ti.state) for ti in run.get_task_instances()}


def _snapshot(reason: str, reason_key: str) -> records.Snapshot:
    return records.Snapshot(
        *(
            "flight_delays",
            JANUARY.end,
            JANUARY,
            JANUARY,
            "uri",
            "digest",
            1,
            1,
            0,
            (),
            "service",
            "fingerprint",
            {},
            (),
        ),
        reason=reason,
        reason_key=reason_key,
    )


def _decision(outcome: str) -> records.Decision:
    return records.Decision("m", 1, None, outcome, "why", (), (), "hand", "key", JANUARY.end, sequence=7)


@pytest.fixture
def training(stages: Stages) -> Stages:
    evaluated = records.Evaluated("m", 1, None, {}, {}, (), JANUARY, 1, JANUARY.end, "hand", "key", ())
    stages.answers = {
        "snapshot": lambda options: _snapshot(options["reason"], options["reason_key"]),
        "tune": lambda options: records.TunedCandidate(options["candidate"], {}, 0.1, 1, 1.0, "run"),
        "train": records.TrainedModel("forest", "m", 1, "run", "uri", {}, "digest", "key"),
        "evaluate": evaluated,
        "decide": _decision("refused"),
    }
    return stages


def test_the_data_dag_runs_the_five_stages_over_the_given_window(stages: Stages, run: Callable[..., Any]) -> None:
    validated = records.Validated(JANUARY, "raw", (), (), "uri")
    stages.answers = {
        "ingest": records.Ingested(JANUARY, (), (), ()),
        "validate_raw": validated,
        "build_features": records.BuiltFeatures(JANUARY, ()),
        "validate_features": validated,
        "materialize": records.Materialized(JANUARY, {}, 0),
    }
    assert run("data", MONTH).state == "success"
    assert stages.names() == ["ingest", "validate_raw", "build_features", "validate_features", "materialize"]
    assert {window for _, window, _ in stages.calls} == {JANUARY}


@pytest.mark.parametrize("group", ["data", "scoring", "monitoring"])
def test_a_run_without_a_window_fails_and_runs_no_stage(
    stages: Stages, run: Callable[..., Any], group: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(group, {}).state == "failed"
    assert "this run has no window" in capsys.readouterr().out
    assert stages.calls == []


def test_an_unknown_param_fails_the_run(
    stages: Stages, run: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("data", {**MONTH, "strat": "2013-01-01T00:00:00Z"}).state == "failed"
    assert "did you mean 'start'" in capsys.readouterr().out
    assert stages.calls == []


def test_a_permanent_error_fails_at_the_first_try_and_says_why(
    stages: Stages, run: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_options: Any) -> Any:
        raise DataContractError("column 'distance' is missing")

    stages.answers = {"ingest": refuse}
    assert run("data", MONTH).state == "failed"
    assert "ingest: column 'distance' is missing" in capsys.readouterr().out
    assert stages.names() == ["ingest"]


def test_scoring_hands_its_mode_on(stages: Stages, run: Callable[..., Any]) -> None:
    stages.answers = {"score": records.Scored(JANUARY, 1, "champion", "backtest", 1, 1, 1)}
    assert run("scoring", {**MONTH, "mode": "backtest"}).state == "success"
    assert stages.calls == [("score", JANUARY, {"mode": "backtest"})]


def test_a_refused_candidate_is_a_success_that_starts_no_promotion(training: Stages, run: Callable[..., Any]) -> None:
    done = run("training", {"cutoff": MONTH["end"], "reason_key": "k1"})
    states = _states(done)
    assert done.state == "success"
    assert (states["decide"], states["passed"], states["promotion"]) == ("success", "success", "skipped")
    assert sorted(training.names()) == ["decide", "evaluate", "snapshot", "train", "tune", "tune", "tune"]
    assert {options["candidate"] for name, _, options in training.calls if name == "tune"} == {
        *("logistic_regression", "gradient_boosting", "random_forest")
    }


def test_the_second_run_of_a_reason_skips_everything_and_names_the_first(
    training: Stages, run: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    conf = {"cutoff": MONTH["end"], "reason": "probe", "reason_key": "probe:1:2013-02"}
    first, second = run("training", conf), run("training", conf)
    assert (first.state, second.state) == ("success", "success")
    assert f"is answered by run '{first.run_id}'" in capsys.readouterr().out
    assert set(_states(second).values()) == {"skipped"}
    assert training.names().count("train") == 1
    assert state.reason_owner(settings.load_settings(), "flight_delays", "probe:1:2013-02") == first.run_id


def test_a_training_by_hand_is_its_own_reason(training: Stages, run: Callable[..., Any]) -> None:
    done = run("training", {"cutoff": MONTH["end"]})
    assert run("training", {"cutoff": MONTH["end"]}).state == "success"
    options = [options for name, _, options in training.calls if name == "snapshot"]
    assert (options[0]["reason"], options[0]["reason_key"]) == ("hand", done.run_id)
    assert training.names().count("train") == 2


def test_of_many_simultaneous_claims_exactly_one_wins(stages: Stages) -> None:
    barrier, won = threading.Barrier(8), []

    def claim(number: int) -> None:
        barrier.wait()
        if state.claim_reason(settings.load_settings(), "flight_delays", reason_key="k", run_key=str(number)):
            won.append(number)

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


def _monitored() -> records.Monitored:
    return records.Monitored(
        *(JANUARY, JANUARY, "m", 1, 100, {}, (), None, (), None, None, {}, "live", "report", "metrics")
    )


@pytest.mark.parametrize("kind", ["nothing", "not_enough_data", "cooling_down"])
def test_only_retrain_asks_for_a_training(stages: Stages, run: Callable[..., Any], kind: str) -> None:
    stages.answers = {"monitor": _monitored(), "triage": records.Action(kind, "why", "", JANUARY.end, ())}
    done = run("monitoring", MONTH)
    assert done.state == "success"
    assert (_states(done)["retrain"], _states(done)["nothing"]) == ("skipped", "success")
    assert stages.calls[0] == ("monitor", JANUARY, {"origin": "live"})


def test_retrain_hands_reason_and_evidence_to_the_training(stages: Stages, run: Callable[..., Any]) -> None:
    evidence = records.Evidence("brier", 0.1, 0.05, 0.2, 0.9, 0.2, 0.1, 5000, 28, 200, 1)
    action = records.Action("retrain", "why", "probe:1:2013-02-01T00:00:00Z", JANUARY.end, (evidence,))
    stages.answers = {"monitor": _monitored(), "triage": action}
    done = run("monitoring", MONTH)
    assert (_states(done)["retrain"], _states(done)["nothing"]) == ("success", "skipped")
    asked = _runs("flight_delays__training", "probe:1:2013-02-01T00:00:00Z")
    assert asked[0].conf == {
        "cutoff": "2013-02-01T00:00:00Z",
        "reason": "probe",
        "reason_key": "probe:1:2013-02-01T00:00:00Z",
        "evidence": [evidence.to_json()],
    }


def _runs(dag_id: str, run_id: str) -> list[Any]:
    from airflow.models.dagrun import DagRun

    return list(DagRun.find(dag_id=dag_id, run_id=run_id))


def test_a_promotion_reads_its_decision_from_the_ledger(stages: Stages, run: Callable[..., Any]) -> None:
    store = settings.load_settings()
    payload = _decision("passed").to_json()
    entry = ledger.append(store, "flight_delays", kind="decision", effective_at=JANUARY.end, payload=payload)
    stages.answers = {"promote": records.Promoted("m", 1, None, entry.sequence, 2, JANUARY.end)}
    assert run("promotion", {"sequence": entry.sequence}).state == "success"
    assert stages.calls == [("promote", JANUARY, {})]


def test_a_promotion_of_what_is_no_decision_is_refused(
    stages: Stages, run: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    triage = ledger.append(
        settings.load_settings(), "flight_delays", kind="triage", effective_at=JANUARY.end, payload={"kind": "retrain"}
    )
    assert run("promotion", {"sequence": triage.sequence}).state == "failed"
    assert f"{triage.sequence} is no decision in the ledger" in capsys.readouterr().out
    assert stages.calls == []


def test_a_passed_decision_starts_its_promotion_by_number(training: Stages, run: Callable[..., Any]) -> None:
    training.answers["decide"] = _decision("passed")
    done = run("training", {"cutoff": MONTH["end"], "reason_key": "k2"})
    assert _states(done)["promotion"] == "success"
    assert [asked.conf for asked in _runs("flight_delays__promotion", "decision__7")] == [{"sequence": 7}]


def test_the_inbox_starts_a_data_run_per_waiting_window_and_none_twice(
    stages: Stages, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    months = [Window.parse(f"2013-0{number}-01T00:00:00Z", f"2013-0{number + 1}-01T00:00:00Z") for number in (1, 2, 3)]
    waiting = tuple(inbox.Waiting(month, "a" * 64, "landed") for month in months)
    monkeypatch.setattr(inbox, "waiting_windows", lambda *_: waiting)
    first, second = run("inbox", {}), run("inbox", {})
    assert (first.state, second.state) == ("success", "success")
    assert [str(ti.state) for ti in first.get_task_instances() if ti.task_id == "start"] == ["success"] * 3
    assert [str(ti.state) for ti in second.get_task_instances() if ti.task_id == "start"] == ["skipped"] * 3
    for item in waiting:
        assert [asked.conf for asked in _runs("flight_delays__data", item.run_id)] == [item.window.to_json()]


def test_an_inbox_run_that_finds_nothing_does_nothing(stages: Stages, run: Callable[..., Any]) -> None:
    done = run("inbox", {})
    assert done.state == "success"
    assert _states(done) == {"drain": "success", "start": "skipped"}
