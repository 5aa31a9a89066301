"""Each planted model is refused by the rule meant for it, and by that rule alone; a good one passes them all."""

import time
from pathlib import Path

import pytest
from tests.support import rule_holdouts as planted

from airloop.config.gate_rules import RULE, RuleDeclaration
from airloop.errors import DataContractError

DECLARED = {
    "sanity": {"low": 0.0, "high": 1.0, "distinct": 50},
    "latency": {"milliseconds": 20, "megabytes": 5, "repeats": 3},
    "calibration": {"at_most": 0.08},
    "fairness": {"column": "site", "at_most": 0.15},
    "cost": {"false_positive": 1, "false_negative": 1, "margin_share": 0.1},
    "slices": {"columns": ["machine"], "margin_share": 0.05},
    "forgetting": {"margin_share": 0.05},
    "behaviour": {"direction": [{"column": "heat", "add": 0.5, "expect": "not_lower", "share": 0.9}]},
}

OF_OTHER_TASKS = {
    "alarm_budget": "test_without_labels.py",
    "coverage": "test_coverage.py",
    "shadowed": "test_shadowed.py",
    "stability": "test_without_labels.py",
}
"""Rules that a binary holdout has no measure for, and where they are tried."""
TRIED = [kind for kind in RULE.names() if kind not in OF_OTHER_TASKS]


def rule(kind, **changes):
    return RuleDeclaration.model_validate({"kind": kind, **DECLARED[kind], **changes}).build()


def check(kind, holdout, **changes):
    ruled = rule(kind, **changes)
    return ruled.check(ruled.measure(holdout))


def slow(rows):
    time.sleep(0.03)  # what the rule is about
    return planted.good(rows)


def test_every_shipped_rule_is_tried_here():
    assert set(DECLARED) == set(TRIED)
    assert all((Path(__file__).parent / file).exists() for file in OF_OTHER_TASKS.values())


@pytest.mark.parametrize("kind", TRIED)
def test_a_good_model_passes_and_says_by_how_much(kind):
    found = check(kind, planted.holdout())
    assert (found.rule, found.passed) == (kind, True)
    assert "must" in found.says


def test_each_model_costs_what_it_does_at_its_own_threshold():
    def halved(rows):
        return planted.good(rows) / 2

    blind = check("cost", planted.holdout(halved))
    assert not blind.passed
    assert "acting from 0.500 on" in blind.says
    own = check("cost", planted.holdout(halved, thresholds=(0.25, None)))
    assert own.passed
    assert "acting from 0.250 on" in own.says


@pytest.mark.parametrize(
    ("model", "champion", "refused", "says"),
    [
        (slow, planted.good, "latency", "ms, must be at most 20"),
        (planted.biased, planted.good, "slices", "worst slice machine=m1: gain -0.0"),
        (planted.careless, planted.good, "cost", "saving against the champion -"),
        (
            planted.forgetful,
            planted.good,
            "forgetting",
            "on 4,000 rows of 20 days that neither has learned from, p 0.0",
        ),
        # As bad as their champions: no comparison shows it.
        (planted.unfair, planted.unfair, "fairness", "rate of site from"),
        (
            planted.miscalibrated,
            planted.miscalibrated,
            "calibration",
            "expected calibration error 0.0990, must be at most 0.0800",
        ),
    ],
)
def test_a_planted_model_is_refused_by_its_rule_alone(model, champion, refused, says):
    found = {kind: check(kind, planted.holdout(model, champion)) for kind in TRIED}
    assert [kind for kind in TRIED if not found[kind].passed] == [refused]
    assert says in found[refused].says


def test_forgetting_needs_so_many_days_that_both_have_kept_back():
    few = planted.holdout(reserve=lambda: planted.kept_back(planted.good, planted.good, days=13))
    found = check("forgetting", few)
    assert (found.passed, found.observed) == (False, 13)
    assert "13 reserve days before the holdout, at least 14 are needed" in found.says
    assert check("forgetting", few, min_days=13).passed


def test_a_champion_that_has_learned_from_the_reserve_days_is_not_compared():
    before = {"days": 3, "declared": False}
    found = check(
        "forgetting", planted.holdout(reserve=lambda: planted.kept_back(planted.good, planted.good, **before))
    )
    assert (found.passed, "has learned from them" in found.says) == (True, True)


def test_without_reserve_days_forgetting_cannot_be_measured():
    with pytest.raises(DataContractError, match=r"declare training\.reserve_days"):
        check("forgetting", planted.holdout(reserve=None))


def test_a_model_that_forgot_within_the_margin_passes():
    assert check("forgetting", planted.holdout(planted.forgetful), margin_share=3.0).passed


def test_a_constant_model_is_refused_by_sanity():
    found = check("sanity", planted.holdout(planted.constant))
    assert (found.passed, found.says) == (False, "1 different predictions on the probe set, at least 50 are needed")


def test_predictions_out_of_range_are_refused_by_sanity():
    assert not check("sanity", planted.holdout(), high=0.5).passed
    assert check("sanity", planted.holdout(), low=None, high=None).passed


def test_a_model_of_shuffled_labels_breaks_the_cases_that_a_person_wrote():
    minimum = [{"column": "site", "value": "north", "metric": "roc_auc", "bound": 0.7}]
    assert check("behaviour", planted.holdout(), minimum=minimum).passed
    found = check("behaviour", planted.holdout(planted.backwards), minimum=minimum)
    assert not found.passed
    assert found.says.startswith("heat +0.5: not lower in")
    assert found.says.endswith("(and 1 more cases)")


def test_what_must_not_matter_is_found_where_it_does():
    invariance = [{"column": "site", "values": ["north", "south"], "within": 0.01}]
    assert check("behaviour", planted.holdout(), invariance=invariance).passed
    found = check("behaviour", planted.holdout(planted.unfair), invariance=invariance, direction=[])
    assert (found.passed, found.says[:39]) == (False, "invariant to site within 0.01 in 0.0% o")


def test_small_slices_are_pooled_and_those_too_small_are_named():
    measured = rule("slices", min_rows=1000).measure(planted.holdout())
    assert set(measured["slices"]) == {"machine=m0", "machine=m1"}
    assert measured["not_judged"][0].startswith("machine=other (")
    assert "not judged: machine=other" in rule("slices", min_rows=1000).check(measured).says


def test_chance_in_one_of_many_slices_refuses_nothing():
    holdout = planted.holdout(planted.biased, planted.biased)
    assert check("slices", holdout).passed
    many = {"slices": {f"s{n}": {"rows": 300, "gain": -0.001, "p": 0.01} for n in range(20)}}
    assert rule("slices").check(many | {"not_judged": [], "champion": True}).passed
    one = {"slices": {"s": {"rows": 300, "gain": -0.001, "p": 0.01}}, "not_judged": [], "champion": True}
    assert not rule("slices").check(one).passed


def test_without_a_champion_slices_and_savings_are_not_compared():
    alone = planted.holdout(champion=None)
    assert check("slices", alone).says == "no champion to compare slices with"
    assert check("cost", alone, at_most=5000).passed
    assert not check("cost", alone, at_most=1).passed


@pytest.mark.parametrize(
    ("kind", "changes", "says"),
    [
        ("slices", {"columns": ["machne"]}, "slices: there is no column 'machne' among the features"),
        ("fairness", {"column": "sites"}, "fairness: there is no column 'sites' among the features"),
        ("calibration", {}, "calibration is for binary tasks, this one is regression"),
        ("cost", {}, "cost is for binary tasks, this one is regression"),
    ],
)
def test_what_cannot_be_measured_is_said(kind, changes, says):
    holdout = planted.holdout(task="binary" if changes else "regression")
    with pytest.raises(Exception, match=says):
        rule(kind, **changes).measure(holdout)


def test_groups_too_small_for_fairness_are_named_and_one_group_alone_refuses():
    found = check("fairness", planted.holdout(), column="machine", min_rows=400)
    assert found.says.endswith("too small to judge: m2")
    assert not check("fairness", planted.holdout(), column="machine", min_rows=5000).passed
