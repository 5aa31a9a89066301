"""Land the feeds as files, each when it would have been known, as an upstream system would deliver them."""

import logging
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from functools import cache
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl
from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs

from airloop.errors import ConfigError
from airloop.publishing import publish
from nycflights import source

_FIRST_DAY: Final = date(2013, 1, 1)
_LAST_DAY: Final = date(2013, 12, 31)

_log = logging.getLogger(__name__)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(source.NEW_YORK)).astimezone(UTC)


def _before_coverage(_: date) -> datetime:
    return _midnight(_FIRST_DAY) - timedelta(days=60)


def _day_ahead(day: date) -> datetime:
    return _midnight(day - timedelta(days=1))


def _hours_after(hours: int) -> Callable[[date], datetime]:
    return lambda day: _midnight(day + timedelta(days=1)) + timedelta(hours=hours)


_AVAILABLE: Final[Mapping[str, Callable[[date], datetime]]] = MappingProxyType(
    {
        "planes": _before_coverage,
        "airports": _before_coverage,
        "schedule": _day_ahead,
        "departures": _hours_after(1),
        "weather": _hours_after(1),
        "arrivals": _hours_after(3),
    }
)


class NycFlights:
    """The year 2013 as six feeds of CSV files with a header row, UTC timestamps (`2013-01-01T10:15:00Z`), empty = null.

    `<landing_uri>/<feed>/<YYYY-MM-DD>.csv`, one file per New York local day that has rows (sorted by the day's column):

    - schedule (day of scheduled_departure): flight_id, carrier, flight, tailnum, origin, dest, scheduled_departure,
      scheduled_arrival, distance_miles, effective_at (the day's local midnight). Cancelled flights are in it, 30 % of
      them without tailnum.
    - departures (day of departed_at): flight_id, departed_at, departure_delay_minutes (negative = early).
    - weather (day of observed_at): origin, observed_at, temp and dewp (F), humid (%), wind_dir (degrees), wind_speed
      and wind_gust (mph), precip (inches), pressure (millibars), visib (miles).
    - arrivals (day of arrived_at): flight_id, arrived_at, arrival_delay_minutes, air_time_minutes.

    `<landing_uri>/<feed>/<feed>.csv`, one file each:

    - planes: tailnum, manufactured_year, type, manufacturer, model, engines, seats, speed, engine.
    - airports: faa, name, lat, lon, alt, tz, dst, tzone.

    Outcomes of the last evening fall on 2014-01-01 local; weather ends on 2013-12-30 (the source has none after it).
    """

    @property
    def feeds(self) -> tuple[str, ...]:
        """Names of the feeds in landing order."""
        return tuple(_AVAILABLE)

    @property
    def coverage(self) -> tuple[datetime, datetime]:
        """`[start, end)` in UTC of the scheduled departures: New York's midnights around 2013."""
        return _midnight(_FIRST_DAY), _midnight(_LAST_DAY + timedelta(days=1))

    def days(self, feed: str) -> tuple[date, ...]:
        """The New York local days that have a file, ascending; none for planes and airports.

        Raises:
            ConfigError: There is no such feed.
        """
        return tuple(day for day in _files(self._known(feed)) if feed in source.STAMPS)

    def frame(self, feed: str) -> pl.DataFrame:
        """All rows of a feed, typed (timestamps Datetime("us", "UTC")), in the order in which they land.

        Raises:
            ConfigError: There is no such feed.
        """
        return source.load()[self._known(feed)]

    def available_at(self, feed: str, day: date) -> datetime:
        """When (UTC) the file of a New York local day lands.

        schedule: one local day before the day begins (= effective_at - 1 day). departures, weather: end of the
        day + 1 h. arrivals: end of the day + 3 h. planes, airports: 60 days before the coverage, whatever the day.

        Raises:
            ConfigError: There is no such feed.
        """
        return _AVAILABLE[self._known(feed)](day)

    def land(
        self,
        landing_uri: str,
        *,
        until: datetime,
        feeds: Collection[str] | None = None,
        storage_options: Mapping[str, str] | None = None,
    ) -> tuple[str, ...]:
        """Write every file with available_at <= until that is not there yet, oldest first.

        A file that exists is never touched, so a second call writes nothing. A file appears whole or not at all: on
        file systems it is renamed from `.<name>.<random>.partial` in the same folder (all that a killed call may leave
        behind), on object stores it is one put.

        Args:
            landing_uri: fsspec URL or path; created when missing (a bucket is not).
            until: Timezone-aware data time.
            feeds: Names out of `feeds`; None means all.
            storage_options: Passed to the fsspec file system.

        Returns:
            URIs of the files written, below `landing_uri` as given, in the order of landing.

        Raises:
            ValueError: `until` has no timezone.
            ConfigError: A feed does not exist.
        """
        if until.utcoffset() is None:
            raise ValueError(f"until must be timezone-aware, e.g. datetime(2013, 2, 1, tzinfo=UTC); got {until!r}")
        wanted = [self._known(feed) for feed in (self.feeds if feeds is None else feeds)]
        due = [
            (self.available_at(feed, day), feed, day) for feed in self.feeds if feed in wanted for day in _files(feed)
        ]
        fs, root = url_to_fs(landing_uri, **(storage_options or {}))
        landed = {feed: _names(fs, f"{root}/{feed}") for feed in wanted}
        written = []
        for available_at, feed, day in sorted(due, key=lambda file: file[0]):
            name = f"{day if feed in source.STAMPS else feed}.csv"
            if available_at > until or name in landed[feed]:
                continue
            uri = f"{landing_uri.rstrip('/')}/{feed}/{name}"
            publish(uri, _csv(_files(feed)[day]), storage_options or {})
            written.append(uri)
        _log.info("nycflights landed %d files until %s at %s", len(written), until, landing_uri)
        return tuple(written)

    def _known(self, feed: str) -> str:
        if feed not in _AVAILABLE:
            nearest = get_close_matches(feed, _AVAILABLE, cutoff=0.5) or list(_AVAILABLE)
            raise ConfigError(f"nycflights has no feed {feed!r}; nearest: {', '.join(nearest)}")
        return feed


class NycWeather:
    """The weather feed of NycFlights alone, for who predicts the weather and not the flights."""

    feeds: Final = ("weather",)

    def __init__(self) -> None:
        self._all = NycFlights()

    @property
    def coverage(self) -> tuple[datetime, datetime]:
        """`[start, end)` in UTC of the observations."""
        observed_at = self._all.frame("weather")[source.STAMPS["weather"]]
        return observed_at[0], observed_at[-1] + timedelta(hours=1)

    def days(self, feed: str) -> tuple[date, ...]:
        """See NycFlights."""
        return self._all.days(self._known(feed))

    def frame(self, feed: str) -> pl.DataFrame:
        """See NycFlights."""
        return self._all.frame(self._known(feed))

    def available_at(self, feed: str, day: date) -> datetime:
        """See NycFlights."""
        return self._all.available_at(self._known(feed), day)

    def land(
        self,
        landing_uri: str,
        *,
        until: datetime,
        feeds: Collection[str] | None = None,
        storage_options: Mapping[str, str] | None = None,
    ) -> tuple[str, ...]:
        """See NycFlights."""
        wanted = [self._known(feed) for feed in (self.feeds if feeds is None else feeds)]
        return self._all.land(landing_uri, until=until, feeds=wanted, storage_options=storage_options)

    def _known(self, feed: str) -> str:
        if feed not in self.feeds:
            raise ConfigError(f"nycflights' weather has no feed {feed!r}; nearest: {', '.join(self.feeds)}")
        return feed


@cache
def _files(feed: str) -> Mapping[date, pl.DataFrame]:
    frame = source.load()[feed]
    if feed not in source.STAMPS:
        return {_FIRST_DAY: frame}
    local_day = pl.col(source.STAMPS[feed]).dt.convert_time_zone(source.NEW_YORK).dt.date()
    parts = frame.with_columns(local_day.alias("_day")).partition_by("_day", as_dict=True, include_key=False)
    return {day: parts[day,] for (day,) in sorted(parts)}


def _csv(frame: pl.DataFrame) -> bytes:
    return frame.write_csv(datetime_format="%Y-%m-%dT%H:%M:%SZ").encode()


def _names(fs: AbstractFileSystem, folder: str) -> set[str]:
    fs.invalidate_cache(folder)
    try:
        return {path.rsplit("/", 1)[-1] for path in fs.ls(folder, detail=False)}
    except FileNotFoundError:
        return set()
