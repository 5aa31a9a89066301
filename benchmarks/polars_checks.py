"""The rules of flight_delays/expectations.yaml for landed feeds, written by hand in polars."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Check:
    """`bad` marks rows that break a row rule, or is one value for a rule about the table."""

    bad: pl.Expr
    critical: bool = True
    mostly: float = 1.0


def _nulls(column: str, *, critical: bool = True, mostly: float = 1.0) -> Check:
    return Check(pl.col(column).is_null(), critical, mostly)


def _duplicates(*columns: str) -> Check:
    return Check(pl.struct(columns).is_duplicated() & pl.all_horizontal(pl.col(columns).is_not_null()))


def _outside(column: str, lowest: float, highest: float, *, critical: bool = True) -> Check:
    return Check(~pl.col(column).is_between(lowest, highest), critical)


def _unlike(column: str, pattern: str) -> Check:
    return Check(~pl.col(column).str.contains(pattern))


def _no_airport(column: str) -> Check:
    return Check(~pl.col(column).is_in(["EWR", "JFK", "LGA"]))


def _row_count(lowest: float, highest: float) -> Check:
    return Check(~pl.len().is_between(lowest, highest), critical=False)


def _after(late: str, early: str, *, or_equal: bool = False) -> Check:
    return Check(pl.col(late) < pl.col(early) if or_equal else pl.col(late) <= pl.col(early))


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


def verdict(rows: pl.DataFrame, checks: tuple[Check, ...]) -> tuple[int, int, int, int]:
    """Rows, rows breaking a critical rule, critical rules broken, warnings broken."""
    broken = rows.select(pl.any_horizontal(check.bad.fill_null(False) for check in checks if check.critical).sum())
    counts = rows.select(check.bad.fill_null(False).sum().alias(str(n)) for n, check in enumerate(checks)).row(0)
    failed = [check for check, bad in zip(checks, counts, strict=True) if bad > (1 - check.mostly) * rows.height]
    critical = sum(check.critical for check in failed)
    return rows.height, int(broken.item()), critical, len(failed) - critical
