"""Land the scans of a day when the day is over, and what a person keyed in for them a day later."""

import base64
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from types import MappingProxyType
from typing import Final

import numpy as np
import polars as pl

from airloop.sources.replay import Replay, by_day

SCANS_A_DAY: Final = 14
_FIRST_SCAN: Final = datetime(2024, 1, 1, 8, tzinfo=UTC)
_BETWEEN_SCANS: Final = timedelta(minutes=40)
_KEYED_AFTER: Final = timedelta(days=1)
_STAMPS: Final = MappingProxyType({"scans": "scanned_at", "keyed": "keyed_at"})


class DigitScans(Replay):
    """1,797 scans from 2024-01-01 on, 14 a day from 08:00 UTC every 40 minutes, in the data set's order.

    One file per UTC day, sorted by its stamp:

    - scans (day of scanned_at): scan_id (`scan-0001`), scanned_at, image (base64 of 64 bytes: the 8 rows of an 8 x 8
      picture from the top, each pixel the ink from 0 to 16).
    - keyed (day of keyed_at, a day after the scan): scan_id, keyed_at, digit (0 to 9).
    """

    name = "digits"
    feeds = tuple(_STAMPS)

    @property
    def coverage(self) -> tuple[datetime, datetime]:
        """`[start, end)` in UTC of the days of scans."""
        days = self.days("scans")
        return _midnight(days[0]), _midnight(days[-1] + timedelta(days=1))

    def frame(self, feed: str) -> pl.DataFrame:
        """See Replay."""
        return _frames()[self.known(feed)]

    def files(self, feed: str) -> Mapping[date, pl.DataFrame]:
        """See Replay."""
        return _files(self.known(feed))

    def available_at(self, feed: str, day: date) -> datetime:
        """When (UTC) the file of a day lands: an hour after the day is over."""
        self.known(feed)
        return _midnight(day + timedelta(days=1)) + timedelta(hours=1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


@cache
def _frames() -> MappingProxyType[str, pl.DataFrame]:
    # Only here: `pipelines check` looks at the class, and scikit-learn takes longer than all it checks.
    from sklearn.datasets import load_digits

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
    return by_day(_frames()[feed], _STAMPS[feed])
