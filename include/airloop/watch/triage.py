"""Triage: what monitoring calls for. A training is asked for when a declared trigger fires, and nothing holds it."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from airloop.config import Pipeline
from airloop.config.monitoring import Monitoring
from airloop.deployment import Deployment
from airloop.models.history import learned_growth
from airloop.records import TAKE_BACK, Action, Monitored, Record, Window
from airloop.settings import Settings
from airloop.stores import ledger
from airloop.stores.alarms import RaisedAlarm
from airloop.stores.ledger import Draft, History
from airloop.watch import after_promotion, holds, looks_before, past
from airloop.watch.trigger_answers import TriggerAnswer, ask, is_key_of, looks_read
from airloop.watch.triggers.probe import Probe, evidence_of
from airloop.watch.triggers.trigger import Looks

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Known(Record):
    """What an outcome depends on beyond the look's own record.

    Attributes:
        before: Earlier looks with those alarms of their windows that nobody accepted.
        last_decision_at: Data time of the last training decision that counts for the cool-down.
        open_alarms: Those of this look that nobody accepted.
        trained_until: Cutoff of the training that the champion comes from; None where no decision is on record.
        growth: See airloop.watch.triggers.trigger.Looks.
        takes_back: Why probation takes the champion back; empty where it does not.
    """

    before: tuple[Monitored, ...] = ()
    last_decision_at: datetime | None = None
    open_alarms: tuple[RaisedAlarm, ...] = ()
    trained_until: datetime | None = None
    growth: float | None = None
    takes_back: str = ""


def triage_window(monitored: Monitored, known: Known, watched: Monitoring) -> Action:
    """Decide what the newest monitored window calls for; pure.

    The first rule that applies decides:

    - `nothing`: the record's origin is not `live`: evidence of a backfill triggers no training.
    - `nothing`: an alarm of this window was answered by `excluded`: its rows are wrong, and so is what they show.
    - `held`: an alarm about the data of this window is open: what monitoring measured may be its effect, and a training
      would learn from it. Only an answer ends it, or the window built again without it.
    - `take_back`: this look measured the promotion of the champion, it is surely worse than the version it replaced,
      and `gate.probation` is declared. No training is asked for: the next look judges the version in force again.
    - `held`: an alarm about the champion's own figures is open, and the window before shows none, or no trigger sees
      in this window what it looks for: either something is wrong that nobody has found yet, or no training mends it.
    - `not_enough_data`: no trigger has enough data to say anything (of the probe: airloop.watch.triggers.probe).
    - `cooling_down`: window.end - last_decision_at < cool_down_days; exactly that long ago is over. Without a decision
      there is no cool-down.
    - `retrain`: a declared trigger fires; of several the first. `reason_key` names reason, version and window end, so
      that one training answers it; `cutoff` is the window's end.
    - `nothing`: none fires.

    So by what a window shows, its alarms, and those of the window before:

    | alarms of this window | the window before | a trigger | outcome |
    |---|---|---|---|
    | none, or all accepted | any | fires | retrain |
    | none, or all accepted | any | does not | nothing, not_enough_data |
    | about the data | any | any | held |
    | one answered by excluded | any | any | nothing |
    | figures only | none | any | held, until an answer or the next window |
    | figures only | figures only | fires on what it sees | retrain: it lasts, nothing is wrong with the data |
    | figures only | figures only | sees nothing | held: a training would not mend it |
    | figures only | about the data | any | held |

    A trigger reads the looks of the same champion version (a gain over an old champion says nothing about the new one)
    that share no row, live ones only. A window counts once, by its newest record; one whose evidence overlaps a newer
    one's does not count. One with an alarm nobody accepted keeps its place and shows nothing, unless it is about the
    champion's figures and this window shows one too.

    The window before, of the table, is the newest that ended by this one's start and at least `probe_days` before its
    end: looks a day apart judge nearly the same rows, and say nothing about what lasts.

    Raises:
        ConfigError: A trigger of the pipeline's own cannot be built, or fails.
    """
    judged = ask(watched, _looks(monitored, known, watched))
    cooling = _cooling(monitored, watched.policy.cool_down_days, known.last_decision_at)
    before = looks_before.lasting(monitored, known.before, watched.probe_days)
    why_held = holds.why_held(known.open_alarms, before, gains=any(item.verdict.shows for item in judged))
    first = next((item for item in judged if item.verdict.kind == "retrain"), None)
    whys = "; ".join(item.verdict.why for item in judged)
    if monitored.origin != "live":
        kind, why = "nothing", f"evidence of a {monitored.origin} triggers no training"
    elif excluded := [item for item in known.open_alarms if not item.open]:
        kind, why = "nothing", f"the window's rows are excluded: alarm {excluded[0].id}, {excluded[0].alarm.kind}"
    elif known.takes_back and not any(map(holds.is_about_data, known.open_alarms)):
        kind, why = TAKE_BACK, f"probation takes version {monitored.version} back: {known.takes_back}"
    elif why_held:
        kind, why = "held", why_held
    elif all(item.verdict.kind == "not_enough_data" for item in judged):
        kind, why = "not_enough_data", f"not enough data: {whys}"
    elif cooling:
        kind, why = "cooling_down", f"cooling down: {cooling}"
    elif first is None:
        kind, why = "nothing", whys
    else:
        return _retrain(monitored, first)
    return Action(kind, why, "", monitored.window.end, evidence_of([monitored], watched.policy))


def _retrain(monitored: Monitored, first: TriggerAnswer) -> Action:
    return Action(
        kind="retrain",
        why=first.verdict.why,
        reason_key=first.key(monitored),
        cutoff=monitored.window.end,
        evidence=first.verdict.evidence,
        reason="" if first.reason == Probe.reason else first.reason,
    )


def _looks(monitored: Monitored, known: Known, watched: Monitoring) -> Looks:
    records = (monitored, *looks_before.apart(monitored, known.before))
    believed = [holds.counts(record, newest_alarms=known.open_alarms) for record in records[1:]]
    return Looks(records, (True, *believed), watched.policy, known.trained_until, known.growth)


def _cooling(record: Monitored, cool_down_days: int, last_decision_at: datetime | None) -> str:
    if last_decision_at is None:
        return ""
    days = (record.window.end - last_decision_at) / timedelta(days=1)
    if days >= cool_down_days:
        return ""
    return f"the last decision was {days:.1f} days before, {cool_down_days} must pass"


def triage(at: Deployment, window: Window, reads: Known, *, monitored: Monitored) -> Action:
    """Judge a monitored window against the stored history, and put the outcome on record.

    Writes one `triage` entry, which also says when the labels of the judged rows matured (`judged`); the same outcome
    for the same window and version adds none. What a promotion gained, where this look measured it, is an entry of its
    own (`measured`); with an alarm about its rows that nobody accepted it says nothing, and a later look measures.
    """
    pipeline, settings = at.pipeline, at.settings
    if not any(map(holds.is_about_data, reads.open_alarms)):
        after_promotion.put_on_record(pipeline, monitored, settings)
    action = triage_window(monitored, reads, pipeline.monitoring)
    payload = ledger.payload_of(action) | {"version": monitored.version, "window": monitored.window.to_json()}
    if not action.reason:
        del payload["reason"]
    payload["judged"] = monitored.evidence.to_json()
    draft = Draft(monitored.window.end, payload)
    entry = ledger.append_once(
        settings,
        pipeline.name,
        kind="triage",
        make=lambda entries: next((item for item in entries if item.payload == payload), draft),
        kinds=["triage"],
        effective_at=monitored.window.end,
    )
    where = f"ledger entry {entry.sequence}, hash {entry.hash}"
    logger.info("%s %s: %s: %s (%s)", pipeline.name, window, action.kind, action.why, where)
    return replace(action, sequence=entry.sequence)


def inputs(at: Deployment, _window: Window, *, monitored: Monitored) -> Known:
    """What the outcome depends on beyond the window's own record: the windows before it, alarms, decisions."""
    return _known(at.pipeline, monitored, at.settings)


def _known(pipeline: Pipeline, monitored: Monitored, settings: Settings) -> Known:
    """The windows before, with the alarms nobody accepted, and what was decided until this window's end.

    A decision that answered this very window does not count for the cool-down: a rerun has to see what the first run
    saw. Nor does one that an obstacle refused, and not the model: the next window asks again.
    """
    place, watched = (pipeline, monitored.version, settings), pipeline.monitoring
    lasting = monitored.window.end - timedelta(days=watched.probe_days)
    history = [
        *past.apart(*place, until=min(lasting, monitored.window.start), number=1),
        *past.apart(*place, until=monitored.evidence.start, number=looks_read(watched)),
    ]
    noticed = holds.not_accepted(pipeline, [monitored, *history], settings)
    history = [replace(record, alarms=holds.as_noticed(noticed[record.window])) for record in history]
    decisions = ledger.intact_history(settings, pipeline.name)
    decided_at = _last_decision_at(decisions, monitored)
    return Known(
        before=tuple(history),
        last_decision_at=decided_at,
        open_alarms=noticed[monitored.window],
        trained_until=_trained_until(decisions, monitored.version),
        growth=learned_growth(pipeline, decided_at, monitored.window.end),
        takes_back=after_promotion.why_taken_back(pipeline, monitored, decisions),
    )


def _last_decision_at(decisions: History, monitored: Monitored) -> datetime | None:
    counted = (
        entry.effective_at
        for entry in decisions.of("decision")
        if entry.effective_at <= monitored.window.end
        and not is_key_of(entry.payload["reason_key"], monitored)
        and not entry.payload.get("outside_model", False)
    )
    return max(counted, default=None)


def _trained_until(decisions: History, version: int) -> datetime | None:
    decision = decisions.newest_decision_on(decisions.judged(version))
    return None if decision is None else decision.effective_at
