"""A feed's files by its own days: what is missing or cut is named, and a whole year of real flights has neither."""

from datetime import UTC, date, datetime, timedelta

import pytest

from airloop.config import Pipeline, load_pipeline
from airloop.config.calendar import calendar_windows
from airloop.config.coverage import Coverage
from airloop.data.feed_days import FeedDays, judge_days
from airloop.records import Window
from airloop.settings import Settings
from nycflights.feeds import NycFlights

APRIL = Window(datetime(2013, 4, 1, tzinfo=UTC), datetime(2013, 5, 1, tzinfo=UTC))
YEAR = Window(datetime(2013, 1, 1, tzinfo=UTC), datetime(2014, 1, 1, tzinfo=UTC))
FEEDS = ("schedule", "departures", "weather", "arrivals")


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return load_pipeline("flight_delays", Settings())


@pytest.fixture(scope="module")
def rows() -> dict[str, dict[date, int]]:
    """Rows of every file of the year."""
    replay = NycFlights()
    return {feed: {day: frame.height for day, frame in replay.files(feed).items()} for feed in FEEDS}


def judged(pipeline: Pipeline, feed: str, window: Window, rows: dict[date, int]) -> FeedDays:
    first = window.start.date() - timedelta(days=1)
    past = {day: count for day, count in rows.items() if first - timedelta(days=28) <= day < first}
    landed = {day: count for day, count in rows.items() if first <= day < window.end.date()}
    return judge_days(pipeline, feed, window, landed=landed, past=past)


def test_no_month_of_the_year_lacks_a_file_and_only_the_snow_of_february_shortens_some(
    pipeline: Pipeline, rows: dict[str, dict[date, int]]
) -> None:
    found = {
        (feed, window.start.month): judged(pipeline, feed, window, rows[feed])
        for feed in FEEDS
        for window in calendar_windows("monthly", YEAR)
    }
    assert [key for key, days in found.items() if days.missing] == []
    short = {key: [item.day.day for item in days.short] for key, days in found.items() if days.short}
    assert set(short) <= {("departures", 2), ("arrivals", 2)}
    assert short["departures", 2] == short["arrivals", 2]  # seen in both, so no file was cut


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("day", [1, 14, 28, 30])
def test_a_missing_file_is_named_by_the_feeds_own_day(
    pipeline: Pipeline, rows: dict[str, dict[date, int]], feed: str, day: int
) -> None:
    removed = date(2013, 4, day)
    left = {other: count for other, count in rows[feed].items() if other != removed}
    missing = judged(pipeline, feed, APRIL, left).missing
    # An outcome of the last days may still come.
    assert missing == (() if (feed, day) == ("arrivals", 30) else (removed,))


@pytest.mark.parametrize("feed", FEEDS)
def test_the_last_days_of_a_stalled_feed_are_missing_but_outcomes_may_still_come(
    pipeline: Pipeline, rows: dict[str, dict[date, int]], feed: str
) -> None:
    left = {day: count for day, count in rows[feed].items() if day < date(2013, 4, 21)}
    missing = judged(pipeline, feed, APRIL, left).missing
    assert missing == (() if feed == "arrivals" else tuple(date(2013, 4, day) for day in range(21, 31)))


def test_a_file_of_half_the_rows_is_short(pipeline: Pipeline, rows: dict[str, dict[date, int]]) -> None:
    cut = {**rows["arrivals"], date(2013, 4, 17): rows["arrivals"][date(2013, 4, 17)] // 2}
    assert [item.day for item in judged(pipeline, "arrivals", APRIL, cut).short] == [date(2013, 4, 17)]
    halves = {day: count // 2 if day.month == 4 else count for day, count in rows["arrivals"].items()}
    assert len(judged(pipeline, "arrivals", APRIL, halves).short) >= 28


def test_days_without_files_that_never_had_any_are_not_missing(pipeline: Pipeline) -> None:
    workdays = {day: 100 for n in range(61) if (day := date(2013, 3, 1) + timedelta(days=n)).weekday() < 5}
    assert judged(pipeline, "weather", APRIL, workdays).missing == ()
    without = {day: count for day, count in workdays.items() if day != date(2013, 4, 10)}
    assert judged(pipeline, "weather", APRIL, without).missing == (date(2013, 4, 10),)


def test_a_feed_of_few_rows_is_not_short_by_chance(pipeline: Pipeline) -> None:
    few = {date(2013, 3, 1) + timedelta(days=n): 4 + n % 9 for n in range(61)}
    assert judged(pipeline, "weather", APRIL, few).short == ()


def test_before_its_first_file_a_feed_has_no_days(pipeline: Pipeline) -> None:
    began = {date(2013, 4, 20) + timedelta(days=n): 72 for n in range(11)}
    assert judged(pipeline, "weather", APRIL, began) == FeedDays(11, (), ())


def test_the_days_in_which_a_table_begins_and_ends_may_be_cut_off(pipeline: Pipeline) -> None:
    whole = {date(2013, 12, 1) + timedelta(days=n): 300 for n in range(32)}
    cut = {**whole, date(2014, 1, 1): 60}
    until = Coverage(start=date(2013, 1, 1), end=date(2014, 1, 2))
    last = Window(datetime(2014, 1, 1, tzinfo=UTC), datetime(2014, 1, 2, tzinfo=UTC))

    def short(coverage: Coverage) -> list[date]:
        declared = pipeline.model_copy(update={"coverage": coverage})
        known = {day: rows for day, rows in cut.items() if day < last.start.date()}
        landed = {day: rows for day, rows in cut.items() if day >= last.start.date()}
        return [item.day for item in judge_days(declared, "weather", last, landed=landed, past=known).short]

    assert short(until) == []
    assert short(Coverage(start=date(2013, 1, 1), end=date(2014, 2, 1))) == [date(2014, 1, 1)]
    assert short(Coverage(start=date(2013, 1, 1))) == [date(2014, 1, 1)]
