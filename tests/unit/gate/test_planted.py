"""A gate with every rule, on planted models: each is refused by what is meant for it and by that alone."""

import time

import numpy as np
import pytest
from tests.support import rule_holdouts as planted
from tests.support.gate_cases import GATE, evaluated

from airloop.config import Floor
from airloop.config.gate_rules import RULE, RuleDeclaration
from airloop.gate.judge import judge
from airloop.models import evidence
from airloop.models.rules_measured import key_of

DECLARED = (
    {"kind": "sanity", "low": 0.0, "high": 1.0, "distinct": 50},
    {"kind": "latency", "milliseconds": 200, "megabytes": 5, "repeats": 3},
    {"kind": "calibration", "at_most": 0.08},
    {"kind": "fairness", "column": "site", "at_most": 0.15},
    {"kind": "cost", "false_positive": 1, "false_negative": 1, "margin_share": 0.1},
    {"kind": "slices", "columns": ["machine"], "margin_share": 0.05},
    {"kind": "forgetting", "margin_share": 0.05},
    {"kind": "behaviour", "direction": [{"column": "heat", "add": 0.5, "expect": "not_lower", "share": 0.9}]},
)
ALL = GATE.model_copy(
    update={
        "floors": (Floor(metric="roc_auc", at_least=0.65),),
        "rules": tuple(RuleDeclaration.model_validate(rule) for rule in DECLARED),
    }
)


def timid(rows):
    """The champion of before: right about who is at risk, and never sure, so that every better model gains."""
    return 0.5 + 0.4 * (planted.good(rows) - 0.5)


def timid_but_good_for_one_machine(rows):
    return np.where(rows["machine"] == "m1", planted.good(rows), timid(rows))


def slow(rows):
    time.sleep(0.3)  # what the rule is about
    return planted.good(rows)


def stale(rows):
    """Of a world of before, in which the same heat did less harm."""
    return planted.good(rows.assign(heat=rows["heat"] - 0.25))


def shuffled(rows):
    """What is learned from shuffled labels: the share of those that fail, and noise."""
    return 0.5 + 0.01 * np.sin(rows["decision_time"].astype("int64").to_numpy() % 9973)


def wobbles(rows):
    """As good as the good one on average, and says less of hotter machines again and again."""
    return np.clip(planted.good(rows) + 0.12 * np.sin(40 * rows["heat"].to_numpy()), 0.01, 0.99)


def decided(model, champion):
    """What the gate decides about a model against a champion, as evaluate measures it."""
    holdout = planted.holdout(model, champion)
    measured = {
        key_of(place, rule.kind): rule.build().measure(holdout) for place, rule in enumerate(ALL.rules, start=1)
    }
    values = {name: evidence.metric_value(name, holdout.labels, holdout.candidate) for name in ("roc_auc", "brier")}
    proof = ()
    if champion is not None:
        sides = (holdout.labels, holdout.champion, holdout.candidate, holdout.days)
        proof = (evidence.compare(*sides, metric="brier", **holdout.sampled),)
    changes = {"champion_version": None if champion is None else 1, "champion_metrics": {}, "metrics": values}
    changes |= {"evidence": proof, "holdout_rows": holdout.labels.size, "measured": measured}
    found = judge(evaluated(**changes), _as_drawn(ALL, holdout))
    return found.outcome, [check.rule for check in found.checks if not check.passed]


def _as_drawn(gate, holdout):
    drawn = holdout.sampled["bootstrap"]
    sampled = {"confidence": drawn.confidence, "resamples": drawn.resamples}
    return gate.model_copy(update={"compare": gate.compare.model_copy(update=sampled)})


def test_every_shipped_rule_is_in_this_gate():
    # Of other tasks, and of live traffic: they have tests of their own.
    others = {"coverage", "alarm_budget", "stability", "shadowed"}
    assert {rule.kind for rule in ALL.rules} == set(RULE.names()) - others


@pytest.mark.parametrize("champion", [timid, None])
def test_a_good_model_passes_the_whole_gate(champion):
    assert decided(planted.good, champion) == ("passed", [])


@pytest.mark.parametrize(
    ("model", "champion", "refused"),
    [
        (shuffled, None, "floor roc_auc"),
        (stale, planted.good, "superior"),
        (planted.biased, timid_but_good_for_one_machine, "slices"),
        (slow, timid, "latency"),
        (planted.miscalibrated, timid, "calibration"),
        (planted.unfair, timid, "fairness"),
        (planted.careless, timid, "cost"),
        (planted.forgetful, timid, "forgetting"),
        (wobbles, timid, "behaviour"),
    ],
)
def test_a_planted_model_is_refused_by_what_is_meant_for_it_and_by_that_alone(model, champion, refused):
    assert decided(model, champion) == ("refused", [refused])


def test_a_constant_model_is_refused_by_sanity_and_by_the_floor_that_it_cannot_pass():
    assert decided(planted.constant, None) == ("refused", ["floor roc_auc", "sanity"])
