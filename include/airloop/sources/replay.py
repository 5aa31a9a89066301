"""What `replay` in a pipeline.yaml names: an upstream system whose past lands again, file by file, as it once came."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from datetime import date, datetime
from difflib import get_close_matches
from typing import ClassVar

import polars as pl
from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs

from airloop.errors import ConfigError
from airloop.stores.files import publish

logger = logging.getLogger(__name__)


class Replay(ABC):
    """Feeds of CSV files: a header row, UTC timestamps (`2013-01-01T10:15:00Z`), empty = null.

    `<landing_uri>/<feed>/<YYYY-MM-DD>.csv`, one file per day that has rows, unless `file_name` says otherwise.

    Attributes:
        name: Of the upstream system, in messages.
        feeds: Names of the feeds in landing order.
    """

    name: ClassVar[str]
    feeds: ClassVar[tuple[str, ...]]

    @property
    @abstractmethod
    def coverage(self) -> tuple[datetime, datetime]:
        """`[start, end)` in UTC of the events."""

    @abstractmethod
    def frame(self, feed: str) -> pl.DataFrame:
        """All rows of a feed, typed (timestamps Datetime("us", "UTC")), in the order in which they land.

        Raises:
            ConfigError: There is no such feed.
        """

    @abstractmethod
    def available_at(self, feed: str, day: date) -> datetime:
        """When (UTC) the file of a day lands.

        Raises:
            ConfigError: There is no such feed.
        """

    @abstractmethod
    def files(self, feed: str) -> Mapping[date, pl.DataFrame]:
        """The rows of each file of a feed, by ascending day.

        Raises:
            ConfigError: There is no such feed.
        """

    def file_name(self, _feed: str, day: date) -> str:
        """Name of the file of a day."""
        return f"{day}.csv"

    def days(self, feed: str) -> tuple[date, ...]:
        """The days that have a file, ascending.

        Raises:
            ConfigError: There is no such feed.
        """
        return tuple(self.files(feed))

    def land(
        self,
        landing_uri: str,
        *,
        until: datetime,
        feeds: Collection[str] | None = None,
        storage_options: Mapping[str, str] | None = None,
    ) -> tuple[str, ...]:
        """Write every file with available_at <= until that is not there yet, oldest first, each whole.

        A file that exists is never touched, so a second call writes nothing; airloop.stores.files says what a killed
        call may leave behind.

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
        chosen = [self.known(feed) for feed in (self.feeds if feeds is None else feeds)]
        due = [
            (self.available_at(feed, day), feed, day)
            for feed in self.feeds
            if feed in chosen
            for day in self.files(feed)
        ]
        system, root = url_to_fs(landing_uri, **(storage_options or {}))
        landed = {feed: _names(system, f"{root}/{feed}") for feed in chosen}
        written = []
        for available_at, feed, day in sorted(due, key=lambda file: file[0]):
            name = self.file_name(feed, day)
            if available_at > until or name in landed[feed]:
                continue
            uri = f"{landing_uri.rstrip('/')}/{feed}/{name}"
            text = self.files(feed)[day].write_csv(datetime_format="%Y-%m-%dT%H:%M:%SZ")
            publish(uri, text.encode(), storage_options or {})
            written.append(uri)
        logger.info("%s landed %d files until %s at %s", self.name, len(written), until, landing_uri)
        return tuple(written)

    def known(self, feed: str) -> str:
        """The feed's name.

        Raises:
            ConfigError: There is no such feed.
        """
        if feed not in self.feeds:
            nearest = get_close_matches(feed, self.feeds, cutoff=0.5) or self.feeds
            raise ConfigError(f"{self.name} has no feed {feed!r}; nearest: {', '.join(nearest)}")
        return feed


def by_day(frame: pl.DataFrame, stamp: str, timezone: str = "UTC") -> Mapping[date, pl.DataFrame]:
    """The rows of each local day of the column `stamp`, by ascending day, in the order they have."""
    day = pl.col(stamp).dt.convert_time_zone(timezone).dt.date()
    parts = frame.with_columns(day.alias("_day")).partition_by("_day", as_dict=True, include_key=False)
    return {day: parts[day,] for (day,) in sorted(parts)}


def _names(system: AbstractFileSystem, folder: str) -> set[str]:
    system.invalidate_cache(folder)
    try:
        return {path.rsplit("/", 1)[-1] for path in system.ls(folder, detail=False)}
    except FileNotFoundError:
        return set()
