"""A holiday of a business that rests on Sundays is not a missing file; a day that one feed has, or a hole, is."""

from collections.abc import Iterable
from datetime import date, timedelta

import pytest

from airloop.data import closed_days

FIRST = date(1985, 8, 5)
HOLIDAY = date(1985, 9, 2)
STORM = date(1985, 9, 27)
MISSING = [HOLIDAY, HOLIDAY + timedelta(days=1), HOLIDAY + timedelta(days=2), STORM]
PAST, WINDOW = range(28), range(28, 56)


def _files(days: Iterable[int], *, weekdays: int = 5, without: Iterable[date] = ()) -> dict[date, int]:
    dated = [FIRST + timedelta(days=number) for number in days]
    return {day: 3 for day in dated if day.weekday() < weekdays and day not in without}


def _closed(one: dict[date, int], other: dict[date, int], **past: int) -> set[date]:
    before = _files(PAST, **past)
    return set(closed_days.find({"events": one, "outcomes": other}, {"events": before, "outcomes": before}, MISSING))


def test_days_that_no_feed_of_a_business_with_weekends_has_are_closed() -> None:
    files = _files(WINDOW, without=[HOLIDAY, STORM])
    assert _closed(files, files) == {HOLIDAY, STORM}


def test_a_day_is_closed_in_the_first_window_too() -> None:
    files = _files(WINDOW, without=[STORM])
    assert closed_days.find({"events": files, "outcomes": files}, {}, MISSING) == {STORM}


@pytest.mark.parametrize("weekdays", [5, 7])
def test_a_day_that_one_feed_has_is_not(weekdays: int) -> None:
    whole, hole = _files(WINDOW, weekdays=weekdays), _files(WINDOW, weekdays=weekdays, without=[STORM])
    assert _closed(whole, hole, weekdays=weekdays) == set()


def test_a_day_of_a_business_that_never_closes_is_not() -> None:
    hole = _files(WINDOW, weekdays=7, without=[STORM])
    assert _closed(hole, hole, weekdays=7) == set()


def test_three_days_in_a_row_are_not() -> None:
    hole = _files(WINDOW, without=[HOLIDAY + timedelta(days=number) for number in range(3)])
    assert _closed(hole, hole) == set()


def test_one_feed_alone_says_nothing() -> None:
    assert closed_days.find({"events": _files(WINDOW, without=[STORM])}, {}, MISSING) == set()
