"""Calendar windows: which half-open UTC periods a pipeline's runs take."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal

from airloop.records import Window

Calendar = Literal["hourly", "daily", "weekly", "monthly"]

CRON: dict[Calendar, str] = {"hourly": "0 * * * *", "daily": "0 0 * * *", "weekly": "0 0 * * 1", "monthly": "0 0 1 * *"}

_LENGTHS = {"hourly": timedelta(hours=1), "daily": timedelta(days=1), "weekly": timedelta(days=7)}

_FINEST_FIRST: tuple[Calendar, ...] = ("hourly", "daily", "weekly", "monthly")

_JOINED: dict[Calendar, Calendar] = {"hourly": "weekly", "daily": "monthly", "weekly": "monthly", "monthly": "monthly"}


def is_finer(calendar: Calendar, than: Calendar) -> bool:
    """Whether a calendar's periods are shorter than those of another."""
    return _FINEST_FIRST.index(calendar) < _FINEST_FIRST.index(than)


def period_start(calendar: Calendar, instant: datetime) -> datetime:
    """The start of the period that holds `instant` (UTC); weeks start on Monday."""
    if calendar == "hourly":
        return instant.replace(minute=0, second=0, microsecond=0)
    day = instant.replace(hour=0, minute=0, second=0, microsecond=0)
    if calendar == "daily":
        return day
    if calendar == "weekly":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1)


def period_end(calendar: Calendar, start: datetime) -> datetime:
    """The end of the period that starts at `start`."""
    if calendar == "monthly":
        return (start + timedelta(days=32)).replace(day=1)
    return start + _LENGTHS[calendar]


def calendar_windows(calendar: Calendar, span: Window) -> tuple[Window, ...]:
    """Every period that overlaps `span`, oldest first."""
    windows = []
    start = period_start(calendar, span.start)
    while start < span.end:
        windows.append(_period(calendar, start))
        start = windows[-1].end
    return tuple(windows)


@lru_cache(maxsize=4096)
def _period(calendar: Calendar, start: datetime) -> Window:
    """The period that starts there: files of one day after the other ask for the same ones."""
    return Window(start, period_end(calendar, start))


def stretches(windows: Iterable[Window], part: Callable[[Window], object]) -> tuple[tuple[Window, ...], ...]:
    """Windows, oldest first, cut where one does not begin at the end of the one before it, or `part` is another one."""
    cut: list[list[Window]] = []
    for window in windows:
        if cut and cut[-1][-1].end == window.start and part(cut[-1][-1]) == part(window):
            cut[-1].append(window)
        else:
            cut.append([window])
    return tuple(map(tuple, cut))


def longest_joined(calendar: Calendar) -> Calendar:
    """In which period windows are joined at most: a task of a run over more hours might not end in its time."""
    return _JOINED[calendar]


def may_join(calendar: Calendar) -> bool:
    """Whether several windows of a calendar can be one data run."""
    return is_finer(calendar, longest_joined(calendar))


def windows_of(calendar: Calendar, over: Window) -> tuple[Window, ...]:
    """The windows that a data run takes, oldest first: its own, or those that were joined."""
    return (over,) if is_period(calendar, over) else calendar_windows(calendar, over)


def spanned(windows: Sequence[Window]) -> Window:
    """From the start of the first to the end of the last of windows that follow each other."""
    return Window(windows[0].start, windows[-1].end)


def nearest_bound(calendar: Calendar, instant: datetime) -> datetime:
    """The end of one period and start of the next that lies nearest to `instant`; of two the earlier."""
    start = period_start(calendar, instant)
    return min((start, period_end(calendar, start)), key=lambda bound: abs(bound - instant))


def is_period(calendar: Calendar, window: Window) -> bool:
    """Whether a window is exactly one period of a calendar."""
    start = period_start(calendar, window.start)
    return start == window.start and period_end(calendar, start) == window.end
