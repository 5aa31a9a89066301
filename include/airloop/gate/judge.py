"""The gate: absolute floors, and champion against candidate on the same rows. It is closed unless all is proven."""

import logging
import math
from collections.abc import Callable, Sequence
from functools import partial

from airloop.config import METRICS, Floor
from airloop.config.gate import Gate
from airloop.config.gate_rules import RuleDeclaration
from airloop.gate.checks import is_number, refuse
from airloop.gate.comparison import EVIDENCE, compared
from airloop.models.looks import ATTEMPTS
from airloop.models.rules_measured import ERROR, key_of
from airloop.records import Check, Decision, Evaluated

logger = logging.getLogger(__name__)

REASON = "reason"
LABELS = "labels"
NEED_NO_LABELS = ("alarm_budget", "stability")
"""Rules that judge a task without labels, in place of floors and comparison."""
_EVALUATION, _FLOORS = "evaluation", "floors"
_OUTSIDE_MODEL = (_EVALUATION, EVIDENCE, _FLOORS, REASON, ATTEMPTS)


def judge(evaluated: Evaluated, gate: Gate, *, reason: str = "", problems: Sequence[Check] = ()) -> Decision:
    """Decide about a version; pure, and refuses whatever it cannot prove.

    Passes only when every check passes:
        floors: value >= at_least, value <= at_most; a missing metric or NaN refuses.
        comparison, on the evidence of the declared metric:
            superior: lower > superior_margin_share * champion's value, and gain > 0;
            non_inferior: lower > -non_inferior_margin_share * champion's value, and gain > 0;
            not_surely_worse, of growth alone: upper > 0.
    Edges:
        no labels to judge by (`evaluated.unlabelled`, of a task that learns without): no floors, no comparison, but the
            rules alarm_budget and stability, and `why` says so and why;
        no champion: floors only, and `why` says so;
        a champion that cannot be compared (`evaluated.not_comparable`): floors only, and `why` says so and why;
        any entry in `evaluated.problems` (overlapping holdout, champion that does not load, changed features): refused;
        a gate without floors, a candidate compared with itself, an error inside a rule: refused;
        evidence that is missing, double, not a number, on other rows than the holdout's (`evidence.rows` differs from
        `evaluated.holdout_rows`), at another confidence, with fewer resamples or fewer than min_blocks days: refused;
        equal score (gain 0): refused;
        after k looks at the holdout: evidence at 1 - (1 - confidence) / (k + 1), and the rule is `superior`;
        after gate.max_attempts looks: refused.
        rules: each of gate.rules on what evaluate measured for it; nothing or an error measured refuses. What is judged
            on live traffic (`shadowed`) is asked before the promotion, see airloop.gate.shadowing.

    Args:
        reason: What chooses the comparison's rule: the reason that the ledger proves, whatever the evaluation claims.
        problems: Refusals found before.

    Returns:
        A decision effective at the training's cutoff; `why` is the first refusal, or what the candidate proved.
    """
    checks = [*problems, *(refuse(_EVALUATION, problem) for problem in evaluated.problems)]
    if evaluated.champion_version == evaluated.version:
        checks.append(refuse(_EVALUATION, f"version {evaluated.version} was compared with itself"))
    if not gate.floors:
        checks.append(refuse(_FLOORS, "the gate has no floors; an empty gate lets nothing through"))
    if evaluated.unlabelled:
        checks.append(_no_labels(evaluated, gate))
    else:
        checks += [_run(f"floor {floor.metric}", partial(_floor, evaluated, floor)) for floor in gate.floors]
    checks += [
        _run(rule.kind, partial(_ruled, evaluated, place, rule))
        for place, rule in enumerate(gate.rules, start=1)
        if rule.on_holdout
    ]
    if evaluated.unlabelled:
        pass
    elif evaluated.not_comparable:
        checks.append(_not_compared(evaluated))
    elif evaluated.champion_version is not None:
        checks += _attempts(evaluated, gate)
        checks.append(_run("comparison", lambda: compared(evaluated, gate.compare, reason)))
    refusals = [check for check in checks if not check.passed]
    return Decision(
        model_name=evaluated.model_name,
        version=evaluated.version,
        champion_version=evaluated.champion_version,
        outcome="refused" if refusals else "passed",
        why=_why(evaluated, checks, refusals),
        checks=tuple(checks),
        evidence=evaluated.evidence,
        reason=evaluated.reason,
        reason_key=evaluated.reason_key,
        effective_at=evaluated.cutoff,
        not_comparable=evaluated.not_comparable,
        model_digest=evaluated.model_digest,
        holdout=evaluated.holdout,
        outside_model=bool(refusals) and all(map(_outside_model, refusals)),
    )


def _no_labels(evaluated: Evaluated, gate: Gate) -> Check:
    """Passes where rules that need no label stand in for floors and comparison; refuses where one is not declared."""
    says = f"judged without labels, by {' and '.join(NEED_NO_LABELS)} ({evaluated.unlabelled})"
    lacking = set(NEED_NO_LABELS) - {rule.kind for rule in gate.rules}
    if lacking:
        return refuse(LABELS, f"{evaluated.unlabelled}, and gate.rules has no {min(lacking)} to judge by instead")
    return Check(LABELS, passed=True, observed=None, says=says)


def _outside_model(refusal: Check) -> bool:
    """Whether a refusal says nothing about the candidate: there was nothing to judge it by."""
    return refusal.rule in _OUTSIDE_MODEL or (refusal.rule.startswith("floor ") and refusal.observed is None)


def _run(name: str, rule: Callable[[], Check]) -> Check:
    try:
        return rule()
    except Exception as error:  # whatever breaks inside a rule must close the gate, not the task
        logger.exception("rule %s failed", name)
        return refuse(name, f"rule {name} failed with {type(error).__name__}: {error}")


def _floor(evaluated: Evaluated, floor: Floor) -> Check:
    rule, name = f"floor {floor.metric}", METRICS[floor.metric].title
    value = evaluated.metrics.get(floor.metric)
    if not is_number(value) or value is None:
        return refuse(rule, f"{name} of the candidate is missing or not a number")
    if floor.at_least is not None:
        passed, bound = value >= floor.at_least, f"at least {floor.at_least:.4f}"
    else:
        at_most = math.nan if floor.at_most is None else floor.at_most
        passed, bound = value <= at_most, f"at most {at_most:.4f}"
    return Check(rule, passed=passed, observed=value, says=f"{name} {value:.4f}, must be {bound}")


def _ruled(evaluated: Evaluated, place: int, rule: RuleDeclaration) -> Check:
    """What a rule of gate.rules finds in what was measured for it."""
    measured = evaluated.measured.get(key_of(place, rule.kind))
    if measured is None:
        return refuse(rule.kind, f"nothing was measured for rule {rule.kind}: run evaluate again")
    if ERROR in measured:
        return refuse(rule.kind, f"rule {rule.kind} could not be measured: {measured[ERROR]}")
    check: Check = rule.build().check(measured)
    return check


def _attempts(evaluated: Evaluated, gate: Gate) -> list[Check]:
    """A refusal when the holdout was looked at too often; nothing where the gate has no limit."""
    if gate.max_attempts is None:
        return []
    looks, until = evaluated.looks, evaluated.holdout.end
    says = f"{looks} of {gate.max_attempts} attempts were made on rows of this holdout"
    if looks < gate.max_attempts:
        return [Check(ATTEMPTS, passed=True, observed=looks, says=says)] if looks else []
    newer = f"wait until a holdout of rows after {until:%Y-%m-%d} is mature, or set gate.max_attempts"
    return [refuse(ATTEMPTS, f"{says}: {newer}", looks)]


def _not_compared(evaluated: Evaluated) -> Check:
    says = f"champion {evaluated.champion_version} is not comparable: floors only ({evaluated.not_comparable})"
    return Check("comparison", passed=True, observed=None, says=says)


def _why(evaluated: Evaluated, checks: Sequence[Check], refusals: Sequence[Check]) -> str:
    if refusals:
        more = f" (and {len(refusals) - 1} more)" if len(refusals) > 1 else ""
        return f"refused: {refusals[0].says}{more}"
    if evaluated.unlabelled:
        return "passed: " + "; ".join(check.says for check in checks)
    if evaluated.not_comparable:
        return f"passed: {checks[-1].says}; " + "; ".join(check.says for check in checks[:-1])
    if evaluated.champion_version is None:
        return "passed as the first model, judged by floors only: " + "; ".join(check.says for check in checks)
    return f"passed: {checks[-1].says}"
