"""What the features of a day cost where windows are hours, against the day's share of a window of a month.

Hours that wait together are built at once: a backlog up to the end of the day, and a past without a version in force
up to the end of the week. An hour that lands while one looks on is built alone.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import cast

from airloop.config.calendar import longest_joined, period_end, period_start
from airloop.deployment import Deployment
from airloop.features import build_features
from airloop.records import BuiltFeatures, Validated, Window
from airloop.run import stage_run
from benchmarks.flights import Flights
from benchmarks.row import Row, Trial, interleaved
from benchmarks.session import Session

NAME = "features of a day's waiting hours of flights / the day's share of a month's window"
# Every run computes its lookback of 30 days again.
BOUND = 3.0
UNIT = "s"


def measure(session: Session) -> Row:
    """Build the features of a day of the second month, and those of the month; an hour and a week for the note."""
    flights = session.flights
    month = flights.windows[1]
    longest = longest_joined("hourly")
    start = period_start(longest, month.start + timedelta(days=14))
    noon, day, week = (
        _one_from(start),
        Window(start, period_end("daily", start)),
        Window(start, period_end(longest, start)),
    )
    seconds_a_day, seconds_a_month = interleaved(_prepared(flights, day), _prepared(flights, month))
    seconds_an_hour, seconds_a_week = interleaved(_prepared(flights, noon), _prepared(flights, week))
    share = seconds_a_month * (timedelta(days=1) / (month.end - month.start))
    note = (
        f"a day takes {seconds_a_day:.2f} s, the month {seconds_a_month:.2f} s; an hour alone {seconds_an_hour:.2f} s "
        f"({24 * seconds_an_hour / share:.0f} times its share), a week of hours {seconds_a_week:.2f} s "
        f"({seconds_a_week / 7 / share:.1f} times); each reads 30 days before it"
    )
    return Row(NAME, seconds_a_day, share, bound=BOUND, unit=UNIT, note=note)


def _one_from(day: datetime) -> Window:
    noon = day + timedelta(hours=12)
    return Window(noon, noon + timedelta(hours=1))


def _prepared(flights: Flights, window: Window) -> Callable[[], Trial]:
    return lambda: _trial(flights, window)


def _trial(flights: Flights, window: Window) -> Trial:
    at = Deployment(flights.pipeline, flights.settings)
    raw = cast("Validated", stage_run.stored_upstream("build_features", at, flights.windows[1])["validate_raw"])
    return _build(at, window, raw)


def _build(at: Deployment, window: Window, raw: Validated) -> Callable[[], BuiltFeatures]:
    return lambda: build_features.build_features(at, window, build_features.inputs(at, window), raw=raw)
