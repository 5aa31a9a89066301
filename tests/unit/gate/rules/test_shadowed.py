"""The rule `shadowed` on what was measured: it waits, passes, or refuses."""

import pytest

from airloop.config.gate_rules import RuleDeclaration
from airloop.errors import DataContractError
from airloop.records import Evidence


def rule(**keys):
    return RuleDeclaration.model_validate({"kind": "shadowed", "windows": 2, "min_rows": 100, **keys}).build()


def gained(lower, upper):
    gain = (lower + upper) / 2
    return Evidence("brier", gain, lower, upper, 0.95, 0.2, 0.2 - gain, 900, 9, 200, 7).to_json()


def measured(**changes):
    usual = {"windows": 2, "rows": 900, "difference": 0.01, "evidence": gained(-0.01, 0.02), "why": "", "version": 2}
    return {**usual, **changes}


@pytest.mark.parametrize(
    ("keys", "seen", "says"),
    [
        (
            {},
            {"windows": 1, "rows": 450, "evidence": None},
            r"1 of 2 windows with 100 shadowed labelled rows \(450 so far",
        ),
        ({}, {"evidence": None, "why": "fewer than 30 rows"}, "900 shadowed rows give no evidence yet .fewer than 30"),
        ({"labelled": False}, {"windows": 0, "rows": 0}, "0 of 2 windows with 100 shadowed rows"),
    ],
)
def test_what_is_not_there_yet_is_waited_for_and_does_not_pass(keys, seen, says):
    import re

    assert re.search(says, rule(**keys).lacking(measured(**seen)))
    assert not rule(**keys).check(measured(**seen)).passed


@pytest.mark.parametrize(
    ("keys", "seen"),
    [
        ({}, {}),
        ({}, {"evidence": gained(0.001, 0.02)}),
        ({}, {"evidence": gained(-0.02, 0.0)}),
        ({"max_difference": 0.01}, {}),
        ({"labelled": False}, {"evidence": None}),
    ],
)
def test_one_that_is_not_surely_worse_passes(keys, seen):
    made = rule(**keys)
    assert made.lacking(measured(**seen)) == ""
    found = made.check(measured(**seen))
    assert (found.rule, found.passed) == ("shadowed", True)


@pytest.mark.parametrize(
    ("keys", "seen", "says"),
    [
        ({}, {"evidence": gained(-0.02, -0.001)}, "interval of the gain [-0.0200, -0.0010], must reach 0"),
        ({"max_difference": 0.009}, {}, "predictions 0.0100 apart on average, must be at most 0.009"),
        ({"labelled": False, "max_difference": 0.009}, {"evidence": None}, "must be at most 0.009"),
    ],
)
def test_one_that_is_surely_worse_or_too_different_is_refused(keys, seen, says):
    made = rule(**keys)
    assert made.lacking(measured(**seen)) == ""
    found = made.check(measured(**seen))
    assert not found.passed
    assert says in found.says


def test_a_holdout_has_no_live_traffic():
    with pytest.raises(DataContractError, match="measured on live traffic"):
        rule().measure(None)
