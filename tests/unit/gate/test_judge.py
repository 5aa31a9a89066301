"""The gate: one row per rule and edge, and nothing worse than the champion ever passes."""

import hypothesis
import pytest
from hypothesis import strategies as st
from tests.support.gate_cases import CUTOFF, GATE, evaluated, evidence

from airloop.config import Floor
from airloop.config.gate import Gate
from airloop.gate.judge import judge
from airloop.models.looks import paid_confidence


def judged(changes):
    """The decision on a changed evaluation; `rule_of` is the reason that the ledger proves."""
    evaluation = {name: value for name, value in changes.items() if name != "rule_of"}
    return judge(evaluated(**evaluation), GATE, reason=changes.get("rule_of", ""))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, "passed: gain in Brier 0.0100, interval [0.0020, 0.0180], must be above 0"),
        (
            {"rule_of": "probe", "evidence": (evidence(lower=-0.0079),)},
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
    decision = judged(changes)
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
            {"rule_of": "probe", "evidence": (evidence(gain=0.0, lower=0.0, upper=0.0),)},
            "gain in Brier 0.0000: the candidate scores as the champion does",
        ),
        (
            {"rule_of": "probe", "evidence": (evidence(gain=-0.0010, lower=-0.0050),)},
            "gain in Brier -0.0010, interval [-0.0050, 0.0180], must be above -0.0080, and the gain above 0",
        ),
        (
            {"rule_of": "probe", "evidence": (evidence(lower=-0.0081),)},
            "gain in Brier 0.0100, interval [-0.0081, 0.0180]",
        ),
        (
            {"rule_of": "hand", "evidence": (evidence(lower=-0.0001),)},
            "gain in Brier 0.0100, interval [-0.0001, 0.0180]",
        ),
    ],
)
def test_each_doubt_refuses_with_its_own_sentence(changes, why):
    decision = judged(changes)
    assert decision.outcome == "refused"
    assert decision.why.startswith(f"refused: {why}")


def gate_of(floor, metric):
    compare = GATE.compare.model_copy(update={"metric": metric})
    return GATE.model_copy(update={"floors": (floor,), "compare": compare})


@pytest.mark.parametrize(
    ("floor", "values", "why"),
    [
        (Floor(metric="mae", at_most=9.0), {"mae": 9.0}, "passed: gain in MAE 0.0100, interval [0.0020, 0.0180], must"),
        (Floor(metric="mae", at_most=9.0), {"mae": 9.0001}, "refused: MAE 9.0001, must be at most 9.0000"),
        (Floor(metric="rmse", at_most=9.0), {"mae": 1.0}, "refused: RMSE of the candidate is missing or not a number"),
        (Floor(metric="log_loss", at_most=0.5), {"log_loss": 0.5}, "passed: gain in log loss 0.0100"),
        (Floor(metric="accuracy", at_least=0.9), {"accuracy": 0.9}, "passed: gain in accuracy 0.0100"),
        (Floor(metric="accuracy", at_least=0.9), {"accuracy": 0.899}, "refused: accuracy 0.8990, must be at least"),
    ],
)
def test_metrics_of_other_tasks_are_judged_by_the_same_rules(floor, values, why):
    compared = (evidence(metric=floor.metric),)
    decision = judge(evaluated(metrics=values, evidence=compared), gate_of(floor, floor.metric))
    assert decision.why.startswith(why)


def test_a_gate_without_floors_is_refused():
    decision = judge(evaluated(champion_version=None), Gate.model_construct(floors=(), compare=GATE.compare))
    assert decision.why == "refused: the gate has no floors; an empty gate lets nothing through"


def test_a_superiority_margin_is_a_share_of_the_champions_metric():
    gate = GATE.model_copy(update={"compare": GATE.compare.model_copy(update={"superior_margin_share": 0.0125})})
    assert judge(evaluated(evidence=(evidence(lower=0.0021),)), gate).passed
    refused = judge(evaluated(evidence=(evidence(lower=0.0019),)), gate)
    assert refused.why == "refused: gain in Brier 0.0100, interval [0.0019, 0.0180], must be above 0.0020"


def test_a_reason_that_the_evaluation_claims_opens_no_milder_rule():
    weak = {"evidence": (evidence(lower=-0.0079),)}
    assert judged({**weak, "rule_of": "probe"}).passed
    assert not judged({**weak, "reason": "probe", "reason_key": "probe:1:2013-04-01T00:00:00Z"}).passed


def of_growth(**changes):
    rule = {"growth": "not_surely_worse", "default": "superior"}
    gate = GATE.model_copy(update={"compare": GATE.compare.model_copy(update={"rule": rule})})
    return judge(evaluated(evidence=(evidence(**changes),)), gate, reason="growth")


def test_growth_passes_unless_the_candidate_is_surely_worse():
    passed = of_growth(gain=-0.01, lower=-0.03, upper=0.0001)
    assert passed.why == "passed: gain in Brier -0.0100, interval [-0.0300, 0.0001], must reach above 0"
    assert [check.rule for check in passed.checks][-1] == "not_surely_worse"
    refused = of_growth(gain=-0.01, lower=-0.03, upper=0)
    assert refused.why == "refused: gain in Brier -0.0100, interval [-0.0300, 0.0000], must reach above 0"


@pytest.mark.parametrize("changes", [{"gain": 0.0}, {"blocks": 13}, {"upper": None}, {"gain": float("nan")}])
def test_growth_proves_nothing_by_evidence_that_there_is_not(changes):
    assert not of_growth(**changes).passed


@pytest.mark.parametrize(
    ("changes", "outside"),
    [
        ({}, False),
        ({"problems": ("champion 1 was trained on this holdout",)}, True),
        ({"evidence": ()}, True),
        ({"evidence": (evidence(blocks=13),)}, True),
        ({"champion_version": None, "metrics": {"roc_auc": None, "brier": 0.15}}, True),
        ({"evidence": (evidence(lower=-0.01),)}, False),
        ({"metrics": {"roc_auc": 0.5, "brier": 0.15}}, False),
        ({"metrics": {"roc_auc": 0.5, "brier": 0.15}, "problems": ("the features changed",)}, False),
    ],
)
def test_a_refusal_says_whether_it_is_about_the_model_or_about_an_obstacle(changes, outside):
    assert judged(changes).outside_model is outside


def test_more_refusals_are_counted_and_kept():
    decision = judge(evaluated(metrics={}, evidence=()), GATE)
    assert decision.why == "refused: ROC-AUC of the candidate is missing or not a number (and 2 more)"
    assert [check.rule for check in decision.checks] == ["floor roc_auc", "floor brier", "evidence"]
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
    assert not judge(evaluated(evidence=(found,)), GATE, reason=reason).passed


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


def paid(looks, **changes):
    """An evaluation after so many looks, with evidence at the confidence they leave."""
    return evaluated(looks=looks, evidence=(evidence(confidence=paid_confidence(0.95, looks), **changes),))


def test_a_look_widens_the_interval_that_the_gate_asks_for():
    assert judge(paid(1), GATE).passed
    unpaid = judge(evaluated(looks=1), GATE)
    assert "has confidence 0.95 from 200 resamples, the gate asks for 0.975" in unpaid.why


def test_the_milder_rule_is_for_the_first_look_alone():
    assert judge(paid(0, lower=-0.001), GATE, reason="probe").passed
    assert judge(paid(1, lower=-0.001), GATE, reason="probe").why.startswith("refused: gain in Brier 0.0100, interval")


@pytest.mark.parametrize(("looks", "outcome"), [(1, "passed"), (2, "refused"), (5, "refused")])
def test_after_max_attempts_the_gate_waits_for_newer_labels(looks, outcome):
    decision = judge(paid(looks), GATE.model_copy(update={"max_attempts": 2}))
    assert decision.outcome == outcome
    if outcome == "refused":
        assert decision.why.startswith(f"refused: {looks} of 2 attempts were made on rows of this holdout: wait until")
        assert decision.outside_model
