"""Validation of a month of landed feeds: validate_raw with Great Expectations against the same checks in polars."""

from datetime import timedelta
from typing import Any

import polars as pl

from airloop import lake, stage_run
from airloop.errors import DataContractError
from airloop.records import Validated, Window
from airloop.validate import validate_raw
from benchmarks.flights import Flights
from benchmarks.polars_checks import feed_checks, verdict
from benchmarks.row import Row, interleaved

NAME = "validate_raw of a month / polars by hand"
BOUND = 25.0

Verdicts = dict[str, tuple[int, int, int, int]]


def measure(flights: Flights) -> Row:
    """February: one row breaks a rule and one warning fires, so that agreeing means something."""
    window = flights.windows[1]
    upstream = stage_run.stored_upstream("validate_raw", flights.pipeline, window, flights.settings)
    ours = lambda: validate_raw(flights.pipeline, window, upstream, flights.settings)  # noqa: E731
    peer = lambda: _by_hand(flights, window)  # noqa: E731
    mine, theirs = _verdicts(ours()), peer()
    if mine != theirs:
        raise DataContractError(f"Great Expectations and the checks by hand disagree: {mine} and {theirs}")
    seconds = interleaved(lambda: ours, lambda: peer)
    rows = sum(counts[0] for counts in theirs.values())
    note = (
        f"{rows:,} rows, the same bad rows and warnings: the price of Great Expectations' results per rule and row; "
        "ours also publishes clean tables and the page"
    )
    return Row(NAME, *seconds, bound=BOUND, unit="s", note=note)


def _verdicts(validated: Validated) -> Verdicts:
    return {
        check.table: (check.rows, check.bad_rows, len(check.critical), len(check.warnings))
        for check in validated.checks
    }


def _by_hand(flights: Flights, window: Window) -> Verdicts:
    tables = {name: _raw_rows(flights, name, window) for name in flights.pipeline.feeds}
    checks = feed_checks((window.end - window.start) / timedelta(days=1), tables["schedule"].height)
    return {name: verdict(tables[name], checks[name]) for name in tables}


def _raw_rows(flights: Flights, feed: str, window: Window) -> pl.DataFrame:
    event_time = flights.pipeline.feeds[feed].event_time
    where: Any = None if event_time is None else lake.between(event_time, window)
    uri = lake.table_uri(flights.settings, flights.pipeline.name, "raw", feed)
    return pl.DataFrame(lake.read(uri, flights.settings, where=where))
