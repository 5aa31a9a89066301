"""alarm_budget and stability: they judge a search for anomalies that has no label, and refuse by their names."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.support import rule_holdouts as planted

from airloop.config import Floor
from airloop.config.gate import Comparison, Gate
from airloop.config.gate_rules import RuleDeclaration
from airloop.errors import DataContractError
from airloop.gate.judge import judge
from airloop.models.halves import shared_alarms
from airloop.models.holdout import Holdout, Whole
from airloop.models.rules_measured import key_of
from airloop.records import Evaluated, Window

ROWS = planted.features()
STRANGE = np.abs(ROWS["heat"].to_numpy()) / 2
SHARE = 0.03
BUDGET: dict[str, Any] = {"kind": "alarm_budget", "at_most": 0.05}
STABLE: dict[str, Any] = {"kind": "stability", "at_least": 0.5}


def holdout(predicted: Any = STRANGE, other: Any = STRANGE) -> Holdout:
    """No row has a label; `other` is what a fit on the other half of the days says."""
    whole = Whole(ROWS, np.asarray(predicted), SHARE, lambda _rows: (np.asarray(predicted), np.asarray(other)))
    nothing = pd.Series(dtype=float).to_numpy()
    return replace(planted.holdout(), task="anomaly", labels=nothing, whole=whole)


def check(given: Holdout, declared: dict[str, Any]) -> Any:
    rule = RuleDeclaration.model_validate(declared).build()
    return rule.check(rule.measure(given))


def test_alarms_within_the_budget_pass() -> None:
    found = check(holdout(), BUDGET)
    assert found.passed
    assert "of 6,000 rows are alarms" in found.says


@pytest.mark.parametrize(
    ("predicted", "keys"),
    [
        (np.clip(STRANGE * 1.3, 0, 1), {}),
        (STRANGE * 0.5, {"at_least": 0.01}),
        (np.where(np.arange(6000) < 250, 1.0, 0.5), {"at_most_surely": 0.06}),
    ],
    ids=["too many", "none any more", "all on one day"],
)
def test_too_many_too_few_or_unsure_alarms_are_refused(predicted: Any, keys: dict[str, Any]) -> None:
    assert not check(holdout(predicted), BUDGET | keys).passed


def test_fits_that_name_the_same_rows_are_stable_and_those_that_do_not_are_refused() -> None:
    near = STRANGE + np.random.default_rng(2).normal(scale=0.001, size=STRANGE.size)
    assert check(holdout(other=near), STABLE).passed
    noise = np.random.default_rng(3).uniform(size=STRANGE.size)
    found = check(holdout(other=noise), STABLE)
    assert not found.passed
    assert "share" in found.says


def test_shared_alarms_are_those_that_both_name() -> None:
    first = np.array([0.9, 0.8, 0.1, 0.2])
    assert shared_alarms(first, first, 0.5) == 1
    assert shared_alarms(first, np.array([0.9, 0.1, 0.8, 0.2]), 0.5) == 0.5
    assert shared_alarms(first, 1 - first, 0.5) == 0


@pytest.mark.parametrize("declared", [BUDGET, STABLE])
def test_another_task_has_neither(declared: dict[str, Any]) -> None:
    with pytest.raises(DataContractError, match="is for tasks of anomalies, this one is binary"):
        check(planted.holdout(), declared)


def judged(*rules: dict[str, Any], unlabelled: str = "the holdout has 0 labelled rows, 30 are needed", **metrics: Any):
    declared = tuple(RuleDeclaration.model_validate(rule) for rule in rules)
    measured = {
        key_of(place, rule["kind"]): RuleDeclaration.model_validate(rule).build().measure(holdout())
        for place, rule in enumerate(rules, start=1)
    }
    gate = Gate(
        floors=(Floor(metric="ranking_loss", at_most=0.1),),
        compare=Comparison(
            metric="ranking_loss", confidence=0.9, resamples=200, min_blocks=14, rule={"default": "superior"}
        ),
        rules=declared,
    )
    now = datetime(2020, 2, 1, tzinfo=UTC)
    return judge(
        Evaluated(
            model_name="toy",
            version=2,
            champion_version=1,
            metrics={"ranking_loss": None, **metrics},
            champion_metrics={},
            evidence=(),
            holdout=Window(now - timedelta(days=28), now),
            holdout_rows=0,
            cutoff=now,
            reason="hand",
            reason_key="",
            problems=(),
            measured=measured,
            unlabelled=unlabelled,
        ),
        gate,
    )


def test_without_labels_both_rules_stand_in_for_floors_and_comparison_and_the_record_says_so() -> None:
    decision = judged(BUDGET, STABLE)
    assert decision.passed
    assert decision.why.startswith("passed: judged without labels, by alarm_budget and stability (the holdout has 0")


@pytest.mark.parametrize(
    ("rules", "lacking"), [((BUDGET,), "stability"), ((STABLE,), "alarm_budget"), ((), "alarm_budget")]
)
def test_without_labels_and_without_both_rules_the_gate_is_closed(rules: Any, lacking: str) -> None:
    decision = judged(*rules)
    assert not decision.passed
    assert f"gate.rules has no {lacking} to judge by instead" in decision.why


def test_where_there_are_labels_a_missing_metric_refuses_as_ever() -> None:
    decision = judged(BUDGET, STABLE, unlabelled="")
    assert not decision.passed
    assert "ranking loss of the candidate is missing" in decision.why


def test_a_rule_that_does_not_pass_refuses_by_its_name() -> None:
    decision = judged({"kind": "alarm_budget", "at_most": 0.001}, STABLE)
    assert not decision.passed
    assert [check.rule for check in decision.checks if not check.passed] == ["alarm_budget"]
