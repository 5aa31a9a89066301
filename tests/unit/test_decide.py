"""The gate: one row per rule and edge, and nothing worse than the champion ever passes."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime

import hypothesis
import pytest
from hypothesis import strategies as st
from mlflow import MlflowClient

from airloop import ledger, registry, tracking
from airloop.config import Comparison, Floor, load_pipeline
from airloop.config.pipeline import Gate
from airloop.decide import decide, judge
from airloop.records import Decision, Evaluated, Evidence, Window
from airloop.settings import Settings

# MLflow 3.17 on SQLAlchemy 2.1; it goes when MLflow stops using `noload`.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:sqlalchemy.exc.SADeprecationWarning")

CUTOFF = datetime(2013, 4, 1, tzinfo=UTC)
WINDOW = Window(datetime(2013, 1, 1, tzinfo=UTC), CUTOFF)
GATE = Gate(
    floors=(Floor(metric="roc_auc", at_least=0.65), Floor(metric="brier", at_most=0.22)),
    compare=Comparison(
        metric="brier",
        superior_margin_share=0.0,
        non_inferior_margin_share=0.05,
        confidence=0.95,
        resamples=200,
        min_blocks=14,
        rule={"probe": "non_inferior", "default": "superior"},
    ),
)


def evidence(**changes):
    values = {"metric": "brier", "gain": 0.0100, "lower": 0.0020, "upper": 0.0180, "confidence": 0.95}
    values |= {"champion": 0.1600, "candidate": 0.1500, "rows": 18_000, "blocks": 21, "resamples": 200, "seed": 1}
    return Evidence(**{**values, **changes})


def evaluated(**changes):
    values = {
        "model_name": "flight_delays",
        "version": 2,
        "champion_version": 1,
        "metrics": {"roc_auc": 0.74, "brier": 0.15},
        "champion_metrics": {"roc_auc": 0.70, "brier": 0.16},
        "evidence": (evidence(),),
        "holdout": Window(datetime(2013, 3, 10, tzinfo=UTC), datetime(2013, 3, 31, tzinfo=UTC)),
        "holdout_rows": 18_000,
        "cutoff": CUTOFF,
        "reason": "schedule",
        "reason_key": "schedule:2013-04",
        "problems": (),
    }
    return Evaluated(**{**values, **changes})


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, "passed: gain in Brier 0.0100, interval [0.0020, 0.0180], must be above 0"),
        (
            {"reason": "probe", "evidence": (evidence(lower=-0.0079),)},
            "passed: gain in Brier 0.0100, interval [-0.0079, 0.0180], must be above -0.0080, and the gain above 0",
        ),
        (
            {"champion_version": None, "evidence": ()},
            "passed as the first model, judged by floors only: "
            "ROC-AUC 0.7400, must be at least 0.6500; Brier 0.1500, must be at most 0.2200",
        ),
        (
            {"champion_version": None, "evidence": (), "metrics": {"roc_auc": 0.65, "brier": 0.22}},
            "passed as the first model, judged by floors only: "
            "ROC-AUC 0.6500, must be at least 0.6500; Brier 0.2200, must be at most 0.2200",
        ),
    ],
)
def test_passes_only_what_is_proven_and_says_how(changes, why):
    decision = judge(evaluated(**changes), GATE)
    assert (decision.outcome, decision.why) == ("passed", why)
    assert decision.effective_at == CUTOFF
    assert all(check.passed for check in decision.checks)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"metrics": {"roc_auc": 0.6499, "brier": 0.15}}, "ROC-AUC 0.6499, must be at least 0.6500"),
        ({"metrics": {"roc_auc": 0.74, "brier": 0.2201}}, "Brier 0.2201, must be at most 0.2200"),
        ({"metrics": {"roc_auc": 0.74}}, "Brier of the candidate is missing or not a number"),
        ({"metrics": {"roc_auc": None, "brier": 0.15}}, "ROC-AUC of the candidate is missing or not a number"),
        ({"metrics": {"roc_auc": float("nan"), "brier": 0.15}}, "ROC-AUC of the candidate is missing"),
        ({"metrics": None}, "rule floor roc_auc failed with AttributeError"),
        ({"problems": ("champion 1 does not load",)}, "champion 1 does not load"),
        ({"problems": ("the champion has seen the holdout",)}, "the champion has seen the holdout"),
        ({"champion_version": None, "problems": ("the features changed",)}, "the features changed"),
        ({"champion_version": None, "metrics": {"roc_auc": 0.5, "brier": 0.15}}, "ROC-AUC 0.5000, must be"),
        ({"champion_version": 2}, "version 2 was compared with itself"),
        ({"evidence": ()}, "there is no evidence on Brier against champion 1"),
        ({"evidence": (evidence(metric="roc_auc"),)}, "there is no evidence on Brier against champion 1"),
        ({"evidence": (evidence(), evidence())}, "there is 2 pieces of evidence on Brier"),
        ({"evidence": (None,)}, "rule comparison failed with AttributeError"),
        ({"evidence": (evidence(gain=None),)}, "evidence on Brier holds a value that is missing or not a number"),
        ({"evidence": (evidence(lower=float("nan")),)}, "evidence on Brier holds a value that is missing"),
        ({"evidence": (evidence(upper=float("inf")),)}, "evidence on Brier holds a value that is missing"),
        ({"holdout_rows": 18_001}, "evidence on Brier covers 18000 rows, the holdout has 18001: other rows"),
        (
            {"evidence": (evidence(confidence=0.5),)},
            "evidence on Brier has confidence 0.5 from 200 resamples, the gate",
        ),
        ({"evidence": (evidence(resamples=20),)}, "evidence on Brier has confidence 0.95 from 20 resamples"),
        ({"evidence": (evidence(blocks=13),)}, "evidence on Brier spans 13 calendar days, at least 14 are needed"),
        (
            {"evidence": (evidence(gain=0.0012, lower=-0.0031, upper=0.0050),)},
            "gain in Brier 0.0012, interval [-0.0031, 0.0050], must be above 0",
        ),
        ({"evidence": (evidence(lower=0.0),)}, "gain in Brier 0.0100, interval [0.0000, 0.0180], must be above 0"),
        (
            {"evidence": (evidence(gain=0.0, lower=0.0, upper=0.0),)},
            "gain in Brier 0.0000: the candidate scores as the champion does, and must be better",
        ),
        (
            {"reason": "probe", "evidence": (evidence(gain=0.0, lower=0.0, upper=0.0),)},
            "gain in Brier 0.0000: the candidate scores as the champion does",
        ),
        (
            {"reason": "probe", "evidence": (evidence(gain=-0.0010, lower=-0.0050),)},
            "gain in Brier -0.0010, interval [-0.0050, 0.0180], must be above -0.0080, and the gain above 0",
        ),
        (
            {"reason": "probe", "evidence": (evidence(lower=-0.0081),)},
            "gain in Brier 0.0100, interval [-0.0081, 0.0180]",
        ),
        (
            {"reason": "hand", "evidence": (evidence(lower=-0.0001),)},
            "gain in Brier 0.0100, interval [-0.0001, 0.0180]",
        ),
    ],
)
def test_each_doubt_refuses_with_its_own_sentence(changes, why):
    decision = judge(evaluated(**changes), GATE)
    assert decision.outcome == "refused"
    assert decision.why.startswith(f"refused: {why}")


def test_a_gate_without_floors_is_refused():
    decision = judge(evaluated(champion_version=None), Gate.model_construct(floors=(), compare=GATE.compare))
    assert decision.why == "refused: the gate has no floors; an empty gate lets nothing through"


def test_a_superiority_margin_is_a_share_of_the_champions_metric():
    gate = GATE.model_copy(update={"compare": GATE.compare.model_copy(update={"superior_margin_share": 0.0125})})
    assert judge(evaluated(evidence=(evidence(lower=0.0021),)), gate).passed
    refused = judge(evaluated(evidence=(evidence(lower=0.0019),)), gate)
    assert refused.why == "refused: gain in Brier 0.0100, interval [0.0019, 0.0180], must be above 0.0020"


def test_more_refusals_are_counted_and_kept():
    decision = judge(evaluated(metrics={}, evidence=()), GATE)
    assert decision.why == "refused: ROC-AUC of the candidate is missing or not a number (and 2 more)"
    assert [check.rule for check in decision.checks] == ["floor roc_auc", "floor brier", "superior"]
    assert decision.checks[0].observed is None


anything = st.one_of(st.none(), st.floats(width=32))
small = st.floats(-0.2, 0.2)
reproducible = hypothesis.settings(derandomize=True, database=None, deadline=None)


@reproducible
@hypothesis.given(
    gain=st.one_of(st.floats(max_value=0), st.just(float("nan")), st.none()),
    lower=anything,
    upper=anything,
    champion=anything,
    reason=st.sampled_from(["probe", "hand", "default"]),
)
def test_never_passes_a_candidate_that_gains_nothing_over_a_champion(gain, lower, upper, champion, reason):
    found = evidence(gain=gain, lower=lower, upper=upper, champion=champion)
    assert not judge(evaluated(evidence=(found,), reason=reason), GATE).passed


@reproducible
@hypothesis.given(
    roc_auc=anything, brier=anything, champion_version=st.sampled_from([None, 1]), gain=small, lower=small
)
def test_never_passes_with_a_failed_floor(roc_auc, brier, champion_version, gain, lower):
    metrics = {"roc_auc": roc_auc, "brier": brier}
    found = (evidence(gain=gain, lower=lower),)
    decision = judge(evaluated(metrics=metrics, champion_version=champion_version, evidence=found), GATE)
    floors_hold = None not in metrics.values() and 0.65 <= roc_auc < float("inf") and float("-inf") < brier <= 0.22
    assert floors_hold or not decision.passed


@pytest.fixture(scope="session")
def empty_registry(tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "empty_registry.db"
    if not path.exists():
        MlflowClient(f"sqlite:///{path}", f"sqlite:///{path}").search_registered_models()
    return path


@pytest.fixture
def settings(tmp_path, empty_registry):
    shutil.copy(empty_registry, tmp_path / "mlflow.db")
    settings = Settings(home=tmp_path)
    client = MlflowClient(settings.mlflow_tracking_uri, settings.mlflow_tracking_uri)
    client.create_registered_model("flight_delays")
    for _ in range(3):
        client.create_model_version("flight_delays", source=str(tmp_path))
    return settings


@pytest.fixture
def pipeline():
    return load_pipeline("flight_delays", Settings()).model_copy(update={"gate": GATE})


def test_a_passed_decision_is_recorded_tagged_and_becomes_the_challenger(settings, pipeline):
    decision = decide(pipeline, WINDOW, {"evaluate": evaluated()}, settings)
    entry = ledger.entries(settings, "flight_delays")[0]
    assert (decision.sequence, entry.kind, entry.effective_at) == (1, "decision", CUTOFF)
    assert replace(Decision.from_json(entry.payload), sequence=1) == decision
    tags = tracking.client(settings).get_model_version("flight_delays", "2").tags
    assert tags["airloop.decision"] == "passed"
    assert tags["airloop.decision_why"] == decision.why
    assert tags["airloop.decision_sequence"] == "1"
    assert json.loads(tags["airloop.evidence"])[0]["gain"] == 0.01
    assert registry.aliases(settings, "flight_delays") == {"challenger": 2}


def test_a_refused_decision_is_recorded_and_moves_no_alias(settings, pipeline):
    decision = decide(pipeline, WINDOW, {"evaluate": evaluated(metrics={"roc_auc": float("nan")})}, settings)
    assert not decision.passed
    assert ledger.entries(settings, "flight_delays")[0].payload["why"] == decision.why
    assert tracking.client(settings).get_model_version("flight_delays", "2").tags["airloop.decision"] == "refused"
    assert registry.aliases(settings, "flight_delays") == {}


def test_the_same_judgement_twice_is_one_entry(settings, pipeline):
    first = decide(pipeline, WINDOW, {"evaluate": evaluated()}, settings)
    assert decide(pipeline, WINDOW, {"evaluate": evaluated()}, settings) == first
    assert ledger.head(settings, "flight_delays") == 1


def test_a_stricter_judgement_of_the_same_version_is_a_new_entry_and_ends_its_challenge(settings, pipeline):
    decide(pipeline, WINDOW, {"evaluate": evaluated()}, settings)
    again = decide(pipeline, WINDOW, {"evaluate": evaluated(problems=("the features changed",))}, settings)
    assert again.sequence == 2
    assert registry.aliases(settings, "flight_delays") == {}


def test_a_repeated_older_decision_does_not_take_the_alias_back(settings, pipeline):
    decide(pipeline, WINDOW, {"evaluate": evaluated()}, settings)
    decide(pipeline, WINDOW, {"evaluate": evaluated(version=3, reason_key="other")}, settings)
    decide(pipeline, WINDOW, {"evaluate": evaluated()}, settings)
    assert registry.aliases(settings, "flight_delays") == {"challenger": 3}


def test_a_repeated_decision_does_not_make_the_champion_a_challenger(settings, pipeline):
    decide(pipeline, WINDOW, {"evaluate": evaluated()}, settings)
    registry.delete_alias(settings, "flight_delays", "challenger")
    ledger.append(settings, "flight_delays", kind="done", effective_at=CUTOFF, payload={"version": 2})
    decide(pipeline, WINDOW, {"evaluate": evaluated()}, settings)
    assert registry.aliases(settings, "flight_delays") == {}


def test_long_texts_fit_into_tags(settings, pipeline):
    long = evaluated(problems=("x" * 9000,), evidence=tuple(evidence(seed=seed) for seed in range(50)))
    decide(pipeline, WINDOW, {"evaluate": long}, settings)
    tags = tracking.client(settings).get_model_version("flight_delays", "2").tags
    assert len(tags["airloop.decision_why"]) == 5000
    assert 0 < len(json.loads(tags["airloop.evidence"])) < 50


def test_a_killed_decision_is_completed_by_a_rerun(settings, pipeline, monkeypatch):
    monkeypatch.setattr(registry, "tag_version", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        decide(pipeline, WINDOW, {"evaluate": evaluated()}, settings)
    monkeypatch.undo()
    assert decide(pipeline, WINDOW, {"evaluate": evaluated()}, settings).sequence == 1
    assert registry.aliases(settings, "flight_delays") == {"challenger": 2}
