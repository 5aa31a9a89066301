"""What there is to tell, by the records and the ledger: open alarms, what triage asks for, what the gate decided."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from airloop.config import Pipeline
from airloop.config.dag_ids import dag_of
from airloop.records import Alert, Window
from airloop.settings import Settings
from airloop.stores import alarms, ledger, state
from airloop.stores.alarms import RaisedAlarm
from airloop.stores.ledger import TAKES_BACK, Entry

KINDS = {
    "run_failed": "a run of one of the pipeline's DAGs failed",
    "paused": "a DAG is paused while a window of its calendar is due",
    "source_stalled": "the newest window that ended has no data",
    "data_fault": "an alarm about what landed, which nobody answered",
    "champion": "an alarm about the champion's own figures, which nobody answered",
    "retraining": "triage asked for a training, and no decision has answered it",
    "refused": "the gate refused a candidate",
    "promoted": "another champion is in force",
    "taken_back": "a promotion lost on its first rows: probation took it back, or could not",
}
"""Kind of alert -> what it says."""

STATE_KINDS = ("data_fault", "champion", "retraining", "refused", "promoted", "taken_back")
"""The kinds that `of_state` finds: one of them that it does not find is over."""

_NEWEST_WINDOWS = 12
_NEWS = timedelta(days=2)
_END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)
_UNDER_FLOOR = "performance"


def of_state(pipeline: Pipeline, settings: Settings, *, now: datetime) -> tuple[Alert, ...]:
    """All that records and ledger call for, of the newest windows and of entries of the last two days (wall clock)."""
    return (
        *_alarms(pipeline, settings),
        *_asked_for(pipeline, settings),
        *_decided(pipeline, settings, now),
        *_on_probation(pipeline, settings, now),
    )


def run_failed(dag_id: str, run_id: str, *, why: str, link: str) -> Alert:
    """The alert of a failed run; the next run of the same DAG that succeeds ends it."""
    return Alert(
        kind="run_failed",
        cause=f"run_failed:{dag_id}",
        severity="critical",
        what=f"{dag_id} failed",
        why=why,
        evidence=f"run {run_id}",
        link=link,
        to_do="Open the run: the failed task's log names the cause and the way out. Mend it, then clear the task.",
    )


def _alarms(pipeline: Pipeline, settings: Settings) -> Iterator[Alert]:
    """One alert for all open alarms of a kind and subject: a fault that lasts over windows is one cause."""
    same: dict[tuple[str, str], list[RaisedAlarm]] = defaultdict(list)
    for stage in alarms.STAGES:
        newest = state.records_before(settings, pipeline.name, stage, end=_END_OF_TIME, limit=_NEWEST_WINDOWS)
        windows = [Window.from_json(record["window"]) for record in newest]
        if not any(record.get("alarms") for record in newest):
            continue
        span = Window(min(window.start for window in windows), max(window.end for window in windows))
        for item in alarms.raised(pipeline, settings, span=span, stages=(stage,)):
            if item.open:
                same[item.alarm.kind, item.alarm.subject].append(item)
    for (kind, subject), items in same.items():
        yield _of_alarm(pipeline, kind, subject, items)


def _of_alarm(pipeline: Pipeline, kind: str, subject: str, items: list[RaisedAlarm]) -> Alert:
    newest = items[-1]
    of_champion = newest.stage == "monitor"
    holds = "trainings on these rows wait" if newest.alarm.holds_training else "trainings go on"
    have = "has" if len(items) == 1 else "have"
    return Alert(
        kind="champion" if of_champion else "data_fault",
        cause=f"alarm:{kind}:{subject}"[:300],
        severity="critical" if of_champion and kind == _UNDER_FLOOR else "warning",
        what=f"{kind.replace('_', ' ')} of {subject} in {_span(newest.window)}",
        why=newest.alarm.says,
        evidence=f"alarm {newest.id}; {len(items)} of the newest windows {have} it; {holds}",
        link=f"airloop/pipelines/{pipeline.name}",
        to_do=f"Mend the files and the window is built again; or `airloop alarms answer {pipeline.name} {newest.id} "
        "--as accepted|excluded --why '...'`",
    )


def _span(window: Window) -> str:
    """`2013-02-04 to 2013-02-11`; with their time of day where a bound is no midnight."""
    whole_days = all(bound.time() == bound.min.time() for bound in (window.start, window.end))
    form = "%Y-%m-%d" if whole_days else "%Y-%m-%dT%H:%MZ"
    return f"{window.start:{form}} to {window.end:{form}}"


def _asked_for(pipeline: Pipeline, settings: Settings) -> Iterator[Alert]:
    triaged = ledger.newest(settings, pipeline.name, "triage")
    decided = ledger.newest(settings, pipeline.name, "decision")
    if triaged is None or triaged.payload.get("kind") != "retrain" or (decided and decided.sequence > triaged.sequence):
        return
    yield Alert(
        kind="retraining",
        cause=f"retraining:{triaged.payload.get('reason_key') or triaged.sequence}",
        severity="info",
        what=f"a training is asked for, up to {triaged.effective_at:%Y-%m-%dT%H:%MZ}",
        why=str(triaged.payload.get("why", "")),
        evidence=f"ledger entry {triaged.sequence}",
        link=_ledger_link(pipeline, triaged),
        to_do=f"Nothing: {dag_of(pipeline.name, 'training')} runs by itself. "
        "Without a run there, see that it is not paused.",
    )


def _decided(pipeline: Pipeline, settings: Settings, now: datetime) -> Iterator[Alert]:
    decision, done = (ledger.newest(settings, pipeline.name, kind) for kind in ("decision", "done"))
    if decision and decision.payload.get("outcome") == "refused" and now - decision.recorded_at < _NEWS:
        by_loop = decision.payload.get("reason") in ("probe", "trigger")
        yield Alert(
            kind="refused",
            cause=f"decision:{decision.sequence}",
            severity="warning" if by_loop else "info",
            what=f"the gate refused version {decision.payload.get('version', '?')}",
            why=str(decision.payload.get("why", "")),
            evidence=f"ledger entry {decision.sequence}, reason {decision.payload.get('reason', '?')}",
            link=_ledger_link(pipeline, decision),
            to_do="The champion stays. The decision's page says which rule refused, and what was missing.",
            ends=False,
        )
    if done and now - done.recorded_at < _NEWS:
        version, previous = done.payload.get("version", "?"), done.payload.get("previous_version")
        yield Alert(
            kind="promoted",
            cause=f"done:{done.sequence}",
            severity="info",
            what=f"version {version} is champion" + (f" in place of {previous}" if previous else ", the first one"),
            why=f"decision {done.payload.get('decision_sequence', '?')} passed",
            evidence=f"ledger entry {done.sequence}; in force for windows from {done.effective_at:%Y-%m-%dT%H:%MZ} on",
            link=_ledger_link(pipeline, done),
            to_do="Nothing.",
            ends=False,
        )


def _on_probation(pipeline: Pipeline, settings: Settings, now: datetime) -> Iterator[Alert]:
    """A promotion that lost, by its number: taken back, or why it stays."""
    newest = (ledger.newest(settings, pipeline.name, kind) for kind in ("rolled_back", "not_taken_back"))
    for entry in newest:
        if entry is None or TAKES_BACK not in entry.payload or now - entry.recorded_at >= _NEWS:
            continue
        is_back, version = entry.kind == "rolled_back", entry.payload.get("version", "?")
        lost = entry.payload.get("previous_version", "?") if is_back else version
        yield Alert(
            kind="taken_back",
            cause=f"{entry.kind}:{entry.sequence}",
            severity="warning" if is_back else "critical",
            what=f"version {version} is champion again in place of {lost}"
            if is_back
            else f"version {lost} lost and stays",
            why=str(entry.payload.get("why", "")),
            evidence=f"ledger entry {entry.sequence}, by probation; promotion {entry.payload[TAKES_BACK]}",
            link=_ledger_link(pipeline, entry),
            to_do="Nothing: the loop goes on, and promotions are not locked."
            if is_back
            else f"Go back by hand: `airloop rollback {pipeline.name} --to VERSION --why '...'`, or train another.",
            ends=False,
        )


def _ledger_link(pipeline: Pipeline, entry: Entry) -> str:
    return f"airloop/pipelines/{pipeline.name}/ledger#entry-{entry.sequence}"
