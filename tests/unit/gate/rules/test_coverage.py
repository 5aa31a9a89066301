"""coverage: quantiles that hold what they say pass; too low, too narrow or of too few days they are refused."""

import numpy as np
import pytest
from tests.support import rule_holdouts as planted

from airloop.config.gate_rules import RuleDeclaration
from airloop.errors import DataContractError
from airloop.problems._levelled import Levelled

LEVELS = (0.1, 0.5, 0.9)
TRUE = np.array([-1.2815515655446004, 0.0, 1.2815515655446004])


def off(*by):
    return TRUE + np.array(by)


def holdout(quantiles=TRUE, days=30, a_day=200):
    draw = np.random.default_rng(8)
    labels = draw.normal(size=days * a_day)
    said = Levelled.of(np.tile(quantiles, (labels.size, 1)), LEVELS)
    rows = planted.features().head(labels.size)
    return planted.holdout(
        task="quantiles",
        metric="pinball",
        rows=rows,
        labels=labels,
        days=np.repeat(np.arange(days), a_day),
        candidate=said,
        champion=None,
    )


def check(given, **keys):
    rule = RuleDeclaration.model_validate({"kind": "coverage", "at_most": 0.03, **keys}).build()
    return rule.check(rule.measure(given))


def test_quantiles_that_hold_what_they_say_pass():
    found = check(holdout())
    assert found.passed
    assert found.rule == "coverage"
    assert "must be within 0.03 of it" in found.says


@pytest.mark.parametrize(
    ("quantiles", "level"),
    [(off(0, 0, 0.6), 0.9), (TRUE * 0.5, 0.1), (off(0, 0.2, 0), 0.5), (off(-0.6, 0, 0), 0.1)],
    ids=["too high", "too narrow", "middle off", "too low"],
)
def test_quantiles_that_promise_what_does_not_come_are_refused_by_their_level(quantiles, level):
    found = check(holdout(quantiles))
    assert not found.passed
    assert f"the quantile {level:g}" in found.says


def test_so_few_rows_prove_no_coverage():
    few = holdout(days=14, a_day=3)
    assert not check(few, at_most=0.09, at_most_surely=0.1).passed
    assert check(few, at_most=0.3, at_most_surely=0.9).passed


def test_another_task_has_no_coverage():
    with pytest.raises(DataContractError, match="coverage is for tasks of quantiles, this one is binary"):
        check(planted.holdout())
