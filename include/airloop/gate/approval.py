"""A person's word on a version that passed: whether it is needed, whose counts, and what makes it void.

The policy is `approval` of pipeline.yaml, the answers are entries of the ledger (`approved`, `rejected`, `superseded`),
and `promote` itself refuses where one is needed and none counts, whoever calls it.
"""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from airloop.config import Pipeline
from airloop.config.approval import Approval
from airloop.config.dag_ids import dag_of
from airloop.errors import GuardRefused
from airloop.records import Decision, Window
from airloop.records.person_texts import require_reason
from airloop.settings import Settings
from airloop.stores import ledger, state
from airloop.stores.ledger import HISTORY_KINDS, Draft, Entry, History

logger = logging.getLogger(__name__)

APPROVED, REJECTED, SUPERSEDED = "approved", "rejected", "superseded"
DEADLINE = "deadline"
"""What the ledger calls who answered when nobody did; a person of that name is told from it by `by_deadline`."""

_END_OF_TIME = datetime(9999, 12, 31, tzinfo=UTC)
_LOOKED_AT = 50


class NotEntitled(GuardRefused):
    """Another person has to answer."""


def asked_because(pipeline: Pipeline, decision: Entry, history: History) -> tuple[str, ...]:
    """Why a decision that passed needs a person's approval; empty when it needs none."""
    return tuple(_because(pipeline, Decision.from_json(decision.payload), history))


def _because(pipeline: Pipeline, decision: Decision, history: History) -> Iterator[str]:
    when, metric = pipeline.approval.when, pipeline.gate.compare.metric
    if when.always:
        yield "every promotion is approved"
    if when.first_model and (decision.champion_version is None or decision.not_comparable):
        yield "no champion was compared with"
    if when.gain_below is not None:
        gain = next((item.gain for item in decision.evidence if item.metric == metric), None)
        if gain is None or not gain >= when.gain_below:
            known = "is not known" if gain is None else f"{gain:.4f} is below {when.gain_below:g}"
            yield f"the gain in {metric} {known}"
    if when.slice_worse:
        yield from _worse_slice(decision)
    if when.days_since is not None:
        last = history.latest(APPROVED)
        if last is None or decision.effective_at - last.effective_at >= timedelta(days=when.days_since):
            yield f"nobody approved a version for {when.days_since} days"


def _worse_slice(decision: Decision) -> Iterator[str]:
    """The slice that looks worst by its p-value: where its gain is not below 0, no slice's is."""
    check = next((check for check in decision.checks if check.rule == "slices"), None)
    if check is None or check.observed is None:
        yield "no slice was compared with the champion"
    elif check.observed < 0:
        yield f"a slice is worse than under the champion ({check.says})"


def answer(
    pipeline: Pipeline, settings: Settings, sequence: int, *, kind: str, why: str, who: str | None, starter: str = ""
) -> Entry:
    """Put a person's answer to a decision on record; the same answer again adds nothing.

    Args:
        kind: `approved` or `rejected`. An approval may be taken back by a rejection until the version is promoted.
        who: None where nobody answered within the deadline.
        starter: Who started the promotion that asks.

    Raises:
        ConfigError: No reason.
        NotEntitled: `approval.by` does not name the person, or the person started the training or the promotion.
        GuardRefused: No such decision, it did not pass, it was promoted, rejected or superseded, or an approval would
            be void (see `overtaken`); the ledger does not verify.
    """
    reason = require_reason(why, "--why 'the gain is real, checked with the supplier'")
    ledger.intact_history(settings, pipeline.name)
    scored = scored_until(pipeline, settings)

    def make(entries: tuple[Entry, ...]) -> Entry | Draft:
        history = History(entries)
        decision = _decision(pipeline, history, sequence)
        standing = history.answer_to(sequence)
        if standing is not None and (standing.kind == kind or standing.kind != APPROVED):
            return _same(standing, kind, _named_person(who))
        if kind == APPROVED:
            _refuse_person(pipeline.approval, decision, who, starter)
            if gone := overtaken(pipeline, history, decision, scored):
                raise GuardRefused(f"an approval of decision {sequence} would be void: {gone}")
        return Draft(decision.effective_at, _payload(decision, who=who, why=reason, starter=starter))

    entry = ledger.append_once(settings, pipeline.name, kind=kind, make=make, kinds=HISTORY_KINDS)
    logger.info("%s: decision %d %s by %s (%s)", pipeline.name, sequence, kind, _named_person(who), reason)
    return entry


def close(pipeline: Pipeline, settings: Settings, sequence: int, *, why: str) -> Entry:
    """Close the question about a decision that was overtaken: `superseded`, once; an answer on record stays."""

    def make(entries: tuple[Entry, ...]) -> Entry | Draft:
        history = History(entries)
        standing, decision = history.answer_to(sequence), _decision(pipeline, history, sequence)
        return standing or Draft(decision.effective_at, _payload(decision, who="airloop", why=why, starter=""))

    return ledger.append_once(settings, pipeline.name, kind=SUPERSEDED, make=make, kinds=HISTORY_KINDS)


def overtaken(pipeline: Pipeline, history: History, decision: Entry, scored: datetime) -> str:
    """Why nobody can approve a decision any more; empty when somebody can.

    Args:
        scored: The end of the newest window that was scored: data time goes on by it.
    """
    version, champion = decision.payload["version"], history.champion()
    if champion != decision.payload["champion_version"]:
        judged = decision.payload["champion_version"]
        return f"it was judged against {_named(judged)}, and {_named(champion)} is in force: train again"
    later = (e for e in history.of("decision") if e.sequence > decision.sequence)
    for newer in later:
        if newer.payload["version"] == version:
            return f"version {version} was judged again by decision {newer.sequence}"
        if ledger.passes(newer) and newer.payload["champion_version"] == champion:
            return f"version {newer.payload['version']} passed later, by decision {newer.sequence}"
    days = pipeline.approval.evidence_max_age_days
    if scored - decision.effective_at > timedelta(days=days):
        return (
            f"its evidence is of {decision.effective_at:%Y-%m-%d}, and windows up to {scored:%Y-%m-%d} were scored "
            f"since (approval.evidence_max_age_days is {days}): train again"
        )
    return ""


def refuse_unapproved(pipeline: Pipeline, history: History, decision: Entry, scored: datetime) -> None:
    """Refuse to promote what needs an approval and has none that counts, and what a person rejected.

    Raises:
        GuardRefused: See above; the message says why a person is asked and how to answer.
    """
    sequence, version, standing = decision.sequence, decision.payload["version"], history.answer_to(decision.sequence)
    if standing is not None and standing.kind != APPROVED:
        raise GuardRefused(
            f"decision {sequence} on version {version} was {standing.kind} by {standing.payload['who']} "
            f"({standing.payload['why']}): train again"
        )
    because = asked_because(pipeline, decision, history)
    if not because and standing is None:
        return
    if standing is None:
        raise GuardRefused(
            f"decision {sequence} on version {version} waits for a person's approval ({'; '.join(because)}): answer in "
            f"Airflow ({dag_of(pipeline.name, 'promotion')}), or "
            f"`airloop approve {pipeline.name} {sequence} --why '...'`"
        )
    _refuse_person(pipeline.approval, decision, _answerer(standing), standing.payload["starter"])
    if gone := overtaken(pipeline, history, decision, scored):
        raise GuardRefused(f"the approval of decision {sequence} by {standing.payload['who']} is void: {gone}")


def scored_until(pipeline: Pipeline, settings: Settings) -> datetime:
    """The end of the newest window that was scored live; the start of the coverage when none was."""
    records = state.records_before(settings, pipeline.name, "score", end=_END_OF_TIME, limit=_LOOKED_AT)
    ends = [Window.from_json(record["window"]).end for record in records if record["mode"] == "live"]
    return max(ends, default=pipeline.coverage.start)


def starters(decision: Entry, starter: str) -> frozenset[str]:
    """Who asked for the training and who started the promotion: they do not approve it."""
    return frozenset(filter(None, (decision.payload.get("asked_by", ""), starter)))


def _answerer(answered: Entry) -> str | None:
    """Who gave an answer; None of the deadline. Answers of an older airloop say it by the name alone."""
    who = str(answered.payload["who"])
    return None if answered.payload.get("by_deadline", who == DEADLINE) else who


def _refuse_person(policy: Approval, decision: Entry, who: str | None, starter: str) -> None:
    sequence = decision.sequence
    if who is None:
        if policy.default != "approve":
            raise NotEntitled(f"decision {sequence} was approved by the deadline, and approval.default is reject")
        return
    if who in starters(decision, starter):
        raise NotEntitled(f"{who} started this and cannot approve decision {sequence}: another person has to")
    if policy.by and who not in policy.by:
        raise NotEntitled(f"{who} cannot approve decision {sequence}: approval.by names {', '.join(policy.by)}")


def _decision(pipeline: Pipeline, history: History, sequence: int) -> Entry:
    decision = history.decision(sequence)
    if decision is None:
        known = ", ".join(str(entry.sequence) for entry in history.of("decision") if ledger.passes(entry)) or "none"
        raise GuardRefused(f"{sequence} is not a decision of {pipeline.name} (decisions that passed: {known})")
    if not ledger.passes(decision):
        raise GuardRefused(f"decision {sequence} did not pass its gate: {decision.payload['why']}")
    if history.done_of(sequence):
        raise GuardRefused(f"decision {sequence} was promoted already: `airloop rollback` goes back")
    return decision


def _same(standing: Entry, kind: str, who: str) -> Entry:
    if standing.kind == kind:
        return standing
    raise GuardRefused(
        f"decision {standing.payload['decision_sequence']} was {standing.kind} by {standing.payload['who']} "
        f"({standing.payload['why']}): {who} cannot change that; train again"
    )


def _payload(decision: Entry, *, who: str | None, why: str, starter: str) -> dict[str, Any]:
    about = {"decision_sequence": decision.sequence, "version": decision.payload["version"]}
    return about | {"who": DEADLINE if who is None else who, "by_deadline": who is None, "why": why, "starter": starter}


def _named_person(who: str | None) -> str:
    return "the deadline" if who is None else who


def _named(version: int | None) -> str:
    return "no champion" if version is None else f"champion {version}"
