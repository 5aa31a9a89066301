"""Land the scans of a day when the day is over, and what a person keyed in for them a day later."""

import base64
import logging
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from types import MappingProxyType
from typing import Final

import fsspec
import numpy as np
import polars as pl
from sklearn.datasets import load_digits

from airloop.errors import ConfigError
from airloop.publishing import publish

SCANS_A_DAY: Final = 14
_FIRST_SCAN: Final = datetime(2024, 1, 1, 8, tzinfo=UTC)
_BETWEEN_SCANS: Final = timedelta(minutes=40)
_KEYED_AFTER: Final = timedelta(days=1)
_STAMPS: Final = MappingProxyType({"scans": "scanned_at", "keyed": "keyed_at"})

_log = logging.getLogger(__name__)


class DigitScans:
    """1,797 scans from 2024-01-01 on, 14 a day from 08:00 UTC every 40 minutes, in the data set's order.

    `<landing_uri>/<feed>/<YYYY-MM-DD>.csv`, one file per UTC day, sorted by its stamp:

    - scans (day of scanned_at): scan_id (`scan-0001`), scanned_at, image (base64 of 64 bytes: the 8 rows of an 8 x 8
      picture from the top, each pixel the ink from 0 to 16).
    - keyed (day of keyed_at, a day after the scan): scan_id, keyed_at, digit (0 to 9).
    """

    feeds: Final = tuple(_STAMPS)

    @property
    def coverage(self) -> tuple[datetime, datetime]:
        """`[start, end)` in UTC of the days of scans."""
        days = self.days("scans")
        return _midnight(days[0]), _midnight(days[-1] + timedelta(days=1))

    def days(self, feed: str) -> tuple[date, ...]:
        """The UTC days that have a file, ascending.

        Raises:
            ConfigError: There is no such feed.
        """
        return tuple(_files(self._known(feed)))

    def frame(self, feed: str) -> pl.DataFrame:
        """All rows of a feed, typed (timestamps Datetime("us", "UTC")), in the order in which they land.

        Raises:
            ConfigError: There is no such feed.
        """
        return _frames()[self._known(feed)]

    def available_at(self, feed: str, day: date) -> datetime:
        """When (UTC) the file of a day lands: an hour after the day is over.

        Raises:
            ConfigError: There is no such feed.
        """
        self._known(feed)
        return _midnight(day + timedelta(days=1)) + timedelta(hours=1)

    def land(
        self,
        landing_uri: str,
        *,
        until: datetime,
        feeds: Collection[str] | None = None,
        storage_options: Mapping[str, str] | None = None,
    ) -> tuple[str, ...]:
        """Write every file with available_at <= until that is not there yet, oldest first, each whole.

        A file that exists is never touched, so a second call writes nothing.

        Args:
            landing_uri: fsspec URL or path; created when missing.
            until: Timezone-aware data time.
            feeds: Names out of `feeds`; None means all.
            storage_options: Passed to the fsspec file system.

        Returns:
            URIs of the files written, in the order of landing.

        Raises:
            ValueError: `until` has no timezone.
            ConfigError: A feed does not exist.
        """
        if until.utcoffset() is None:
            raise ValueError(f"until must be timezone-aware, e.g. datetime(2024, 2, 1, tzinfo=UTC); got {until!r}")
        wanted = [self._known(feed) for feed in (self.feeds if feeds is None else feeds)]
        due = sorted(
            (self.available_at(feed, day), self.feeds.index(feed), day) for feed in wanted for day in _files(feed)
        )
        written = []
        for available_at, index, day in due:
            uri = f"{landing_uri.rstrip('/')}/{self.feeds[index]}/{day}.csv"
            if available_at > until or _exists(uri, storage_options or {}):
                continue
            text = _files(self.feeds[index])[day].write_csv(datetime_format="%Y-%m-%dT%H:%M:%SZ")
            publish(uri, text.encode(), storage_options or {})
            written.append(uri)
        _log.info("digits landed %d files until %s at %s", len(written), until, landing_uri)
        return tuple(written)

    def _known(self, feed: str) -> str:
        if feed not in self.feeds:
            raise ConfigError(f"digits have no feed {feed!r}; nearest: {', '.join(self.feeds)}")
        return feed


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _exists(uri: str, storage_options: Mapping[str, str]) -> bool:
    system, path = fsspec.core.url_to_fs(uri, **storage_options)
    return bool(system.exists(path))


@cache
def _frames() -> MappingProxyType[str, pl.DataFrame]:
    images, digits = load_digits(return_X_y=True)
    scanned_at = [
        _FIRST_SCAN + timedelta(days=number // SCANS_A_DAY) + number % SCANS_A_DAY * _BETWEEN_SCANS
        for number in range(len(digits))
    ]
    scans = pl.DataFrame(
        {
            "scan_id": [f"scan-{number:04}" for number in range(1, len(digits) + 1)],
            "scanned_at": scanned_at,
            "image": [base64.b64encode(image.astype(np.uint8).tobytes()).decode() for image in images],
        }
    )
    keyed = scans.select("scan_id", keyed_at=pl.col("scanned_at") + _KEYED_AFTER, digit=pl.Series(digits))
    return MappingProxyType({"scans": scans, "keyed": keyed})


@cache
def _files(feed: str) -> Mapping[date, pl.DataFrame]:
    day = pl.col(_STAMPS[feed]).dt.date()
    parts = _frames()[feed].with_columns(day.alias("_day")).partition_by("_day", as_dict=True, include_key=False)
    return {key[0]: part for key, part in sorted(parts.items())}
