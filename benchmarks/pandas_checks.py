"""The rules of flight_delays/expectations.yaml for landed feeds, written by hand in pandas."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

Breaks = Callable[[pd.DataFrame], "pd.Series | bool"]


@dataclass(frozen=True)
class Check:
    """`breaks` marks rows that break a row rule, or is one value for a rule about the table."""

    breaks: Breaks
    critical: bool = True
    mostly: float = 1.0


def _nulls(column: str, *, critical: bool = True, mostly: float = 1.0) -> Check:
    return Check(lambda rows: rows[column].isna(), critical, mostly)


def _duplicates(*columns: str) -> Check:
    names = list(columns)
    return Check(lambda rows: rows.duplicated(names, keep=False) & rows[names].notna().all(axis=1))


def _outside(column: str, lowest: float, highest: float, *, critical: bool = True) -> Check:
    return Check(lambda rows: (rows[column] < lowest) | (rows[column] > highest), critical)


def _unlike(column: str, pattern: str) -> Check:
    return Check(lambda rows: ~rows[column].str.match(pattern, na=True).astype(bool))


def _no_airport(column: str) -> Check:
    return Check(lambda rows: ~rows[column].isin(["EWR", "JFK", "LGA"]) & rows[column].notna())


def _row_count(lowest: float, highest: float) -> Check:
    return Check(lambda rows: not lowest <= len(rows) <= highest, critical=False)


def _after(late: str, early: str, *, or_equal: bool = False) -> Check:
    return Check(lambda rows: rows[late] < rows[early] if or_equal else rows[late] <= rows[early])


def feed_checks(days: float, schedule_rows: int) -> dict[str, tuple[Check, ...]]:
    """Feed -> its checks, for a window of `days`."""
    return {
        "schedule": (
            _nulls("flight_id"),
            _duplicates("flight_id"),
            _nulls("carrier"),
            _unlike("carrier", "^[0-9A-Z]{2}$"),
            _nulls("origin"),
            _no_airport("origin"),
            _nulls("dest"),
            _unlike("dest", "^[A-Z]{3}$"),
            _nulls("distance_miles"),
            _outside("distance_miles", 50, 6000),
            _nulls("scheduled_departure"),
            _nulls("scheduled_arrival"),
            _after("scheduled_arrival", "scheduled_departure"),
            _nulls("effective_at"),
            _after("scheduled_departure", "effective_at", or_equal=True),
            _nulls("tailnum", critical=False, mostly=0.97),
            _row_count(days * 700, days * 1200),
        ),
        "departures": (
            _nulls("flight_id"),
            _duplicates("flight_id"),
            _nulls("departure_delay_minutes"),
            _outside("departure_delay_minutes", -120, 2000),
            _row_count(schedule_rows * 0.955, schedule_rows * 1.01),
        ),
        "weather": (
            _nulls("origin"),
            _no_airport("origin"),
            _duplicates("origin", "observed_at"),
            _nulls("observed_at"),
            _nulls("temp", critical=False, mostly=0.98),
            _outside("temp", -40, 130),
            _nulls("wind_speed", critical=False, mostly=0.98),
            _outside("wind_speed", 0, 200),
            _nulls("pressure", critical=False, mostly=0.8),
            _row_count(days * 68, float("inf")),
        ),
        "planes": (
            _nulls("tailnum"),
            _duplicates("tailnum"),
            _outside("seats", 1, 900, critical=False),
            _outside("manufactured_year", 1950, 2013, critical=False),
        ),
        "airports": (
            _nulls("faa"),
            _duplicates("faa"),
            _outside("lat", -90, 90, critical=False),
            _outside("lon", -180, 180, critical=False),
        ),
        "arrivals": (
            _nulls("flight_id"),
            _duplicates("flight_id"),
            _nulls("arrival_delay_minutes"),
            _outside("arrival_delay_minutes", -120, 2000),
            _nulls("air_time_minutes", critical=False),
        ),
    }


def verdict(rows: pd.DataFrame, checks: tuple[Check, ...]) -> tuple[int, int, int, int]:
    """Rows, rows breaking a critical rule, critical rules broken, warnings broken."""
    results = [(check, check.breaks(rows)) for check in checks]
    masks = [broken for check, broken in results if check.critical and isinstance(broken, pd.Series)]
    bad_rows = int(pd.concat(masks, axis=1).any(axis=1).sum()) if masks else 0
    failed = [check for check, broken in results if _fails(check, broken, len(rows))]
    critical = sum(check.critical for check in failed)
    return len(rows), bad_rows, critical, len(failed) - critical


def _fails(check: Check, broken: "pd.Series | bool", rows: int) -> bool:
    return bool(broken.sum() > (1 - check.mostly) * rows) if isinstance(broken, pd.Series) else broken
