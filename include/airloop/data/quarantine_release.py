"""Release repaired rows from quarantine: they land as corrections, and come in through the same door as all others."""

import hashlib
import logging
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from airloop.config import Feed, Pipeline
from airloop.data import file_rows, quarantine, unreadable_rows
from airloop.data.named_periods import DAY, HOUR, named_period
from airloop.errors import ConfigError, DataContractError
from airloop.settings import Settings
from airloop.stores import lake, landed_files
from airloop.stores.files import put
from airloop.stores.landed_files import ListedFile
from airloop.stores.locks import stage_lock

logger = logging.getLogger(__name__)

Period = tuple[date, int]
"""Local day and hour by which a file is named; the hour is 0 where files are named by days."""


@dataclass(frozen=True)
class Released:
    """What a release did.

    Attributes:
        landed: URIs of the correction files it wrote, one per local day, or hour where files are named so.
        before: URIs of files that an earlier release of the same rows wrote.
    """

    landed: tuple[str, ...]
    before: tuple[str, ...]


def release(pipeline: Pipeline, feed_name: str, path: Path, settings: Settings) -> Released:
    """Land repaired rows, one correction file per local day (or hour), read after what landed for it so far.

    The rows are parsed and typed as landing does, and checked before the first file is written. Whether they keep the
    rules is judged by the data run that the inbox then starts; a row that does not goes back to quarantine. The same
    rows of a day again write nothing; killed in between, a second call writes what is missing.

    Args:
        path: CSV with the feed's columns, as `airloop quarantine list --csv` writes it.

    Raises:
        ConfigError: No such feed or file.
        DataContractError: The feed is a static table; the file breaks the feed's contract; a row has no key, has the
            key of another, is not in quarantine, or has moved to another local day or hour; names key and line.
        UpstreamUnavailable: Landing folder or lake do not answer.
    """
    feed = _dated_feed(pipeline, feed_name)
    rows = _repaired_rows(path, feed)
    with stage_lock(settings, pipeline.name, "release", feed_name):
        files = [file for file in landed_files.list_files(pipeline, settings) if file.feed == feed_name]
        parts = rows.group_by(DAY, HOUR, maintain_order=True)
        contents = {(day, hour): _content(feed, part) for (day, hour), part in parts}
        earlier = {period: _same_release(feed, period, contents[period], files, settings) for period in contents}
        new = [period for period, uri in earlier.items() if uri is None]
        mine = pl.Series([period in new for period in rows.select(DAY, HOUR).rows()], dtype=pl.Boolean)
        _refuse_strangers(pipeline, feed_name, rows.filter(mine), path, settings)
        names = {period: _name(pipeline, feed_name, period, files) for period in new}
        root = f"{settings.landing_uri}/{pipeline.name}/{feed_name}"
        for period, name in names.items():
            put(f"{root}/{name}", contents[period], settings)
    landed = tuple(f"{root}/{name}" for name in names.values())
    logger.info("%s %s: %d rows of %s released as %d files", pipeline.name, feed_name, rows.height, path, len(landed))
    return Released(landed, tuple(uri for uri in earlier.values() if uri is not None))


def _dated_feed(pipeline: Pipeline, name: str) -> Feed:
    feed = quarantine.declared_feed(pipeline, name)
    if feed.static:
        raise DataContractError(
            f"{name} is a static table, which is read whole: repair the row in {feed.files} and land that file again"
        )
    return feed


def _repaired_rows(path: Path, feed: Feed) -> pl.DataFrame:
    """The typed rows with the period by which their file is named."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    rows = file_rows.parse(str(path), content, feed, span=None, max_bad_share=1)
    unread = rows.filter(pl.col(unreadable_rows.RULE).is_not_null())
    if rows.is_empty():
        raise DataContractError(f"{path}: holds no row to release")
    if unread.height:
        row = unread.row(0, named=True)
        says = unreadable_rows.explain(feed, row[unreadable_rows.RULE], unreadable_rows.texts_of(row))
        raise DataContractError(f"{row[unreadable_rows.SOURCE]}, {says}; nothing was released")
    keys = Counter(rows.select(feed.key).rows())
    wrong = next((key for key, count in keys.items() if count > 1 or None in key), None)
    if wrong is not None:
        why = "lacks a part" if None in wrong else "is there twice"
        raise DataContractError(f"{path}: the key {_said(feed, wrong)} {why}; nothing was released")
    return rows.select(*feed.columns, *_period_of(feed))


def _period_of(feed: Feed) -> tuple[pl.Expr, pl.Expr]:
    return named_period(feed, pl.col(str(feed.event_time)))


def _content(feed: Feed, rows: pl.DataFrame) -> bytes:
    """The same rows in any order and spelling give the same bytes."""
    ordered = rows.sort(feed.key).to_dicts()
    return quarantine.to_csv(feed, [quarantine.as_landed(feed, row) for row in ordered])


def _of_period(feed: Feed, period: Period, files: list[ListedFile]) -> list[ListedFile]:
    return landed_files.of_period(feed, landed_files.named(feed, *period), files)


def _shown(feed: Feed, period: Period) -> str:
    day, hour = period
    return f"{day} {hour:02}:00" if feed.hourly else f"{day}"


def _same_release(
    feed: Feed, period: Period, content: bytes, files: list[ListedFile], settings: Settings
) -> str | None:
    digest = hashlib.sha256(content).hexdigest()
    released = [file for file in _of_period(feed, period, files) if landed_files.is_release(file.name)]
    return next((file.uri for file in released if landed_files.checksum(file, settings).sha256 == digest), None)


def _refuse_strangers(pipeline: Pipeline, name: str, rows: pl.DataFrame, path: Path, settings: Settings) -> None:
    """Refuse keys that are not in quarantine, and rows that left the local day, or hour, they stand there for."""
    feed, uri = pipeline.feeds[name], lake.table_uri(settings, pipeline.name, "quarantine", name)
    periods: dict[Any, set[Period]] = {}
    if lake.open_table(uri, settings) is not None:
        lake_keys = pl.DataFrame(lake.read(uri, settings)).select(*feed.key, *_period_of(feed))
        for *key, day, hour in lake_keys.rows():
            periods.setdefault(tuple(key), set()).add((day, hour))
    for *key, day, hour in rows.select(*feed.key, DAY, HOUR).rows():
        if tuple(key) not in periods:
            raise DataContractError(
                f"{path}: {_said(feed, key)} is not in quarantine of {name} (released or corrected already?), nothing "
                f"was released; leave it out, `airloop quarantine list {pipeline.name} --feed {name}` shows what is"
            )
        if (day, hour) not in periods[tuple(key)]:
            before, now = _shown(feed, min(periods[tuple(key)])), _shown(feed, (day, hour))
            raise DataContractError(
                f"{path}: {_said(feed, key)} stands in quarantine for {before}, its {feed.event_time} now lies in "
                f"{now}: it would stand in both. Keep the time within {before}, or have the files of both landed again"
            )


def _name(pipeline: Pipeline, name: str, period: Period, files: list[ListedFile]) -> str:
    feed = pipeline.feeds[name]
    there = [file.name for file in _of_period(feed, period, files)]
    if not there:
        raise DataContractError(
            f"no file of {name} for {_shown(feed, period)} lies in the landing folder any more: a data run would see "
            "the released rows alone, and delete the others; put the files back first"
        )
    return landed_files.release_name(feed, landed_files.named(feed, *period), there)


def _said(feed: Feed, key: Any) -> str:
    return ", ".join(f"{name} {value!r}" for name, value in zip(feed.key, key, strict=True))
