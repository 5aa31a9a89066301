"""What Great Expectations costs: a month of landed feeds judged by it, and by the same rules in plain pandas."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pyarrow as pa

from airloop.data.expectations import load_expectations
from airloop.data.judgement import Judgement, judge
from airloop.errors import DataContractError
from airloop.records import Window
from airloop.stores import lake
from benchmarks.flights import Flights
from benchmarks.pandas_checks import feed_checks, verdict
from benchmarks.row import Row, interleaved
from benchmarks.session import Session

NAME = "a month's rules by Great Expectations / plain pandas"
# The price accepted for results per rule and row, severities and parameters from one YAML file.
BOUND = 12.0
UNIT = "s"

Tables = dict[str, pa.Table]
Verdicts = dict[str, tuple[int, int, int, int]]


def measure(session: Session) -> Row:
    """February: one row breaks a rule and one warning fires, so that agreeing means something."""
    flights, window = session.flights, session.flights.windows[1]
    tables = {feed: _raw_rows(flights, feed, window) for feed in flights.pipeline.feeds}
    days = (window.end - window.start) / timedelta(days=1)
    ours = lambda: _by_great_expectations(flights, tables, days)  # noqa: E731
    peer = lambda: _by_hand(tables, days)  # noqa: E731
    mine, theirs = ours(), peer()
    if mine != theirs:
        raise DataContractError(f"Great Expectations and the checks by hand disagree: {mine} and {theirs}")
    seconds = interleaved(lambda: ours, lambda: peer)
    rows = sum(counts[0] for counts in theirs.values())
    note = (
        f"{rows:,} rows of {len(tables)} feeds, already read; the same bad rows and warnings. Ours also keeps examples "
        "and the rule of every bad row; reading, publishing and the page are not in it"
    )
    return Row(NAME, *seconds, bound=BOUND, unit=UNIT, note=note)


def _by_great_expectations(flights: Flights, tables: Tables, days: float) -> Verdicts:
    rules = load_expectations(flights.pipeline, flights.settings).raw
    parameters = {"window_days": days, **{f"{feed}_rows": float(rows.num_rows) for feed, rows in tables.items()}}
    return {
        feed: _counts(judge(feed, rows, rules[feed], parameters=parameters, **_asked(flights, feed)))
        for feed, rows in tables.items()
    }


def _asked(flights: Flights, feed: str) -> Mapping[str, Any]:
    pipeline = flights.pipeline
    return {"key": pipeline.feeds[feed].key, "max_bad_share": pipeline.validation.max_bad_share}


def _counts(judged: Judgement) -> tuple[int, int, int, int]:
    check = judged.check
    return check.rows, check.bad_rows, len(check.critical), len(check.warnings)


def _by_hand(tables: Tables, days: float) -> Verdicts:
    checks = feed_checks(days, tables["schedule"].num_rows)
    return {feed: verdict(rows.to_pandas(), checks[feed]) for feed, rows in tables.items()}


def _raw_rows(flights: Flights, feed: str, window: Window) -> pa.Table:
    event_time = flights.pipeline.feeds[feed].event_time
    where: Any = None if event_time is None else lake.between(event_time, window)
    uri = lake.table_uri(flights.settings, flights.pipeline.name, "raw", feed)
    return lake.read(uri, flights.settings, where=where)
