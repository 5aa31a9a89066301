"""The local day, or hour of it, by which the file of an event is named."""

import polars as pl

from airloop.config import Feed

DAY, HOUR = "_day", "_hour"


def named_period(feed: Feed, instant: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Day and hour of an instant (UTC) as the columns DAY and HOUR; the hour is 0 where files are named by days."""
    local = instant.dt.convert_time_zone(feed.day_timezone)
    hour = local.dt.hour() if feed.hourly else local.dt.hour() * 0
    return local.dt.date().alias(DAY), hour.alias(HOUR)
