"""Calendar windows tile time: no gap, no overlap, nothing of the span left out."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airloop.config import calendar_windows
from airloop.config.calendar import (
    CRON,
    Calendar,
    is_period,
    longest_joined,
    may_join,
    period_end,
    period_start,
    spanned,
    stretches,
    windows_of,
)
from airloop.records import Window

CALENDARS = get_args(Calendar)
INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
# Up to 3 months in hours, 30 years in months.
SPANS = {"hourly": 90, "daily": 400, "weekly": 2000, "monthly": 10000}


@pytest.mark.parametrize("calendar", CALENDARS)
@given(start=INSTANTS, share=st.floats(1e-9, 1))
def test_windows_are_contiguous_and_cover_the_span(calendar: Calendar, start: datetime, share: float) -> None:
    span = Window(start, start + timedelta(days=SPANS[calendar]) * share + timedelta.resolution)
    windows = calendar_windows(calendar, span)
    assert windows[0].start <= span.start < windows[0].end
    assert windows[-1].start < span.end <= windows[-1].end
    assert all(earlier.end == later.start for earlier, later in pairwise(windows))


@pytest.mark.parametrize("calendar", CALENDARS)
@given(instant=INSTANTS)
def test_a_period_holds_its_instant_and_is_its_own_calendar(calendar: Calendar, instant: datetime) -> None:
    start = period_start(calendar, instant)
    period = Window(start, period_end(calendar, start))
    assert period.start <= instant < period.end
    assert calendar_windows(calendar, period) == (period,)


@pytest.mark.parametrize(
    ("calendar", "instant", "start", "end"),
    [
        ("hourly", "2020-02-29T23:59:59Z", "2020-02-29T23:00:00Z", "2020-03-01T00:00:00Z"),
        ("daily", "2020-02-29T23:59:59Z", "2020-02-29T00:00:00Z", "2020-03-01T00:00:00Z"),
        ("weekly", "2020-01-01T00:00:00Z", "2019-12-30T00:00:00Z", "2020-01-06T00:00:00Z"),
        ("weekly", "2019-12-30T00:00:00Z", "2019-12-30T00:00:00Z", "2020-01-06T00:00:00Z"),
        ("monthly", "2020-02-29T23:59:59Z", "2020-02-01T00:00:00Z", "2020-03-01T00:00:00Z"),
        ("monthly", "2019-12-31T00:00:00Z", "2019-12-01T00:00:00Z", "2020-01-01T00:00:00Z"),
    ],
)
def test_periods_start_where_people_say_they_do(calendar: Calendar, instant: str, start: str, end: str) -> None:
    at = datetime.fromisoformat(instant)
    period = Window.parse(start, end)
    assert calendar_windows(calendar, Window(at, at + timedelta.resolution)) == (period,)


def test_a_span_that_ends_with_a_period_takes_nothing_of_the_next() -> None:
    year = Window.parse("2019-01-01T00:00:00Z", "2020-01-01T00:00:00Z")
    assert len(calendar_windows("monthly", year)) == 12


def test_local_clocks_do_not_move_the_windows() -> None:
    berlin = timezone(timedelta(hours=1))
    span = Window(datetime(2020, 2, 1, tzinfo=berlin), datetime(2020, 3, 1, tzinfo=berlin))
    assert [window.start.month for window in calendar_windows("monthly", span)] == [1, 2]


def test_every_calendar_has_a_cron_expression() -> None:
    assert set(CRON) == set(CALENDARS)


@pytest.mark.parametrize("calendar", CALENDARS)
@given(instant=INSTANTS)
def test_a_period_is_one_and_what_is_longer_is_none(calendar: Calendar, instant: datetime) -> None:
    start = period_start(calendar, instant)
    period = Window(start, period_end(calendar, start))
    assert is_period(calendar, period)
    assert not is_period(calendar, Window(start, period.end + timedelta.resolution))


@given(hours=st.sets(st.integers(0, 60)))
def test_stretches_hold_every_window_once_and_break_at_gaps_and_at_days(hours: set[int]) -> None:
    begin = datetime(2020, 1, 1, tzinfo=UTC)
    windows = [Window(begin + timedelta(hours=n), begin + timedelta(hours=n + 1)) for n in sorted(hours)]
    parts = stretches(windows, lambda window: window.start.date())
    assert [window for part in parts for window in part] == windows
    assert all(before.end == after.start for part in parts for before, after in pairwise(part))
    assert all(len({window.start.date() for window in part}) == 1 for part in parts)
    joints = [(before[-1], after[0]) for before, after in pairwise(parts)]
    assert all(one.end < other.start or one.start.date() != other.start.date() for one, other in joints)


@pytest.mark.parametrize("calendar", get_args(Calendar))
def test_a_run_over_joined_windows_takes_each_of_them(calendar: Calendar) -> None:
    period = calendar_windows(
        longest_joined(calendar), Window(datetime(2020, 1, 6, tzinfo=UTC), datetime(2020, 2, 1, tzinfo=UTC))
    )[0]
    windows = [item for item in calendar_windows(calendar, period) if item.start >= period.start]
    assert windows_of(calendar, spanned(windows)) == tuple(windows)
    assert windows_of(calendar, windows[0]) == (windows[0],)
    assert may_join(calendar) == (len(windows) > 1)
