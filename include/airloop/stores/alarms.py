"""Alarms: which are open, what they hold, and how a person answers one.

A stage puts the alarms of its window into its record. The newest record of a window counts: where the files were
mended and the window was built again without the alarm, it is closed. Until then it holds trainings whose rows the
window covers, and triage asks for none on its evidence. A person closes it by an answer, a line of the ledger:
`accepted` (the data are right, train on them) or `excluded` (they are wrong and stay so: leave the window's rows out).
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from airloop.config import Pipeline
from airloop.config.nearest import nearest
from airloop.errors import ConfigError, DataContractError, GuardRefused
from airloop.records import Alarm, Record, Window
from airloop.records.digests import digest
from airloop.records.person_texts import require_reason, require_text
from airloop.settings import Settings
from airloop.stores import ledger, state
from airloop.stores.ledger import Draft, Entry

logger = logging.getLogger(__name__)

ACCEPTED, EXCLUDED = "accepted", "excluded"
ANSWERS = (ACCEPTED, EXCLUDED)
DATA_STAGES = ("arrive", "ingest", "validate_raw", "validate_features")
MONITOR = "monitor"
ROW_STAGES = (*DATA_STAGES, MONITOR)
STAGES = (*ROW_STAGES, "serving")
"""Whose records hold alarms; `serving` is the prediction service, about a champion that it cannot load."""

_ID_LENGTH = 10
_SHOWN = 3


@dataclass(frozen=True)
class RaisedAlarm(Record):
    """An alarm of a window, and how it was answered.

    Attributes:
        id: Ten hexadecimal digits made of pipeline, window, kind and subject: a window built again raises the same one.
        answer: `accepted`, `excluded`, or empty while it is open.
    """

    id: str
    stage: str
    window: Window
    alarm: Alarm
    answer: str = ""

    @property
    def open(self) -> bool:
        """Whether nobody answered it."""
        return not self.answer


def alarm_id(pipeline_name: str, window: Window, alarm: Alarm) -> str:
    """The id of an alarm: equal for the same kind and subject of the same window."""
    return digest([pipeline_name, window.to_json(), alarm.kind, alarm.subject])[:_ID_LENGTH]


def raised(
    pipeline: Pipeline, settings: Settings, *, span: Window | None = None, stages: Sequence[str] = STAGES
) -> tuple[RaisedAlarm, ...]:
    """The alarms in the newest record of every window of the stages, oldest window first.

    Args:
        span: Only windows that overlap it; None for all.
    """
    answers = _answers(ledger.entries(settings, pipeline.name, kind="answered"))
    evidence = timedelta(days=pipeline.monitoring.over_days)
    # What was accepted of an earlier look may hold in the span.
    longer = span and Window(span.start - evidence, span.end)
    items = []
    for stage, window, alarm in _newest(settings, pipeline.name, stages, longer):
        key = alarm_id(pipeline.name, window, alarm)
        items.append(RaisedAlarm(key, stage, window, alarm, answers.get(key, "")))
    items.sort(key=lambda item: (item.window.start, item.window.end, item.id))
    return tuple(item for item in _accepted_before(items, evidence) if span is None or _overlap(item.window, span))


def _accepted_before(raised: Sequence[RaisedAlarm], evidence: timedelta) -> Iterator[RaisedAlarm]:
    """The alarms, oldest first; what was accepted of a look is accepted of those after it that share its evidence.

    Looks that follow each other judge the same rows, and say the same of them: one answer is enough.
    """
    accepted: dict[tuple[str, str], datetime] = {}
    for item in raised:
        about = (item.alarm.kind, item.alarm.subject)
        if item.stage == MONITOR and item.answer == ACCEPTED:
            accepted[about] = item.window.end
        shared = item.stage == MONITOR and about in accepted and accepted[about] > item.window.end - evidence
        yield replace(item, answer=ACCEPTED) if shared and item.open else item


def _overlap(window: Window, span: Window) -> bool:
    return window.start < span.end and span.start < window.end


def announce(pipeline: Pipeline, stage: str, window: Window, noticed: Sequence[Alarm], settings: Settings) -> None:
    """Write each alarm of a stage into log and ledger, once; then fail the window where the declaration says so.

    Raises:
        DataContractError: `validation.fail_on` names the kind of an alarm that was not accepted.
    """
    failing = []
    answers = _answers(ledger.entries(settings, pipeline.name, kind="answered")) if noticed else {}
    for alarm in noticed:
        key = alarm_id(pipeline.name, window, alarm)
        payload = {"alarm": key, "stage": stage, "window": window.to_json(), "kind": alarm.kind}
        payload |= {"subject": alarm.subject, "why": alarm.says}
        _append(settings, pipeline.name, "alarm", window, payload)
        logger.warning(
            "%s %s: ALARM %s %s of %s: %s", pipeline.name, window, key, alarm.kind, alarm.subject, alarm.says
        )
        if alarm.kind in pipeline.validation.fail_on and answers.get(key) != ACCEPTED:
            failing.append(f"{alarm.says} ({_way_out(pipeline.name, key)})")
    if failing:
        more = f" (and {len(failing) - 1} more)" if len(failing) > 1 else ""
        raise DataContractError(f"{pipeline.name} {window}: {failing[0]}{more}; validation.fail_on names this kind")


def holding(pipeline: Pipeline, span: Window, settings: Settings) -> tuple[RaisedAlarm, ...]:
    """The alarms of a span that hold trainings on its rows while they are open."""
    return tuple(item for item in raised(pipeline, settings, span=span) if item.alarm.holds_training)


def excluded_windows(pipeline: Pipeline, span: Window, raised_alarms: Sequence[RaisedAlarm]) -> tuple[Window, ...]:
    """Windows within the span whose rows nobody trains on, because an alarm was answered by `excluded`; pure.

    Args:
        raised_alarms: See `holding`, of this span or a longer one.

    Raises:
        GuardRefused: An alarm of the span that holds trainings is open; the message names it and both ways out.
    """
    alarms = [item for item in raised_alarms if _overlap(item.window, span)]
    waiting = [item for item in alarms if item.open]
    if waiting:
        shown = "\n".join(f"  {item.id} {item.window}: {item.alarm.says}" for item in waiting[:_SHOWN])
        more = f"\n  ... and {len(waiting) - _SHOWN} more" if len(waiting) > _SHOWN else ""
        raise GuardRefused(
            f"{pipeline.name}: {_open(len(waiting))} on rows of {span}:\n{shown}{more}\n"
            f"  mend the files, and the window is built again; or {_way_out(pipeline.name, waiting[0].id)}"
        )
    return tuple(item.window for item in alarms if item.answer == EXCLUDED)


def _open(number: int) -> str:
    return "1 open alarm holds trainings" if number == 1 else f"{number} open alarms hold trainings"


def past_answers(pipeline: Pipeline, span: Window, settings: Settings) -> tuple[tuple[Window, ...], int]:
    """The windows that `excluded_windows` returns, and how many alarms that hold trainings are open."""
    alarms = holding(pipeline, span, settings)
    return tuple(item.window for item in alarms if item.answer == EXCLUDED), sum(item.open for item in alarms)


def answer(settings: Settings, pipeline: Pipeline, key: str, *, word: str, why: str, who: str) -> Entry:
    """Put a person's answer to an alarm into the ledger; the same answer twice adds nothing, a later one replaces it.

    Args:
        word: `accepted`: train on the rows; `excluded`: leave the window's rows out of every training.

    Raises:
        ConfigError: No such alarm, an unknown answer, or no reason.
    """
    # The ledger knows those too whose window failed, so that its stage left no record.
    entries = ledger.entries(settings, pipeline.name, kind="alarm")
    known = {entry.payload["alarm"]: entry for entry in entries if "alarm" in entry.payload}
    if key not in known:
        raise ConfigError(
            f"{pipeline.name} has no alarm {key!r}{nearest(key, known)}; see `airloop alarms list {pipeline.name}`"
        )
    if word not in ANSWERS:
        raise ConfigError(f"{word!r} is not an answer{nearest(word, ANSWERS)} (answers: {', '.join(ANSWERS)})")
    reason = require_reason(why, "--why 'the supplier changed its clock, the values are right'")
    about = known[key].payload
    payload = {
        "alarm": key,
        "answer": word,
        "why": reason,
        "who": require_text(who, "the name of who answers"),
        "about": about["why"],
    }
    return _append(settings, pipeline.name, "answered", Window.from_json(about["window"]), payload)


def _way_out(pipeline_name: str, key: str) -> str:
    return f"answer: airloop alarms answer {pipeline_name} {key} --as accepted|excluded --why '...'"


def _append(settings: Settings, pipeline_name: str, kind: str, window: Window, payload: dict[str, Any]) -> Entry:
    """The newest entry about this alarm, when it says the same; else a new one."""

    def make(entries: tuple[Entry, ...]) -> Entry | Draft:
        about = [entry for entry in entries if entry.payload.get("alarm") == payload["alarm"]]
        return about[-1] if about and about[-1].payload == payload else Draft(window.end, payload)

    return ledger.append_once(settings, pipeline_name, kind=kind, make=make, kinds=[kind], effective_at=window.end)


def _answers(entries: Sequence[Entry]) -> dict[str, str]:
    # An entry that lacks one of the two answers nothing: its alarm stays open.
    whole = [entry.payload for entry in entries if {"alarm", "answer"} <= entry.payload.keys()]
    return {payload["alarm"]: payload["answer"] for payload in whole}


def _newest(
    settings: Settings, pipeline_name: str, stages: Sequence[str], span: Window | None
) -> list[tuple[str, Window, Alarm]]:
    return [
        (stage, Window.from_json(record["window"]), Alarm.from_json(alarm))
        for stage, record in state.alarmed_records(settings, pipeline_name, stages, overlapping=span)
        for alarm in record.get("alarms", ())
    ]
