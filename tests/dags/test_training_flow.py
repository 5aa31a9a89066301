"""One reason is answered by one training, and a promotion acts on nothing but the ledger."""

import threading
from contextlib import nullcontext
from typing import Any

import dag_runs
import pytest
from airflow.sdk.exceptions import ParamValidationError
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from dag_runs import JANUARY, MONTH, Stages
from tests.support.ledger_entries import decided, put_in_force, triaged

from airloop import records, settings
from airloop.errors import DataContractError
from airloop.stores import claims, ledger

# The whole of Airflow runs in this process, and warns about itself.
pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore")]


PROBE = "probe:1:2013-02-01T00:00:00Z"


def _snapshot(options: dict[str, Any]) -> records.Snapshot:
    return records.Snapshot(
        pipeline="flight_delays",
        cutoff=JANUARY.end,
        train=JANUARY,
        holdout=JANUARY,
        uri="uri",
        digest="digest",
        train_rows=1,
        holdout_rows=1,
        unlabelled_rows=0,
        features=(),
        feature_service="service",
        feature_fingerprint="fingerprint",
        table_versions={},
        leak_checked=(),
        reason=options["reason"],
        reason_key=options["reason_key"],
    )


def _decision(outcome: str) -> records.Decision:
    return records.Decision("m", 1, None, outcome, "why", (), (), "hand", "key", JANUARY.end, sequence=7)


@pytest.fixture
def training(stages: Stages) -> Stages:
    evaluated = records.Evaluated("m", 1, None, {}, {}, (), JANUARY, 1, JANUARY.end, "hand", "key", ())
    stages.answers = {
        "snapshot": _snapshot,
        "tune": lambda options: records.TunedCandidate(options["candidate"], {}, 0.1, 1, 1.0, "run"),
        "train": records.TrainedModel("forest", "m", 1, "run", "uri", {}, "digest", "key"),
        "evaluate": evaluated,
        "decide": _decision("refused"),
        "describe": records.Described("m", 1, {}, "card.html", "card.json"),
        "refit": records.Refitted("m", 2, 1, 7, "refitted", "the same on all rows", "digest", JANUARY.end),
        "describe_refit": records.Described("m", 2, {}, "refit.html", "refit.json"),
    }
    return stages


def test_a_refused_candidate_is_a_success_that_starts_no_promotion(training: Stages) -> None:
    done = dag_runs.run("training", {"cutoff": MONTH["end"], "reason_key": "k1"})
    states = dag_runs.states(done)
    assert done.state == "success"
    assert (states["decide"], states["passed"], states["promotion"]) == ("success", "success", "skipped")
    assert sorted(training.names()) == [
        *("decide", "describe", "evaluate", "snapshot", "train", "tune", "tune", "tune")
    ]
    assert {options["candidate"] for name, _, options in training.calls if name == "tune"} == {
        *("logistic_regression", "gradient_boosting", "random_forest")
    }


def test_the_second_run_of_a_reason_skips_everything_and_names_the_first(
    training: Stages, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = settings.load_settings()
    put_in_force(store, "flight_delays", 1, JANUARY.start)
    triaged(store, "flight_delays", JANUARY.end, champion=1)
    conf = {"cutoff": MONTH["end"], "reason": "probe"}
    first = dag_runs.run("training", conf)
    options = next(options for name, _, options in training.calls if name == "snapshot")
    assert options == {"reason": "probe", "reason_key": PROBE}
    # As long as the first is under way.
    monkeypatch.setattr(RuntimeTaskInstance, "get_dr_count", lambda *_, **__: 1)
    second = dag_runs.run("training", conf)
    assert (first.state, second.state) == ("success", "success")
    assert f"is answered by run '{first.run_id}'" in capsys.readouterr().out
    assert set(dag_runs.states(second).values()) == {"skipped"}
    assert training.names().count("train") == 1
    assert claims.reason_owner(store, "flight_delays", PROBE) == first.run_id


def test_a_run_that_is_over_and_decided_nothing_gives_its_reason_to_the_next(training: Stages) -> None:
    def fails(_options: dict[str, Any]) -> Any:
        raise DataContractError("the outcomes have not landed")

    honest, training.answers["snapshot"] = training.answers["snapshot"], fails
    conf = {"cutoff": MONTH["end"], "reason_key": "once"}
    assert dag_runs.run("training", conf).state == "failed"
    training.answers["snapshot"] = honest
    second = dag_runs.run("training", conf)
    assert dag_runs.states(second)["decide"] == "success"
    assert claims.reason_owner(settings.load_settings(), "flight_delays", "once") == second.run_id


@pytest.mark.parametrize(
    ("conf", "says"),
    [
        ({"reason": "probe"}, "the ledger has no triage of a window that ends there"),
        ({"reason": "probe", "reason_key": PROBE}, "the ledger has no triage of a window that ends there"),
        ({"reason": "hand", "reason_key": PROBE}, "belongs to monitoring"),
    ],
)
def test_a_probe_that_triage_did_not_ask_for_trains_nothing(
    training: Stages, conf: dict[str, Any], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dag_runs.run("training", {"cutoff": MONTH["end"], **conf}).state == "failed"
    assert says in capsys.readouterr().out
    assert training.calls == []


def test_an_answered_probe_is_not_replayed(training: Stages, capsys: pytest.CaptureFixture[str]) -> None:
    store = settings.load_settings()
    put_in_force(store, "flight_delays", 1, JANUARY.start)
    triaged(store, "flight_delays", JANUARY.end, champion=1)
    answered = decided(store, "flight_delays", 2, at=JANUARY.end, champion=1, reason_key=PROBE)
    conf = {"cutoff": MONTH["end"], "reason": "probe"}
    assert dag_runs.run("training", conf).state == "failed"
    assert f"was answered by decision {answered} on version 2; a person may train" in capsys.readouterr().out
    assert training.calls == []


@pytest.mark.parametrize("conf", [{"reason": "prob"}, {"evidence": []}])
def test_an_unknown_reason_and_evidence_of_ones_own_are_refused(training: Stages, conf: dict[str, Any]) -> None:
    with pytest.raises(ParamValidationError) if "reason" in conf else nullcontext():
        assert dag_runs.run("training", {"cutoff": MONTH["end"], **conf}).state == "failed"
    assert training.calls == []


def test_a_training_by_hand_is_its_own_reason(training: Stages) -> None:
    done = dag_runs.run("training", {"cutoff": MONTH["end"]})
    assert dag_runs.run("training", {"cutoff": MONTH["end"]}).state == "success"
    options = [options for name, _, options in training.calls if name == "snapshot"]
    assert (options[0]["reason"], options[0]["reason_key"]) == ("hand", done.run_id)
    assert training.names().count("train") == 2


def test_of_many_simultaneous_claims_exactly_one_wins(stages: Stages) -> None:
    barrier, won = threading.Barrier(8), []

    def claim(number: int) -> None:
        barrier.wait()
        if claims.claim_reason(settings.load_settings(), "flight_delays", reason_key="k", run_key=str(number)):
            won.append(number)

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


def test_a_promotion_reads_its_decision_from_the_ledger(stages: Stages) -> None:
    store = settings.load_settings()
    payload = ledger.payload_of(_decision("passed"))
    entry = ledger.append(store, "flight_delays", kind="decision", effective_at=JANUARY.end, payload=payload)
    stages.answers = {"promote": records.Promoted("m", 1, None, entry.sequence, 2, JANUARY.end)}
    assert dag_runs.run("promotion", {"sequence": entry.sequence}).state == "success"
    assert stages.calls == [("promote", JANUARY, {})]


def test_a_promotion_of_what_is_no_decision_is_refused(stages: Stages, capsys: pytest.CaptureFixture[str]) -> None:
    triage = ledger.append(
        settings.load_settings(),
        "flight_delays",
        kind="triage",
        effective_at=JANUARY.end,
        payload={"kind": "retrain"},
    )
    assert dag_runs.run("promotion", {"sequence": triage.sequence}).state == "failed"
    assert f"{triage.sequence} is not a decision in the ledger" in capsys.readouterr().out
    assert stages.calls == []


def test_a_passed_decision_starts_its_promotion_by_number(training: Stages) -> None:
    training.answers["decide"] = _decision("passed")
    done = dag_runs.run("training", {"cutoff": MONTH["end"], "reason_key": "k2"})
    states = dag_runs.states(done)
    assert (states["refit"], states["describe_refit"], states["promotion"]) == ("success", "success", "success")
    assert [asked.conf for asked in dag_runs.runs("flight_delays__promotion", "decision__7")] == [{"sequence": 7}]
    assert dag_runs.note("flight_delays__promotion", "decision__7") == "why"
