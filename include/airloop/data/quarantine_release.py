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
from airloop.errors import ConfigError, DataContractError
from airloop.settings import Settings
from airloop.stores import lake, landed_files
from airloop.stores.files import put
from airloop.stores.landed_files import ListedFile
from airloop.stores.locks import stage_lock

logger = logging.getLogger(__name__)

_DAY = "_day"


@dataclass(frozen=True)
class Released:
    """What a release did.

    Attributes:
        landed: URIs of the correction files it wrote, one per local day.
        before: URIs of files that an earlier release of the same rows wrote.
    """

    landed: tuple[str, ...]
    before: tuple[str, ...]


def release(pipeline: Pipeline, feed_name: str, path: Path, settings: Settings) -> Released:
    """Land repaired rows, one correction file per local day, read after everything that landed for that day so far.

    The rows are parsed and typed as landing does, and checked before the first file is written. Whether they keep the
    rules is judged by the data run that the inbox then starts; a row that does not goes back to quarantine. The same
    rows of a day again write nothing; killed in between, a second call writes what is missing.

    Args:
        path: CSV with the feed's columns, as `airloop quarantine list --csv` writes it.

    Raises:
        ConfigError: No such feed or file.
        DataContractError: The feed is a static table; the file breaks the feed's contract; a row has no key, has the
            key of another, is not in quarantine, or has moved to another local day; names key and line.
        UpstreamUnavailable: Landing folder or lake do not answer.
    """
    feed = _dated_feed(pipeline, feed_name)
    rows = _repaired_rows(path, feed)
    with stage_lock(settings, pipeline.name, "release", feed_name):
        files = [file for file in landed_files.list_files(pipeline, settings) if file.feed == feed_name]
        contents = {day: _content(feed, part) for (day,), part in rows.group_by(_DAY, maintain_order=True)}
        earlier = {day: _same_release(feed, day, contents[day], files, settings) for day in contents}
        new = [day for day, uri in earlier.items() if uri is None]
        _refuse_strangers(pipeline, feed_name, rows.filter(pl.col(_DAY).is_in(new)), path, settings)
        names = {day: _name(pipeline, feed_name, day, files) for day in new}
        root = f"{settings.landing_uri}/{pipeline.name}/{feed_name}"
        for day, name in names.items():
            put(f"{root}/{name}", contents[day], settings)
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
    """The typed rows with their local day."""
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
    return rows.select(*feed.columns, _local_day(feed))


def _local_day(feed: Feed) -> pl.Expr:
    return pl.col(str(feed.event_time)).dt.convert_time_zone(feed.day_timezone).dt.date().alias(_DAY)


def _content(feed: Feed, rows: pl.DataFrame) -> bytes:
    """The same rows in any order and spelling give the same bytes."""
    ordered = rows.sort(feed.key).to_dicts()
    return quarantine.to_csv(feed, [quarantine.as_landed(feed, row) for row in ordered])


def _of_day(feed: Feed, day: Any, files: list[ListedFile]) -> list[ListedFile]:
    span = landed_files.file_span(feed, feed.files.replace("{day}", str(day), 1))
    return [file for file in files if span is not None and landed_files.file_span(feed, file.name) == span]


def _same_release(feed: Feed, day: Any, content: bytes, files: list[ListedFile], settings: Settings) -> str | None:
    digest = hashlib.sha256(content).hexdigest()
    released = [file for file in _of_day(feed, day, files) if landed_files.is_release(file.name)]
    return next((file.uri for file in released if landed_files.checksum(file, settings).sha256 == digest), None)


def _refuse_strangers(pipeline: Pipeline, name: str, rows: pl.DataFrame, path: Path, settings: Settings) -> None:
    """Refuse keys that are not in quarantine, and rows that left the local day they stand there for."""
    feed, uri = pipeline.feeds[name], lake.table_uri(settings, pipeline.name, "quarantine", name)
    days: dict[Any, set[date]] = {}
    if lake.open_table(uri, settings) is not None:
        held = pl.DataFrame(lake.read(uri, settings)).select(*feed.key, _local_day(feed))
        for *key, day in held.rows():
            days.setdefault(tuple(key), set()).add(day)
    for *key, day in rows.select(*feed.key, _DAY).rows():
        if tuple(key) not in days:
            raise DataContractError(
                f"{path}: {_said(feed, key)} is not in quarantine of {name} (released or corrected already?), nothing "
                f"was released; leave it out, `airloop quarantine list {pipeline.name} --feed {name}` shows what is"
            )
        if day not in days[tuple(key)]:
            raise DataContractError(
                f"{path}: {_said(feed, key)} stands in quarantine for {min(days[tuple(key)])}, its {feed.event_time} "
                f"now lies on {day}: it would stand on both days. Keep the day, or have the files of both landed again"
            )


def _name(pipeline: Pipeline, name: str, day: Any, files: list[ListedFile]) -> str:
    feed = pipeline.feeds[name]
    there = [file.name for file in _of_day(feed, day, files)]
    if not there:
        raise DataContractError(
            f"no file of {name} for {day} lies in the landing folder any more: a data run would see the released rows "
            "alone, and delete the others of the day; put the day's files back first"
        )
    return landed_files.release_name(feed, day, there)


def _said(feed: Feed, key: Any) -> str:
    return ", ".join(f"{name} {value!r}" for name, value in zip(feed.key, key, strict=True))
