"""A window of which too much is set aside, missing or lost fails, and says of what; below a bound it goes on."""

from datetime import date
from pathlib import Path

import pytest
from tests.support import landed, toy
from tests.support.run_plainly import run_plainly

from airloop.config import Pipeline
from airloop.data.ingest import ingest
from airloop.deployment import Deployment
from airloop.errors import DataContractError
from airloop.records import Ingested
from airloop.settings import Settings

DAYS = 20
WINDOW = toy.days(0, DAYS)


@pytest.fixture
def pipeline(toy_settings: Settings) -> Pipeline:
    toy.land(toy_settings, days=range(DAYS))
    return toy.toy_pipeline(toy_settings)


def _ingest(pipeline: Pipeline, settings: Settings) -> Ingested:
    return run_plainly(ingest, Deployment(pipeline, settings), WINDOW)


def _file(settings: Settings, feed: str, day: int) -> Path:
    return Path(settings.landing_uri) / "toy" / feed / f"2020-01-{day:02d}.csv"


def _bounded(pipeline: Pipeline, **bounds: float) -> Pipeline:
    return pipeline.model_copy(update={"validation": pipeline.validation.model_copy(update=bounds)})


def _cut(path: Path) -> None:
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[: len(lines) // 4]))


def test_nothing_is_noticed_of_a_window_that_is_whole(pipeline: Pipeline, toy_settings: Settings) -> None:
    record = _ingest(pipeline, toy_settings)
    assert (record.alarms, record.missing_days, record.short_days, record.replaced) == ((), (), (), {})
    assert Ingested.from_json(record.to_json()) == record


@pytest.mark.parametrize(("count", "bound"), [(3, 0.1), (20, 0.5), (2, 0.0)])
def test_more_files_set_aside_than_the_bound_fail_the_window_with_the_first_causes(
    pipeline: Pipeline, toy_settings: Settings, count: int, bound: float
) -> None:
    for day in range(1, count + 1):
        _file(toy_settings, "failures", day).write_text("")
    with pytest.raises(DataContractError, match=f"{count} of 20 files of failures are set aside") as failed:
        _ingest(_bounded(pipeline, max_set_aside_share=bound), toy_settings)
    assert "2020-01-01.csv: is empty (0 bytes)" in str(failed.value)
    assert set(landed.versions(toy_settings).values()) == {None}


@pytest.mark.parametrize(("count", "bound"), [(2, 0.1), (1, 0.0), (3, 0.15)])
def test_files_set_aside_up_to_the_bound_let_the_others_in(
    pipeline: Pipeline, toy_settings: Settings, count: int, bound: float
) -> None:
    for day in range(1, count + 1):
        _file(toy_settings, "heat", day + 7).write_text("")
    bounded = _bounded(pipeline, max_set_aside_share=bound, max_missing_share=1)
    record = _ingest(bounded, toy_settings)
    assert len(record.set_aside) == count
    assert record.missing_days == tuple(f"heat 2020-01-{day + 8:02d}" for day in range(count))


def test_a_file_repeated_under_every_name_is_named_and_fails_the_window(
    pipeline: Pipeline, toy_settings: Settings
) -> None:
    first = _file(toy_settings, "heat", 1).read_text()
    for day in range(2, DAYS + 1):
        _file(toy_settings, "heat", day).write_text(first)
    with pytest.raises(DataContractError, match=r"19 of 20 files of heat are set aside") as failed:
        _ingest(pipeline, toy_settings)
    assert "2020-01-02.csv: repeats the file of 2020-01-01.csv" in str(failed.value)


def test_a_days_rows_under_the_next_days_name_are_named_in_any_order_and_their_day_is_missing(
    pipeline: Pipeline, toy_settings: Settings
) -> None:
    header, *rows = _file(toy_settings, "heat", 10).read_text().splitlines()
    _file(toy_settings, "heat", 11).write_text("\n".join([header, *reversed(rows)]) + "\n")
    record = _ingest(pipeline, toy_settings)
    assert "repeats the file of 2020-01-10.csv" in record.set_aside[0].why
    assert record.missing_days == ("heat 2020-01-11",)
    (alarm,) = record.alarms
    assert (alarm.kind, alarm.subject, alarm.holds_training) == ("files_missing", "heat", True)


def test_rows_of_another_day_that_repeat_no_file_keep_their_own_cause(
    pipeline: Pipeline, toy_settings: Settings
) -> None:
    text = _file(toy_settings, "heat", 11).read_text().replace("2020-01-11", "2020-01-10").replace(".", ".1")
    _file(toy_settings, "heat", 11).write_text(text)
    assert "lies outside the day in the file's name" in _ingest(pipeline, toy_settings).set_aside[0].why


def test_a_feed_that_stalled_fails_the_window_with_its_days(pipeline: Pipeline, toy_settings: Settings) -> None:
    for day in range(8, 13):
        _file(toy_settings, "heat", day).unlink()
    with pytest.raises(DataContractError, match=r"the feed heat stalled: 5 of 20 days .*2020-01-08, .*2020-01-12"):
        _ingest(pipeline, toy_settings)
    assert len(_ingest(_bounded(pipeline, max_missing_share=0.3), toy_settings).missing_days) == 5


def test_files_under_names_nobody_declared_are_named_beside_the_missing_day(
    pipeline: Pipeline, toy_settings: Settings
) -> None:
    for name, other in (("2020-01-08", "20200108"), ("2020-01-09", "jobs_2020-01-09")):
        path = _file(toy_settings, "failures", int(name[-2:]))
        path.rename(path.with_name(f"{other}.csv"))
    (alarm,) = _ingest(pipeline, toy_settings).alarms
    assert "and 1 more in its folder are not named like {day}.csv, and not read" in alarm.says
    _file(toy_settings, "failures", 8).write_text("job,ended_at,failed\n")
    _file(toy_settings, "failures", 9).write_text("job,ended_at,failed\n")
    assert not any("not named like" in alarm.says for alarm in _ingest(pipeline, toy_settings).alarms)


def test_a_feed_without_any_file_fails_when_it_had_them_before(pipeline: Pipeline, toy_settings: Settings) -> None:
    _ingest(pipeline, toy_settings)
    toy.land(toy_settings, days=range(DAYS, 30))
    for path in (Path(toy_settings.landing_uri) / "toy" / "heat").iterdir():
        if path.stem > "2020-01-20":
            path.unlink()
    with pytest.raises(DataContractError, match="the feed heat stalled: 10 of 10 days"):
        run_plainly(ingest, Deployment(pipeline, toy_settings), toy.days(DAYS, 30))


def test_missing_outcomes_are_an_alarm_that_holds_trainings(pipeline: Pipeline, toy_settings: Settings) -> None:
    _file(toy_settings, "failures", 8).unlink()
    (one,) = _ingest(pipeline, toy_settings).alarms
    assert (one.kind, one.subject, one.holds_training) == ("files_missing", "failures", True)
    assert "2020-01-08" in one.says
    for day in (9, 10, 11):
        _file(toy_settings, "failures", day).unlink()
    (several,) = _ingest(pipeline, toy_settings).alarms
    assert (several.observed, several.holds_training) == (4.0, True)


def test_a_file_cut_at_a_line_end_is_an_alarm_with_its_rows(pipeline: Pipeline, toy_settings: Settings) -> None:
    _cut(_file(toy_settings, "heat", 11))
    record = _ingest(pipeline, toy_settings)
    assert record.short_days == ("heat 2020-01-11: 29 rows, usually 120",)
    (alarm,) = record.alarms
    assert (alarm.kind, alarm.subject, alarm.observed, alarm.expected) == ("file_cut", "heat", 29.0, 120.0)
    assert not alarm.holds_training


def test_many_cut_files_hold_trainings_and_a_day_that_is_short_everywhere_is_no_cut_file(
    pipeline: Pipeline, toy_settings: Settings
) -> None:
    for feed in ("jobs", "heat", "failures"):
        _cut(_file(toy_settings, feed, 11))
    record = _ingest(pipeline, toy_settings)
    assert (len(record.short_days), record.alarms) == (3, ())
    for day in (4, 12, 13):
        _cut(_file(toy_settings, "failures", day))
    (alarm,) = _ingest(pipeline, toy_settings).alarms
    assert (alarm.subject, alarm.holds_training) == ("failures", True)


def _rest_on_sundays(settings: Settings, *feeds: str, holiday: int) -> None:
    sundays = [day for day in range(1, DAYS + 1) if date(2020, 1, day).weekday() == 6]
    for feed in ("jobs", "failures", "heat"):
        for day in [*sundays, *([holiday] if feed in feeds else [])]:
            _file(settings, feed, day).unlink(missing_ok=True)


def test_a_holiday_of_all_feeds_is_no_alarm_and_a_file_that_one_of_them_lacks_is(
    pipeline: Pipeline, toy_settings: Settings
) -> None:
    dated = [name for name, feed in pipeline.feeds.items() if not feed.static]
    _rest_on_sundays(toy_settings, *dated, holiday=9)
    record = _ingest(pipeline, toy_settings)
    assert record.alarms == ()
    assert set(record.missing_days) == {f"{name} 2020-01-09" for name in dated}
    toy.land(toy_settings, days=range(DAYS))
    _rest_on_sundays(toy_settings, "heat", holiday=9)
    assert {(alarm.kind, alarm.subject) for alarm in _ingest(pipeline, toy_settings).alarms} == {
        ("files_missing", "heat")
    }
