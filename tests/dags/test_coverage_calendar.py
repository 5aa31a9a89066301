"""The calendar ticks at the end of each period inside the coverage, and never for today over data of 2013."""

from datetime import UTC, datetime

import pytest
from airflow.exceptions import AirflowTimetableInvalid
from airflow.serialization.decoders import decode_timetable
from airflow.serialization.encoders import encode_timetable
from airflow.timetables import trigger
from airflow.timetables.base import DagRunInfo, TimeRestriction

from airloop_airflow.calendar import CoverageCalendar

FREE = TimeRestriction(earliest=None, latest=None, catchup=False)


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _calendar(first: str, last: str | None) -> CoverageCalendar:
    return CoverageCalendar("0 0 1 * *", first=_day(first), last=_day(last) if last else None)


def _next(
    calendar: CoverageCalendar, now: str, monkeypatch: pytest.MonkeyPatch, *, before: DagRunInfo | None = None
) -> DagRunInfo | None:
    monkeypatch.setattr(trigger, "utcnow", lambda: _day(now))
    return calendar.next_dagrun_info_v2(last_dagrun_info=before, restriction=FREE)


@pytest.mark.parametrize(
    ("first", "last", "now", "tick", "partition"),
    [
        ("2013-02-01", "2014-01-01", "2026-11-21", None, None),
        ("2013-02-01", "2014-01-01", "2013-03-10", "2013-03-01", "2013-02-01"),
        ("2013-02-01", "2014-01-01", "2014-01-20", "2014-01-01", "2013-12-01"),
        ("2013-02-01", "2014-01-01", "2014-02-01", None, None),
        ("2013-02-01", "2014-01-15", "2014-01-20", "2014-01-01", "2013-12-01"),
        ("2026-12-01", None, "2026-11-21", "2026-12-01", "2026-11-01"),
        ("2013-02-01", None, "2026-11-21", "2026-11-01", "2026-10-01"),
    ],
    ids=["history", "inside", "last period", "after", "end inside a period", "not begun", "open end"],
)
def test_the_next_tick(
    monkeypatch: pytest.MonkeyPatch, first: str, last: str | None, now: str, tick: str | None, partition: str | None
) -> None:
    found = _next(_calendar(first, last), now, monkeypatch)
    if tick is None or partition is None:
        assert found is None
        return
    assert found is not None
    assert (found.run_after, found.partition_date) == (_day(tick), _day(partition))
    assert (found.partition_key, found.data_interval) == (f"{partition}T00:00:00", None)


def test_after_a_run_comes_the_next_period(monkeypatch: pytest.MonkeyPatch) -> None:
    calendar = _calendar("2013-02-01", "2014-01-01")
    before = _next(calendar, "2013-03-10", monkeypatch)
    after = _next(calendar, "2013-03-10", monkeypatch, before=before)
    assert after is not None
    assert (after.run_after, after.partition_date) == (_day("2013-04-01"), _day("2013-03-01"))


@pytest.mark.parametrize("last", ["2014-01-01", None])
def test_the_scheduler_reads_back_what_the_dag_file_said(last: str | None) -> None:
    again = decode_timetable(encode_timetable(_calendar("2013-02-01", last)))
    assert again.partitioned
    assert again.serialize() == _calendar("2013-02-01", last).serialize()


def test_a_backfill_walks_the_partitions_of_the_past() -> None:
    calendar = _calendar("2013-02-01", "2014-01-01")
    found = calendar.iter_partition_dagrun_infos(earliest=_day("2013-03-01"), latest=_day("2013-05-01"))
    assert [info.partition_key for info in found] == [f"2013-0{month}-01T00:00:00" for month in (3, 4, 5)]


def test_calendars_are_equal_when_they_tick_alike() -> None:
    calendar = _calendar("2013-02-01", "2014-01-01")
    assert {calendar, decode_timetable(encode_timetable(calendar))} == {calendar}
    assert calendar != _calendar("2013-03-01", "2014-01-01")
    assert calendar != CoverageCalendar("0 0 * * *", first=calendar.first, last=calendar.last)
    assert calendar not in [[], (), set(), {}]


@pytest.mark.parametrize("attempt", [1, 2])
def test_a_wrong_expression_is_refused_each_time(attempt: int) -> None:
    calendar = _calendar("2013-02-01", None)
    calendar.validate()
    calendar._expression = "0 0 32 * *"
    with pytest.raises(AirflowTimetableInvalid):
        calendar.validate()
