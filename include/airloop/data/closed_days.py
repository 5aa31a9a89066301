"""Days on which a business was closed: who never works on a Sunday does not work on Christmas Day either.

One file that is missing is a fault. A day that no dated feed has a file of is a holiday where all of the feeds have
weekdays without files anyway; a feed with files of all seven weekdays is never closed.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

_FEWEST_FEEDS = 2
_FEWEST_LIKE_IT = 2
_MOST_IN_A_ROW = 2

Days = Mapping[str, Mapping[date, int]]
"""Feed -> local day -> rows."""


def find(landed: Days, past: Days, missing: Iterable[date]) -> frozenset[date]:
    """Those of the missing days that look closed.

    Args:
        landed: Of every dated feed, the days of the files that landed for the window.
        past: The same in the weeks before.
        missing: Days that some feed should have a file of, and has none.
    """
    known = {name: {**past.get(name, {}), **days} for name, days in landed.items()}
    if len(known) < _FEWEST_FEEDS or not all(known.values()):
        return frozenset()
    if not all(_never(days) for days in known.values()):
        return frozenset()
    empty = {day for day in missing if not any(day in days for days in known.values())}
    return frozenset(day for day in empty if _in_a_row(day, empty) <= _MOST_IN_A_ROW)


def _never(days: Mapping[date, int]) -> frozenset[int]:
    """The weekdays, two of which at least lie among the days, that never have a file."""
    spanned = list(_days(min(days), max(days)))
    there = {day.weekday() for day in days}
    often = {weekday for weekday in range(7) if sum(day.weekday() == weekday for day in spanned) >= _FEWEST_LIKE_IT}
    return frozenset(often - there)


def _in_a_row(day: date, days: set[date]) -> int:
    first = last = day
    while first - timedelta(days=1) in days:
        first -= timedelta(days=1)
    while last + timedelta(days=1) in days:
        last += timedelta(days=1)
    return (last - first).days + 1


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
