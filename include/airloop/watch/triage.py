"""Triage: what monitoring calls for. A training is asked for when the probe shows, k of n times, that it would gain."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from airloop.config import METRICS, Pipeline, TriagePolicy
from airloop.records import Action, Evidence, Monitored, Window
from airloop.settings import Settings
from airloop.stores import ledger
from airloop.stores.alarms import RaisedAlarm
from airloop.stores.ledger import Draft
from airloop.watch import holds, looks_before, past

logger = logging.getLogger(__name__)


def triage_window(
    monitored: Monitored,
    history: Sequence[Monitored],
    policy: TriagePolicy,
    *,
    last_decision_at: datetime | None,
    open_alarms: Sequence[RaisedAlarm] = (),
    lasting_days: int = 0,
) -> Action:
    """Decide what the newest monitored window calls for; pure.

    The first rule that applies decides:

    - `nothing`: the record's origin is not `live`: evidence of a backfill triggers no training.
    - `nothing`: an alarm of this window was answered by `excluded`: its rows are wrong, and so is what they show.
    - `held`: an alarm about the data of this window is open: what monitoring measured may be its effect, and a training
      would learn from it. Only an answer ends it, or the window built again without it.
    - `held`: an alarm about the champion's own figures is open, and the window before shows none, or this window shows
      no gain (see below): either something is wrong that nobody has found yet, or no training mends it.
    - `not_enough_data`: labelled_rows < min_rows; no probe; no evidence on the policy's metric at its confidence; a
      value that is missing or NaN; evidence.rows < min_rows; evidence.blocks < min_blocks.
    - `cooling_down`: window.end - last_decision_at < cool_down_days; exactly that long ago is over. Without a decision
      there is no cool-down.
    - `nothing`: this window shows no gain: sure_lower > margin_share * champion's value is asked for, equal is not
      above. It is the bound at the level of one of the year's looks (airloop.watch.rhythm), below the shown interval.
    - `retrain`: this window and in all at least k of the last n show a gain. `reason_key` names version and window end,
      so that one training answers it; `cutoff` is the window's end.
    - `nothing`: fewer than k of the last n.

    So by what a window shows, its alarms, and those of the window before:

    | alarms of this window | the window before | gain is sure | outcome |
    |---|---|---|---|
    | none, or all accepted | any | yes, k of n | retrain |
    | none, or all accepted | any | no | nothing, not_enough_data |
    | about the data | any | any | held |
    | one answered by excluded | any | any | nothing |
    | figures only | none | any | held, until an answer or the next window |
    | figures only | figures only | yes, k of n | retrain: it lasts, nothing is wrong with the data |
    | figures only | figures only | no | held: a training would not mend it |
    | figures only | about the data | any | held |

    The last n windows are this one and the newest n - 1 before it of the same champion version (a gain over an old
    champion says nothing about the new one), live ones only. A window counts once, by its newest record; one whose
    evidence overlaps a newer one's does not count. A window with too little data
    shows no gain, but keeps its place among the n; nor does one with an alarm nobody accepted, unless it is about the
    champion's figures and this window shows one too.

    The window before, of the table, is the newest that ended by this one's start and at least `lasting_days` before its
    end: looks a day apart judge nearly the same rows, and say nothing about what lasts.

    Args:
        history: Records with those alarms of their windows that nobody accepted.
        open_alarms: Those of this window that nobody accepted.
    """
    lacking = _lacking(monitored, policy)
    cooling = _cooling(monitored, policy, last_decision_at)
    windows = [monitored, *looks_before.apart(monitored, history)][: policy.n]
    worth = [record for record in windows if record is monitored or holds.counts(record, newest_alarms=open_alarms)]
    shown = [record for record in worth if _shows_gain(record, policy)]
    counted = f"in {len(shown)} of the last {policy.n} windows, {policy.k} asked for"
    held = holds.why_held(open_alarms, looks_before.lasting(monitored, history, lasting_days), gains=monitored in shown)
    if monitored.origin != "live":
        kind, why = "nothing", f"evidence of a {monitored.origin} triggers no training"
    elif excluded := [item for item in open_alarms if not item.open]:
        kind, why = "nothing", f"the window's rows are excluded: alarm {excluded[0].id}, {excluded[0].alarm.kind}"
    elif held:
        kind, why = "held", held
    elif lacking:
        kind, why = "not_enough_data", f"not enough data: {lacking}"
    elif cooling:
        kind, why = "cooling_down", f"cooling down: {cooling}"
    elif monitored not in shown:
        kind, why = "nothing", f"no gain is sure: {_in_words(monitored, policy)}"
    elif len(shown) < policy.k:
        kind, why = "nothing", f"a training would gain, but only {counted}: {_in_words(monitored, policy)}"
    else:
        kind, why = "retrain", f"a training would gain {counted}: {_in_words(monitored, policy)}"
    proofs = shown if kind == "retrain" else [monitored]
    return Action(
        kind=kind,
        why=why,
        reason_key=_reason_key(monitored) if kind == "retrain" else "",
        cutoff=monitored.window.end,
        evidence=tuple(found for record in proofs if (found := _evidence(record, policy))),
    )


def triage(pipeline: Pipeline, window: Window, upstream: Mapping[str, Any], settings: Settings) -> Action:
    """Judge a monitored window against the stored history, and put the outcome on record.

    Writes one `triage` entry, which also says when the labels of the judged rows matured (`judged`); the same outcome
    for the same window and version adds none.
    """
    monitored: Monitored = upstream["monitor"]
    policy = pipeline.monitoring.policy
    history, last_decision_at = _known(pipeline, monitored, settings)
    action = triage_window(
        monitored,
        history,
        policy,
        last_decision_at=last_decision_at,
        open_alarms=holds.not_accepted(pipeline, [monitored], settings)[monitored.window],
        lasting_days=pipeline.monitoring.probe_days,
    )
    payload = ledger.payload_of(action) | {"version": monitored.version, "window": monitored.window.to_json()}
    payload["judged"] = monitored.evidence.to_json()
    draft = Draft(monitored.window.end, payload)
    entry = ledger.append_once(
        settings,
        pipeline.name,
        kind="triage",
        make=lambda seen: next((item for item in seen if item.payload == payload), draft),
        kinds=["triage"],
        effective_at=monitored.window.end,
    )
    where = f"ledger entry {entry.sequence}, hash {entry.hash}"
    logger.info("%s %s: %s: %s (%s)", pipeline.name, window, action.kind, action.why, where)
    return replace(action, sequence=entry.sequence)


def inputs(pipeline: Pipeline, window: Window, upstream: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """What the outcome depends on beyond the window's own record: the windows before it, alarms, the last decision."""
    monitored: Monitored = upstream["monitor"]
    history, last_decision_at = _known(pipeline, monitored, settings)
    return {
        "before": [record.to_json() for record in history],
        "last_decision_at": str(last_decision_at),
        "open_alarms": [
            item.to_json() for item in holds.not_accepted(pipeline, [monitored], settings)[monitored.window]
        ],
    }


def _known(pipeline: Pipeline, monitored: Monitored, settings: Settings) -> tuple[list[Monitored], datetime | None]:
    """The windows before, with the alarms nobody accepted, and when the last decision before this window's end was.

    A decision that answered this very window does not count: a rerun has to see what the first run saw. Nor does one
    that an obstacle refused, and not the model: the next window asks again.
    """
    place = (pipeline, monitored.version, settings)
    lasting = monitored.window.end - timedelta(days=pipeline.monitoring.probe_days)
    history = [
        *past.apart(*place, until=min(lasting, monitored.window.start), number=1),
        *past.apart(*place, until=monitored.evidence.start, number=pipeline.monitoring.policy.n),
    ]
    if history:
        noticed = holds.not_accepted(pipeline, history, settings)
        history = [replace(record, alarms=holds.as_noticed(noticed[record.window])) for record in history]
    own_key = _reason_key(monitored)
    decided = [
        entry.effective_at
        for entry in ledger.intact_history(settings, pipeline.name).of("decision")
        if entry.effective_at <= monitored.window.end
        and entry.payload["reason_key"] != own_key
        and not entry.payload.get("outside_model", False)
    ]
    return history, max(decided, default=None)


def _reason_key(monitored: Monitored) -> str:
    return f"probe:{monitored.version}:{monitored.window.to_json()['end']}"


def _evidence(record: Monitored, policy: TriagePolicy) -> Evidence | None:
    fits = (item for item in record.probe if item.metric == policy.metric and item.confidence == policy.confidence)
    return next(fits, None)


def _lacking(record: Monitored, policy: TriagePolicy) -> str:
    """What is missing to judge a window; empty when nothing is."""
    evidence = _evidence(record, policy)
    if record.labelled_rows < policy.min_rows:
        return f"{record.labelled_rows} labelled rows, at least {policy.min_rows} are needed"
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


def _cooling(record: Monitored, policy: TriagePolicy, last_decision_at: datetime | None) -> str:
    if last_decision_at is None:
        return ""
    days = (record.window.end - last_decision_at) / timedelta(days=1)
    if days >= policy.cool_down_days:
        return ""
    return f"the last decision was {days:.1f} days before, {policy.cool_down_days} must pass"


def _shows_gain(record: Monitored, policy: TriagePolicy) -> bool:
    evidence = _evidence(record, policy)
    if evidence is None or _lacking(record, policy):
        return False
    return (evidence.sure_lower or 0.0) > policy.margin_share * evidence.champion


def _in_words(record: Monitored, policy: TriagePolicy) -> str:
    evidence = _evidence(record, policy)
    if evidence is None:
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
