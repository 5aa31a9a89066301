"""Champion against candidate on the same rows: which evidence counts, and the inequality it has to fulfil."""

import dataclasses

from airloop.config import METRICS, Comparison
from airloop.config.gate import ComparisonRule
from airloop.gate.checks import is_number, refuse
from airloop.models.looks import paid_confidence
from airloop.records import Check, Evaluated, Evidence

EVIDENCE = "evidence"


def compared(evaluated: Evaluated, compare: Comparison, reason: str) -> Check:
    """Whether the evidence on the declared metric proves the candidate better, by the rule of the reason.

    The inequalities are those of `airloop.gate.judge.judge`.
    """
    # The milder rule is for the first look: equally good candidates pass it half the time.
    rule = "superior" if evaluated.looks else compare.rule.get(reason, compare.rule["default"])
    pieces = [item for item in evaluated.evidence if item.metric == compare.metric]
    if len(pieces) != 1:
        count = "no evidence" if not pieces else f"{len(pieces)} pieces of evidence"
        says = f"there is {count} on {METRICS[compare.metric].title} against champion {evaluated.champion_version}"
        return refuse(EVIDENCE, says)
    evidence = pieces[0]
    unfit = _unfit(evidence, evaluated, compare)
    if unfit:
        return refuse(EVIDENCE, unfit, evidence.gain)
    check = _by_rule(evidence, rule, compare)
    instead = evaluated.compared_version
    if instead is None:
        return check
    return dataclasses.replace(
        check,
        says=f"{check.says} (compared with version {instead}, which champion {evaluated.champion_version} is the refit "
        "of: it has not learned from this holdout)",
    )


def _unfit(evidence: Evidence, evaluated: Evaluated, compare: Comparison) -> str | None:
    """Why this evidence says nothing about this candidate; None when it does."""
    name = METRICS[compare.metric].title
    if not all(is_number(value) for value in (evidence.gain, evidence.lower, evidence.upper, evidence.champion)):
        return f"evidence on {name} holds a value that is missing or not a number"
    if evidence.rows != evaluated.holdout_rows:
        return f"evidence on {name} covers {evidence.rows} rows, the holdout has {evaluated.holdout_rows}: other rows"
    confidence = paid_confidence(compare.confidence, evaluated.looks)
    if evidence.confidence != confidence or evidence.resamples < compare.resamples:
        return (
            f"evidence on {name} has confidence {evidence.confidence:g} from {evidence.resamples} resamples, the gate "
            f"asks for {confidence:g} from {compare.resamples}"
        )
    if evidence.blocks < compare.min_blocks:
        return f"evidence on {name} spans {evidence.blocks} calendar days, at least {compare.min_blocks} are needed"
    return None


def _by_rule(evidence: Evidence, rule: ComparisonRule, compare: Comparison) -> Check:
    gain = f"gain in {METRICS[compare.metric].title} {evidence.gain:.4f}"
    says = f"{gain}, interval [{evidence.lower:.4f}, {evidence.upper:.4f}]"
    if evidence.gain == 0:
        passed, says = False, f"{gain}: the candidate scores as the champion does, and must be better"
    elif rule == "not_surely_worse":
        passed, says = evidence.upper > 0, f"{says}, must reach above 0"
    else:
        share = {"superior": compare.superior_margin_share, "non_inferior": -compare.non_inferior_margin_share}[rule]
        bound = share * evidence.champion + 0.0  # no negative zero in a sentence
        passed = evidence.lower > bound and evidence.gain > 0
        says = f"{says}, must be above {bound:.4f}".removesuffix(".0000")
        says += ", and the gain above 0" if rule == "non_inferior" else ""
    return Check(rule, passed=passed, observed=evidence.gain, says=says)
