"""A live pipeline's paused DAG and stalled source are told once they are due; one of the past is late for nothing."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.support import toy

from airloop.config import Pipeline
from airloop.records import Ingested, Window
from airloop.settings import Settings
from airloop.stores import state
from airloop.watch.alerts import of_calendar
from airloop.watch.alerts.due import due_window

LIVE = datetime(2020, 2, 10, 9, tzinfo=UTC)
DUE = toy.days(38, 39)


def kinds(settings: Settings, now: datetime, *paused: str) -> list[str]:
    pipeline = toy.toy_pipeline(settings)
    found = of_calendar(pipeline, settings, now=now, is_paused=lambda dag_id: dag_id in paused)
    return [alert.cause for alert in found]


def ingested(settings: Settings, window: Window) -> None:
    record = Ingested(window, (), (), ()).to_json()
    state.save_record(settings, "toy", "ingest", input_key=f"{window}", window=window, record=record)


def test_a_window_is_due_when_it_ended_a_period_ago(toy_settings: Settings) -> None:
    assert due_window(toy.toy_pipeline(toy_settings), LIVE) == DUE
    assert due_window(toy.toy_pipeline(toy_settings), toy.START + timedelta(hours=30)) is None


@pytest.mark.parametrize(
    ("calendar", "now", "end"),
    [
        ("hourly", "2020-02-10T09:59", "2020-02-10T08:00"),
        ("hourly", "2020-02-10T09:00", "2020-02-10T08:00"),
        ("daily", "2020-02-10T23:59", "2020-02-09T00:00"),
        ("weekly", "2020-02-10T23:59", "2020-02-03T00:00"),
        ("weekly", "2020-02-11T00:00", "2020-02-10T00:00"),
    ],
)
def test_the_patience_is_a_period_of_an_hour_to_a_day(
    toy_settings: Settings, calendar: str, now: str, end: str
) -> None:
    pipeline = toy.toy_pipeline(toy_settings).model_copy(update={"calendar": calendar})
    window = due_window(pipeline, datetime.fromisoformat(f"{now}+00:00"))
    assert window is not None
    assert window.end == datetime.fromisoformat(f"{end}+00:00")


def test_a_source_that_delivered_nothing_is_told_and_one_that_did_is_not(toy_settings: Settings) -> None:
    assert kinds(toy_settings, LIVE) == ["source_stalled"]
    ingested(toy_settings, DUE)
    assert kinds(toy_settings, LIVE) == []


def test_a_dag_that_is_paused_when_due_is_told_by_name(toy_settings: Settings) -> None:
    ingested(toy_settings, DUE)
    assert kinds(toy_settings, LIVE, "toy__scoring") == ["paused:toy__scoring"]


def test_a_paused_data_dag_is_the_cause_and_not_its_source(toy_settings: Settings) -> None:
    assert kinds(toy_settings, LIVE, "toy__data") == ["paused:toy__data"]


@pytest.mark.parametrize("now", [datetime(2026, 1, 1, tzinfo=UTC), datetime(2019, 1, 1, tzinfo=UTC)])
def test_a_pipeline_of_another_time_is_late_for_nothing(toy_settings: Settings, now: datetime) -> None:
    assert kinds(toy_settings, now, "toy__data", "toy__scoring") == []


def test_the_first_window_is_due_only_when_it_has_ended(toy_settings: Settings) -> None:
    pipeline: Pipeline = toy.toy_pipeline(toy_settings)
    assert due_window(pipeline, toy.START + timedelta(days=2, hours=1)) == toy.days(0, 1)
