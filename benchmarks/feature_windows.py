"""What the features of a day cost where windows are hours, against the day's share of a window of a month."""

from collections.abc import Callable
from datetime import timedelta
from typing import cast

from airloop.deployment import Deployment
from airloop.features import build_features
from airloop.records import BuiltFeatures, Validated, Window
from airloop.run import stage_run
from benchmarks.flights import Flights
from benchmarks.row import Row, Trial, interleaved
from benchmarks.session import Session

NAME = "features of a day of flights in hourly windows / its share of a month's window"
# Every window computes its lookback of 30 days again.
BOUND = 3.0
UNIT = "s"

_HOURS = 24


def measure(session: Session) -> Row:
    """Build the features of one hour in the second month, 24 times over for a day, and those of the month."""
    flights = session.flights
    month = flights.windows[1]
    days = (month.end - month.start) / timedelta(days=1)
    noon = month.start + timedelta(days=14, hours=12)
    hour = Window(noon, noon + timedelta(hours=1))
    seconds_an_hour, seconds_a_month = interleaved(lambda: _trial(flights, hour), lambda: _trial(flights, month))
    note = f"an hour takes {seconds_an_hour:.2f} s, the month {seconds_a_month:.2f} s; both read 30 days before them"
    return Row(NAME, seconds_an_hour * _HOURS, seconds_a_month / days, bound=BOUND, unit=UNIT, note=note)


def _trial(flights: Flights, window: Window) -> Trial:
    at = Deployment(flights.pipeline, flights.settings)
    raw = cast("Validated", stage_run.stored_upstream("build_features", at, flights.windows[1])["validate_raw"])
    return _build(at, window, raw)


def _build(at: Deployment, window: Window, raw: Validated) -> Callable[[], BuiltFeatures]:
    return lambda: build_features.build_features(at, window, build_features.inputs(at, window), raw=raw)
