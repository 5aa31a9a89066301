"""probe: a training would have gained, by a model refitted on newer rows that was compared with the champion."""

import math
from typing import ClassVar

from airloop.config import METRICS, TriagePolicy
from airloop.records import Evidence, Monitored
from airloop.watch.triggers.trigger import Looks, Trigger, Verdict


class Probe(Trigger):
    """Asks when the probe surely gains in this look and in k of the last n, all by `monitoring.policy`.

    - `not_enough_data`: labelled_rows < min_rows; no probe; no evidence on the policy's metric at its confidence; a
      value that is missing or NaN; evidence.rows < min_rows; evidence.blocks < min_blocks.
    - A look shows a gain when sure_lower > margin_share * champion's value; equal is not above. It is the bound at the
      level of one of the year's looks (airloop.watch.rhythm), below the shown interval.
    - A look with too little data shows no gain, but keeps its place among the n.
    """

    reason: ClassVar[str] = "probe"

    def judge(self, looks: Looks) -> Verdict:
        """See the class."""
        newest, policy = looks.newest, looks.policy
        shown = [record for record in looks.last(policy.n) if _shows_gain(record, policy)]
        shows, lacking, words = newest in shown, _lacking(newest, policy), _in_words(newest, policy)
        counted = f"in {len(shown)} of the last {policy.n} windows, {policy.k} asked for"
        own = evidence_of([newest], policy)
        if lacking:
            return Verdict("not_enough_data", lacking, evidence=own)
        if not shows:
            return Verdict("nothing", f"no gain is sure: {words}", evidence=own)
        if len(shown) < policy.k:
            return Verdict("nothing", f"a training would gain, but only {counted}: {words}", shows, own)
        return Verdict("retrain", f"a training would gain {counted}: {words}", shows, evidence_of(shown, policy))


def evidence_of(records: list[Monitored], policy: TriagePolicy) -> tuple[Evidence, ...]:
    """What the probe of each look is judged by; a look without it gives none."""
    return tuple(evidence for record in records if (evidence := _evidence(record, policy)))


def _evidence(record: Monitored, policy: TriagePolicy) -> Evidence | None:
    fits = (item for item in record.probe if item.metric == policy.metric and item.confidence == policy.confidence)
    return next(fits, None)


def _lacking(record: Monitored, policy: TriagePolicy) -> str:
    """What is missing to judge a window; empty when nothing is."""
    evidence = _evidence(record, policy)
    if record.labelled_rows < policy.min_rows:
        return f"{record.labelled_rows} labelled rows, at least {policy.min_rows} are needed"
    if record.by_pinned_features:
        return (
            "the features mean something else than those the champion learned from, so that nothing was probed; "
            "train a model on today's by hand (reason=hand)"
        )
    if not record.probe:
        return "there was no probe"
    if evidence is None:
        return f"the probe was not measured in {METRICS[policy.metric].title} at confidence {policy.confidence}"
    if not all(_is_number(value) for value in _numbers_of(evidence)):
        return "the probe's gain is missing or not a number"
    if evidence.rows < policy.min_rows:
        return f"the probe was compared on {evidence.rows} rows, at least {policy.min_rows} are needed"
    if evidence.blocks < policy.min_blocks:
        return f"{evidence.blocks} calendar days, at least {policy.min_blocks} are needed"
    return ""


def _numbers_of(evidence: Evidence) -> tuple[float | None, ...]:
    return evidence.gain, evidence.lower, evidence.upper, evidence.champion, evidence.sure_lower


def _shows_gain(record: Monitored, policy: TriagePolicy) -> bool:
    evidence = _evidence(record, policy)
    if evidence is None or _lacking(record, policy):
        return False
    return (evidence.sure_lower or 0.0) > policy.margin_share * evidence.champion


def _in_words(record: Monitored, policy: TriagePolicy) -> str:
    evidence = _evidence(record, policy)
    if evidence is None or _lacking(record, policy):
        return "no evidence"
    margin = policy.margin_share * evidence.champion
    interval = f"[{evidence.lower:.4f}, {evidence.upper:.4f}]"
    gain = f"{evidence.gain:.4f} in {METRICS[policy.metric].title}"
    sure = "nothing is sure" if evidence.sure_lower is None else f"surely above {evidence.sure_lower:.4f}"
    return f"the probe gains {gain}, interval {interval}, {sure} {_paid(evidence)}, asked for above {margin:.4f}"


def _paid(evidence: Evidence) -> str:
    return "" if evidence.level is None else f"(one look errs in {evidence.level:.2g})"


def _is_number(value: float | None) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)
