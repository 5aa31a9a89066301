"""What records and ledger call for: one alert a cause, over when the cause is, and none where nothing is wrong."""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from tests.support import ledger_entries, toy

from airloop.config.alerts import AlertKind
from airloop.records import Alarm, Alert, Ingested, Window
from airloop.settings import Settings
from airloop.stores import alarms, alerts, ledger, state
from airloop.stores.alarms import alarm_id
from airloop.watch.alerts import KINDS, of_state, tell

SIZE = Alarm("unit_change", "jobs.size", "jobs.size looks like a unit change (x 60)", observed=60.0, expected=1.0)
FLOOR = Alarm("performance", "roc_auc", "ROC-AUC 0.40 lies under the gate's floor 0.70", 0.4, 0.7)
NOW = datetime.now(UTC)
AT = toy.START + timedelta(days=30)


def noticed(settings: Settings, window: Window, *found: Alarm, stage: str = "ingest", key: str = "a") -> None:
    pipeline = toy.toy_pipeline(settings)
    alarms.announce(pipeline, stage, window, found, settings)
    record = Ingested(window, (), (), (), alarms=found)
    state.save_record(settings, "toy", stage, input_key=f"{key}{window}", window=window, record=record.to_json())


def found(settings: Settings) -> tuple[Alert, ...]:
    return of_state(toy.toy_pipeline(settings), settings, now=NOW)


def update(settings: Settings, **more: Any) -> list[str]:
    tell(toy.toy_pipeline(settings), settings, now=NOW, send=lambda *_sent: None, **more)
    return [kept.alert.cause for kept in alerts.open_alerts(settings, "toy")]


def test_where_nothing_is_wrong_there_is_nothing_to_tell(toy_settings: Settings) -> None:
    assert found(toy_settings) == ()
    noticed(toy_settings, toy.days(0, 1))
    assert found(toy_settings) == ()
    assert update(toy_settings) == []


def test_an_open_alarm_is_one_cause_over_all_its_windows(toy_settings: Settings) -> None:
    for day in (1, 2, 3):
        noticed(toy_settings, toy.days(day, day + 1), SIZE)
    (alert,) = found(toy_settings)
    newest = alarm_id("toy", toy.days(3, 4), SIZE)
    assert (alert.kind, alert.severity, alert.why) == ("data_fault", "warning", SIZE.says)
    assert f"alarm {newest}; 3 of the newest windows have it" in alert.evidence
    assert alert.what == "unit change of jobs.size in 2020-01-04 to 2020-01-05"
    assert f"airloop alarms answer toy {newest} --as accepted|excluded" in alert.to_do


def test_an_alarm_that_is_answered_or_mended_is_over(toy_settings: Settings) -> None:
    window = toy.days(1, 2)
    noticed(toy_settings, window, SIZE)
    assert update(toy_settings) == ["alarm:unit_change:jobs.size"]
    alarms.answer(
        toy_settings,
        toy.toy_pipeline(toy_settings),
        alarm_id("toy", window, SIZE),
        word="accepted",
        why="right",
        who="ada",
    )
    assert update(toy_settings) == []
    other = dataclasses.replace(SIZE, subject="heat.celsius")
    noticed(toy_settings, window, other, key="b")
    assert update(toy_settings) == ["alarm:unit_change:heat.celsius"]
    noticed(toy_settings, window, key="c")
    assert update(toy_settings) == []


def test_a_champion_under_its_floor_is_critical_and_stands_first(toy_settings: Settings) -> None:
    noticed(toy_settings, toy.days(1, 2), SIZE)
    noticed(toy_settings, toy.days(1, 2), FLOOR, stage="monitor")
    update(toy_settings)
    kept = alerts.open_alerts(toy_settings, "toy")
    assert [(item.alert.kind, item.alert.severity) for item in kept] == [
        ("champion", "critical"),
        ("data_fault", "warning"),
    ]


def test_a_training_that_is_asked_for_is_over_with_the_decision(toy_settings: Settings) -> None:
    payload = {"kind": "retrain", "why": "the probe gains", "reason_key": "probe:1"}
    ledger.append(toy_settings, "toy", kind="triage", effective_at=AT, payload=payload)
    (alert,) = found(toy_settings)
    assert (alert.kind, alert.severity, alert.why) == ("retraining", "info", "the probe gains")
    assert update(toy_settings) == ["retraining:probe:1"]
    made = ledger_entries.decision(1, at=AT, outcome="refused", why="no gain", reason="probe")
    ledger_entries.record(toy_settings, "toy", made)
    assert update(toy_settings) == []
    assert [(alert.kind, alert.severity, alert.why) for alert in found(toy_settings)] == [
        ("refused", "warning", "no gain")
    ]


def test_a_refusal_somebody_asked_for_by_hand_is_news_and_no_warning(toy_settings: Settings) -> None:
    made = ledger_entries.decision(1, at=AT, outcome="refused", why="no gain")
    ledger_entries.record(toy_settings, "toy", made)
    assert [alert.severity for alert in found(toy_settings)] == ["info"]


def test_a_promotion_is_news_once_and_old_entries_are_none(toy_settings: Settings) -> None:
    ledger_entries.put_in_force(toy_settings, "toy", 1, AT)
    (alert,) = found(toy_settings)
    assert (alert.kind, alert.what, alert.ends) == ("promoted", "version 1 is champion, the first one", False)
    assert update(toy_settings) == []
    late = of_state(toy.toy_pipeline(toy_settings), toy_settings, now=NOW + timedelta(days=3))
    assert late == ()


def test_the_kinds_are_those_that_a_route_may_name() -> None:
    assert set(KINDS) == set(get_args(AlertKind))


def test_entries_that_lack_keys_break_nothing(toy_settings: Settings) -> None:
    for kind in ("triage", "decision", "done"):
        ledger.append(toy_settings, "toy", kind=kind, effective_at=AT, payload={})
    assert [alert.kind for alert in found(toy_settings)] == ["promoted"]
