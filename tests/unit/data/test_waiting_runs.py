"""Windows that wait together are one data run; none is started twice in two groupings, and none waits for another."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.support import hourly, pages_stand, toy
from tests.support.inbox_files import ingest_toy

from airloop.config import Pipeline, calendar_windows, load_pipeline
from airloop.config.calendar import Calendar
from airloop.data import inbox, waiting_runs
from airloop.data.inbox import Waiting
from airloop.data.waiting_runs import WaitingRun
from airloop.errors import DataContractError
from airloop.records import Window
from airloop.settings import Settings, load_settings

HOUR = timedelta(hours=1)
LATER = toy.START + timedelta(days=400)


def hours(first: int, end: int) -> Window:
    return Window(toy.START + first * HOUR, toy.START + end * HOUR)


@pytest.fixture
def pipeline(toy_settings: Settings) -> Pipeline:
    return hourly.declare(toy_settings, files="{day}T{hour}.csv")


def land(settings: Settings, *numbers: int, celsius: str = "50.0") -> None:
    for number in numbers:
        at = toy.START + number * HOUR
        line = hourly.heat(at).replace("50.0", celsius)
        hourly.land(settings, "heat", at, [line], name=f"{at:%Y-%m-%dT%H}.csv")


def runs(pipeline: Pipeline, settings: Settings, now: datetime = LATER) -> tuple[WaitingRun, ...]:
    return waiting_runs.waiting_runs(pipeline, settings, now=now)


def spans(pipeline: Pipeline, settings: Settings, now: datetime = LATER) -> list[Window]:
    return [run.over for run in runs(pipeline, settings, now)]


def take(pipeline: Pipeline, settings: Settings, over: Window) -> None:
    """As a data run does: a record of each window."""
    for number in range((over.end - over.start) // HOUR):
        ingest_toy(settings, pipeline, Window(over.start + number * HOUR, over.start + (number + 1) * HOUR))


def put_in_force(settings: Settings, at: datetime) -> None:
    pages_stand.promote(settings, 1, pages_stand.decide(settings, 1, at=at), at=at)


def test_nothing_waits_in_an_empty_folder(pipeline: Pipeline, toy_settings: Settings) -> None:
    assert runs(pipeline, toy_settings) == ()


def test_an_hour_that_is_alone_is_started_alone_and_at_once(pipeline: Pipeline, toy_settings: Settings) -> None:
    for number in range(5):
        land(toy_settings, number)
        (waiting,) = inbox.waiting_windows(pipeline, toy_settings)
        (run,) = runs(pipeline, toy_settings)
        assert (run.over, run.run_id) == (hours(number, number + 1), waiting.run_id)
        take(pipeline, toy_settings, run.over)
        assert runs(pipeline, toy_settings) == ()


def test_hours_that_wait_together_are_one_run_up_to_the_end_of_the_day(
    pipeline: Pipeline, toy_settings: Settings
) -> None:
    put_in_force(toy_settings, toy.START)
    land(toy_settings, *range(20, 50))
    assert spans(pipeline, toy_settings) == [hours(20, 24), hours(24, 48), hours(48, 50)]


def test_where_no_version_is_in_force_a_run_goes_on_to_the_end_of_the_week(
    pipeline: Pipeline, toy_settings: Settings
) -> None:
    # The toy begins on a Wednesday.
    put_in_force(toy_settings, hours(0, 150).end)
    land(toy_settings, *range(20, 175))
    assert spans(pipeline, toy_settings) == [hours(20, 120), hours(120, 150), hours(150, 168), hours(168, 175)]


def test_hours_apart_are_runs_of_their_own(pipeline: Pipeline, toy_settings: Settings) -> None:
    land(toy_settings, 1, 2, 5, 6, 7)
    assert spans(pipeline, toy_settings) == [hours(1, 3), hours(5, 8)]


def test_what_was_started_together_stays_one_run_when_another_hour_lands(
    pipeline: Pipeline, toy_settings: Settings
) -> None:
    land(toy_settings, *range(6))
    (first,) = runs(pipeline, toy_settings)
    land(toy_settings, 6)
    assert spans(pipeline, toy_settings) == [hours(0, 6), hours(6, 7)]
    # Half of the run is through.
    take(pipeline, toy_settings, hours(0, 3))
    land(toy_settings, 7)
    assert [run.over for run in runs(pipeline, toy_settings)] == [hours(0, 6), hours(6, 7), hours(7, 8)]
    assert runs(pipeline, toy_settings)[0] == first


def test_a_run_has_another_id_when_a_file_of_one_of_its_windows_changes(
    pipeline: Pipeline, toy_settings: Settings
) -> None:
    land(toy_settings, *range(6))
    (before,) = runs(pipeline, toy_settings)
    assert runs(pipeline, toy_settings) == (before,)
    land(toy_settings, 4, celsius="99.0")
    first, second = runs(pipeline, toy_settings)
    assert first == before
    assert (second.over, second.run_id != before.run_id) == (hours(4, 6), True)


def test_a_correction_wakes_its_lookback_in_few_runs_and_once(pipeline: Pipeline, toy_settings: Settings) -> None:
    put_in_force(toy_settings, toy.START)
    land(toy_settings, *range(60))
    take(pipeline, toy_settings, hours(0, 60))
    assert runs(pipeline, toy_settings) == ()
    back = []
    for celsius in ("99.0", "50.0", "99.0"):
        land(toy_settings, 30, celsius=celsius)
        woken = runs(pipeline, toy_settings)
        assert [run.over for run in woken] == [hours(30, 48), hours(48, 60)]
        back += [run.run_id for run in woken]
        for run in woken:
            take(pipeline, toy_settings, run.over)
        assert runs(pipeline, toy_settings) == ()
    assert len(set(back)) == len(back)


def test_an_hour_that_fails_does_not_start_those_after_it_again(pipeline: Pipeline, toy_settings: Settings) -> None:
    land(toy_settings, *range(4))
    (started,) = runs(pipeline, toy_settings)
    for number in (0, 2, 3):
        take(pipeline, toy_settings, hours(number, number + 1))
    for number in (4, 5, 6):
        land(toy_settings, number)
        *before, new = runs(pipeline, toy_settings)
        assert before[0] == started
        assert new.over == hours(number, number + 1)
        take(pipeline, toy_settings, new.over)
    ids = {run.run_id for run in runs(pipeline, toy_settings)}
    land(toy_settings, 1, celsius="51.0")
    mended = [run for run in runs(pipeline, toy_settings) if run.run_id not in ids]
    assert [run.over for run in mended] == [hours(1, 7)]


def test_an_hour_whose_files_may_still_come_keeps_none_waiting(toy_settings: Settings) -> None:
    pipeline = hourly.declare(toy_settings, files="{day}T{hour}.csv", lateness_hours=3)
    for number in range(5):
        at = toy.START + number * HOUR
        hourly.land(toy_settings, "heat", at, [hourly.heat(at)], name=f"{at:%Y-%m-%dT%H}.csv")
        if number < 4:
            hourly.land(toy_settings, "jobs", at, [], name=f"{at:%Y-%m-%dT%H}.csv")
    assert spans(pipeline, toy_settings, now=hours(0, 5).end) == [hours(0, 4), hours(4, 5)]


def test_once_they_are_late_it_is_joined(toy_settings: Settings) -> None:
    pipeline = hourly.declare(toy_settings, files="{day}T{hour}.csv", lateness_hours=3)
    land(toy_settings, *range(5))
    assert spans(pipeline, toy_settings, now=hours(0, 9).end) == [hours(0, 5)]


@pytest.mark.parametrize(
    ("calendar", "ends"),
    [
        ("daily", ["02-01", "03-01", "03-02"]),
        ("weekly", ["01-07", "02-04", "03-04"]),
        ("monthly", ["02-01", "03-01", "04-01"]),
    ],
)
def test_days_and_weeks_are_joined_by_the_month_and_months_are_not(
    toy_settings: Settings, monkeypatch: pytest.MonkeyPatch, calendar: Calendar, ends: list[str]
) -> None:
    settings = load_settings(home=toy_settings.home)
    pipeline = load_pipeline("flight_delays", settings).model_copy(update={"calendar": calendar})
    first = datetime(2013, 1, 1, tzinfo=UTC)
    waiting = [Waiting(over, "", "") for over in calendar_windows(calendar, Window(first, first + timedelta(days=60)))]
    monkeypatch.setattr(inbox, "waiting_windows", lambda *_: waiting)
    assert [f"{over.end:%m-%d}" for over in spans(pipeline, settings)] == ends


def test_more_runs_than_the_inbox_can_start_are_refused_with_the_way_out(
    pipeline: Pipeline, toy_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_runs, "MOST_RUNS", 3)
    land(toy_settings, *range(0, 6, 2))
    assert len(runs(pipeline, toy_settings)) == 3
    land(toy_settings, 10)
    with pytest.raises(DataContractError, match=r"4 data runs of toy wait, .* start a backfill of toy__data"):
        runs(pipeline, toy_settings)
