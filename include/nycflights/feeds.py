"""Land the feeds as files, each when it would have been known, as an upstream system would deliver them."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from airloop.sources.replay import Replay, by_day
from nycflights import source

_FIRST_DAY: Final = date(2013, 1, 1)
_LAST_DAY: Final = date(2013, 12, 31)


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


class NycFlights(Replay):
    """The year 2013 as six feeds.

    One file per New York local day that has rows (sorted by the day's column):

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

    name = "nycflights"
    feeds = tuple(_AVAILABLE)

    @property
    def coverage(self) -> tuple[datetime, datetime]:
        """`[start, end)` in UTC of the scheduled departures: New York's midnights around 2013."""
        return _midnight(_FIRST_DAY), _midnight(_LAST_DAY + timedelta(days=1))

    def frame(self, feed: str) -> pl.DataFrame:
        """See Replay."""
        return source.load()[self.known(feed)]

    def files(self, feed: str) -> Mapping[date, pl.DataFrame]:
        """See Replay; the one file of planes and of airports stands under the first day."""
        return _files(self.known(feed))

    def file_name(self, feed: str, day: date) -> str:
        """See Replay."""
        return super().file_name(feed, day) if feed in source.STAMPS else f"{feed}.csv"

    def days(self, feed: str) -> tuple[date, ...]:
        """The New York local days that have a file, ascending; none for planes and airports."""
        return tuple(day for day in self.files(feed) if feed in source.STAMPS)

    def available_at(self, feed: str, day: date) -> datetime:
        """When (UTC) the file of a New York local day lands.

        schedule: one local day before the day begins (= effective_at - 1 day). departures, weather: end of the
        day + 1 h. arrivals: end of the day + 3 h. planes, airports: 60 days before the coverage, whatever the day.
        """
        return _AVAILABLE[self.known(feed)](day)


class NycWeather(NycFlights):
    """The weather feed of NycFlights alone, for who predicts the weather and not the flights."""

    name = "nycflights' weather"
    feeds = ("weather",)

    @property
    def coverage(self) -> tuple[datetime, datetime]:
        """`[start, end)` in UTC of the observations."""
        observed_at = self.frame("weather")[source.STAMPS["weather"]]
        return observed_at[0], observed_at[-1] + timedelta(hours=1)


@cache
def _files(feed: str) -> Mapping[date, pl.DataFrame]:
    frame = source.load()[feed]
    return by_day(frame, source.STAMPS[feed], source.NEW_YORK) if feed in source.STAMPS else {_FIRST_DAY: frame}
