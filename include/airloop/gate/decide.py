"""The gate: absolute floors, and champion against candidate on the same rows. It is closed unless all is proven."""

import dataclasses
import json
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

from airloop.config import METRICS, Comparison, Floor, Pipeline
from airloop.config.gate_rules import RuleDeclaration
from airloop.config.pipeline import Gate
from airloop.gate import holdout_looks
from airloop.models.current import require_current
from airloop.models.looks import ATTEMPTS, paid_confidence
from airloop.models.rules_measured import ERROR, key_of
from airloop.records import Check, Decision, Evaluated, Evidence, Window, run_context
from airloop.settings import Settings
from airloop.stores import ledger, training_reason
from airloop.stores.ledger import Entry, History
from airloop.stores.mlflow import registry
from airloop.stores.training_reason import PROBE, NotAsked

logger = logging.getLogger(__name__)

_TAG_CHARACTERS = 5000
_EVALUATION, _EVIDENCE, _FLOORS, _REASON = "evaluation", "evidence", "floors", "reason"
_OUTSIDE_MODEL = (_EVALUATION, _EVIDENCE, _FLOORS, _REASON, ATTEMPTS)


def judge(evaluated: Evaluated, gate: Gate, *, reason: str = "", problems: Sequence[Check] = ()) -> Decision:
    """Decide about a version; pure, and refuses whatever it cannot prove.

    Passes only when every check passes:
        floors: value >= at_least, value <= at_most; a missing metric or NaN refuses.
        comparison, on the evidence of the declared metric (gain > 0 is asked for by either rule):
            superior: lower > superior_margin_share * champion's value;
            non_inferior: lower > -non_inferior_margin_share * champion's value.
    Edges:
        no champion: floors only, and `why` says so;
        a champion that cannot be compared (`evaluated.not_comparable`): floors only, and `why` says so and why;
        any entry in `evaluated.problems` (overlapping holdout, champion that does not load, changed features): refused;
        a gate without floors, a candidate compared with itself, an error inside a rule: refused;
        evidence that is missing, double, not a number, on other rows than the holdout's (`evidence.rows` differs from
        `evaluated.holdout_rows`), at another confidence, with fewer resamples or fewer than min_blocks days: refused;
        equal score (gain 0): refused;
        after k looks at the holdout: evidence at 1 - (1 - confidence) / (k + 1), and the rule is `superior`;
        after gate.max_attempts looks: refused.
        rules: each of gate.rules on what evaluate measured for it; nothing or an error measured refuses.

    Args:
        reason: What chooses the comparison's rule: the reason that the ledger proves, whatever the evaluation claims.
        problems: Refusals found before.

    Returns:
        A decision effective at the training's cutoff; `why` is the first refusal, or what the candidate proved.
    """
    checks = [*problems, *(_refuse(_EVALUATION, problem) for problem in evaluated.problems)]
    if evaluated.champion_version == evaluated.version:
        checks.append(_refuse(_EVALUATION, f"version {evaluated.version} was compared with itself"))
    if not gate.floors:
        checks.append(_refuse(_FLOORS, "the gate has no floors; an empty gate lets nothing through"))
    checks += [_run(f"floor {floor.metric}", partial(_floor, evaluated, floor)) for floor in gate.floors]
    checks += [
        _run(rule.kind, partial(_ruled, evaluated, place, rule)) for place, rule in enumerate(gate.rules, start=1)
    ]
    if evaluated.not_comparable:
        checks.append(_not_compared(evaluated))
    elif evaluated.champion_version is not None:
        checks += _attempts(evaluated, gate)
        checks.append(_run("comparison", lambda: _comparison(evaluated, gate.compare, reason)))
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


def _outside_model(refusal: Check) -> bool:
    """Whether a refusal says nothing about the candidate: there was nothing to judge it by."""
    return refusal.rule in _OUTSIDE_MODEL or (refusal.rule.startswith("floor ") and refusal.observed is None)


def decide(pipeline: Pipeline, window: Window, upstream: Mapping[str, Any], settings: Settings) -> Decision:
    """Judge the evaluated version and put the decision on record.

    Writes one `decision` entry (a repeated identical judgement adds none; a different one about the same version does),
    tags the version `airloop.decision`, `airloop.decision_why`, `airloop.decision_sequence`, `airloop.decision_hash`
    (of the ledger's entry), `airloop.evidence` (JSON), and points `challenger` at a version that passed, as long as
    this is the newest decision. Which rule of the comparison applies follows from the ledger (training_reason).

    Raises:
        GuardRefused: The ledger does not verify; evaluate has no record of this evaluation; or another champion is in
            force by now. Nothing is recorded then.
    """
    evaluated: Evaluated = upstream["evaluate"]
    history = ledger.require_intact(settings, pipeline.name)
    require_current(pipeline, window, evaluated, history, settings)
    reason, problems = _reason(pipeline, window, evaluated, settings)
    judged = judge(evaluated, pipeline.gate, reason=reason, problems=problems)
    overlaps = _trigger_overlaps(pipeline, evaluated, settings)
    judged = dataclasses.replace(judged, asked_by=run_context.current_starter(), trigger_overlaps=overlaps)
    entry = ledger.append_once(
        settings,
        pipeline.name,
        kind="decision",
        make=lambda seen: holdout_looks.recorded_or_new(judged, History(seen), pipeline),
        kinds=["decision"],
    )
    decision = dataclasses.replace(Decision.from_json(entry.payload), sequence=entry.sequence)
    _project(settings, decision, entry)
    where = f"ledger entry {entry.sequence}, hash {entry.hash}"
    logger.info("%s %s: version %d %s (%s)", pipeline.name, window, decision.version, decision.why, where)
    return decision


def _reason(
    pipeline: Pipeline, window: Window, evaluated: Evaluated, settings: Settings
) -> tuple[str, tuple[Check, ...]]:
    """The reason that counts, and what refuses when the one that is claimed does not."""
    try:
        asked = training_reason.asked_for(
            settings,
            pipeline,
            window.end,
            reason=evaluated.reason,
            reason_key=evaluated.reason_key if evaluated.reason == PROBE else "",
            version=evaluated.version,
        )
    except NotAsked as error:
        return "", (_refuse(_REASON, str(error)),)
    return asked.reason, ()


def _trigger_overlaps(pipeline: Pipeline, evaluated: Evaluated, settings: Settings) -> bool | None:
    """Whether rows that the asking window was judged on are in the holdout; None when no window asked."""
    asking = ledger.entries(settings, pipeline.name, kind="triage", effective_at=evaluated.cutoff)
    mine = [entry for entry in asking if entry.payload.get("reason_key") == evaluated.reason_key]
    if evaluated.reason != PROBE or not mine:
        return None
    window, delay = Window.from_json(mine[-1].payload["window"]), pipeline.prediction.label_delay
    return window.start - delay < evaluated.holdout.end and evaluated.holdout.start < window.end - delay


def _project(settings: Settings, decision: Decision, entry: Entry) -> None:
    tags = {
        "airloop.decision": decision.outcome,
        "airloop.decision_why": decision.why[:_TAG_CHARACTERS],
        registry.DECISION_SEQUENCE: str(entry.sequence),
        registry.DECISION_HASH: entry.hash,
        "airloop.evidence": _evidence_text(decision.evidence),
    }
    registry.tag_version(settings, decision.model_name, decision.version, tags)
    registry.describe_version(settings, decision.model_name, decision.version, decision.why)
    history = ledger.history(settings, entry.pipeline)
    newest = history.latest("decision")
    champion = history.champion()
    in_force = champion is not None and history.judged(champion) == decision.version
    if newest is None or newest.sequence != decision.sequence or in_force:
        return
    if decision.passed:
        registry.set_alias(settings, decision.model_name, registry.CHALLENGER, decision.version)
    elif registry.aliases(settings, decision.model_name).get(registry.CHALLENGER) == decision.version:
        registry.delete_alias(settings, decision.model_name, registry.CHALLENGER)


def _evidence_text(evidence: Sequence[Evidence]) -> str:
    shown = [item.to_json() for item in evidence]
    while len(json.dumps(shown)) > _TAG_CHARACTERS:
        shown.pop()
    return json.dumps(shown)


def _run(name: str, rule: Callable[[], Check]) -> Check:
    try:
        return rule()
    except Exception as error:  # whatever breaks inside a rule must close the gate, not the task
        logger.exception("rule %s failed", name)
        return _refuse(name, f"rule {name} failed with {type(error).__name__}: {error}")


def _refuse(rule: str, says: str, observed: Any = None) -> Check:
    return Check(rule, passed=False, observed=observed if _is_number(observed) else None, says=says)


def _floor(evaluated: Evaluated, floor: Floor) -> Check:
    rule, name = f"floor {floor.metric}", METRICS[floor.metric].title
    value = evaluated.metrics.get(floor.metric)
    if not _is_number(value) or value is None:
        return _refuse(rule, f"{name} of the candidate is missing or not a number")
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
        return _refuse(rule.kind, f"nothing was measured for rule {rule.kind}: run evaluate again")
    if ERROR in measured:
        return _refuse(rule.kind, f"rule {rule.kind} could not be measured: {measured[ERROR]}")
    check: Check = rule.build().check(measured)
    return check


def _attempts(evaluated: Evaluated, gate: Gate) -> list[Check]:
    """A refusal when the holdout was looked at too often; nothing where the gate has no limit."""
    if gate.max_attempts is None:
        return []
    seen, until = evaluated.looks, evaluated.holdout.end
    says = f"{seen} of {gate.max_attempts} attempts were made on rows of this holdout"
    if seen < gate.max_attempts:
        return [Check(ATTEMPTS, passed=True, observed=seen, says=says)] if seen else []
    newer = f"wait until a holdout of rows after {until:%Y-%m-%d} is mature, or set gate.max_attempts"
    return [_refuse(ATTEMPTS, f"{says}: {newer}", seen)]


def _comparison(evaluated: Evaluated, compare: Comparison, reason: str) -> Check:
    # The milder rule is for the first look: equally good candidates pass it half the time.
    rule = "superior" if evaluated.looks else compare.rule.get(reason, compare.rule["default"])
    found = [item for item in evaluated.evidence if item.metric == compare.metric]
    if len(found) != 1:
        count = "no evidence" if not found else f"{len(found)} pieces of evidence"
        says = f"there is {count} on {METRICS[compare.metric].title} against champion {evaluated.champion_version}"
        return _refuse(_EVIDENCE, says)
    evidence = found[0]
    unfit = _unfit(evidence, evaluated, compare)
    if unfit:
        return _refuse(_EVIDENCE, unfit, evidence.gain)
    check = _compared(evidence, rule, compare)
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
    if not all(_is_number(value) for value in (evidence.gain, evidence.lower, evidence.upper, evidence.champion)):
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


def _compared(evidence: Evidence, rule: Literal["superior", "non_inferior"], compare: Comparison) -> Check:
    share = {"superior": compare.superior_margin_share, "non_inferior": -compare.non_inferior_margin_share}[rule]
    bound = share * evidence.champion + 0.0  # no negative zero in a sentence
    gain = f"gain in {METRICS[compare.metric].title} {evidence.gain:.4f}"
    says = f"{gain}, interval [{evidence.lower:.4f}, {evidence.upper:.4f}], must be above {bound:.4f}".removesuffix(
        ".0000"
    )
    if rule == "non_inferior":
        says += ", and the gain above 0"
    if evidence.gain == 0:
        says = f"{gain}: the candidate scores as the champion does, and must be better"
    passed = evidence.lower > bound and evidence.gain > 0
    return Check(rule, passed=passed, observed=evidence.gain, says=says)


def _not_compared(evaluated: Evaluated) -> Check:
    says = f"champion {evaluated.champion_version} is not comparable: floors only ({evaluated.not_comparable})"
    return Check("comparison", passed=True, observed=None, says=says)


def _why(evaluated: Evaluated, checks: Sequence[Check], refusals: Sequence[Check]) -> str:
    if refusals:
        more = f" (and {len(refusals) - 1} more)" if len(refusals) > 1 else ""
        return f"refused: {refusals[0].says}{more}"
    if evaluated.not_comparable:
        return f"passed: {checks[-1].says}; " + "; ".join(check.says for check in checks[:-1])
    if evaluated.champion_version is None:
        return "passed as the first model, judged by floors only: " + "; ".join(check.says for check in checks)
    return f"passed: {checks[-1].says}"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
