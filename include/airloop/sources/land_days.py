"""Land a table by hand: its rows as the files of a feed, one per local day, a changed day as a correction."""

import logging
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from airloop.config import Feed, Pipeline
from airloop.data import key_text, unreadable_rows
from airloop.data.named_periods import named_period
from airloop.data.value_rules import typed, why_not
from airloop.errors import ConfigError, DataContractError
from airloop.settings import Settings
from airloop.sources import empty_periods
from airloop.sources.land_dialect import Dialect
from airloop.sources.land_tables import Table, read_table
from airloop.stores import landed_files
from airloop.stores.files import put

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LandedDays:
    """What landing a table did.

    Attributes:
        new: URIs of the days that had no file.
        corrections: URIs of the files beside days that had landed with other rows.
        unchanged: How many days had landed with these very rows.
        not_declared: Columns of the table that the feed does not declare; they did not land.
        skipped: Rows that `--clock-change skip` has left out, windows without any, and rows outside the coverage,
            which no window reads; in words.
    """

    rows: int
    new: tuple[str, ...]
    corrections: tuple[str, ...]
    unchanged: int
    not_declared: tuple[str, ...]
    skipped: tuple[str, ...] = ()


def land_table(pipeline: Pipeline, feed_name: str, path: Path, dialect: Dialect, settings: Settings) -> LandedDays:
    """Write the table's rows to the feed's landing files, each published whole.

    A row belongs to the local day (`day_timezone`) of its event_time, a day to the file the feed declares for it. Rows
    are sorted by time and key, so the same rows make the same file: a day whose newest file holds them is left alone,
    one with other rows gets a file of the next free number beside it (`2013-01-31.1.csv`), which is read after it.
    Where windows without rows are normal, each of the calendar inside the table gets a file with its header alone.
    A static feed has one file, which is replaced. Every value is checked before the first file is written; killed in
    between, a second call writes what is missing.

    Raises:
        ConfigError: No such feed or table, the feed is fetched from a database, or the table lacks a column of it.
        DataContractError: See land_tables.read_table; a value is not of its declared type, a row has no event_time.
        UpstreamUnavailable: The landing folder cannot be read or written.
    """
    if feed_name not in pipeline.feeds:
        raise ConfigError(f"{pipeline.name} has no feed {feed_name!r} (its feeds: {', '.join(pipeline.feeds)})")
    feed = pipeline.feeds[feed_name]
    if feed.source is not None:
        raise ConfigError(
            f"feed {feed_name} is fetched from {feed.source.connection or feed.source.kind}; nothing lands by hand"
        )
    table = read_table(path, dialect)
    rows = _rows(table, feed_name, feed)
    files = [file for file in landed_files.list_files(pipeline, settings) if file.feed == feed_name]
    root = f"{settings.landing_uri}/{pipeline.name}/{feed_name}"
    new: list[str] = []
    corrections: list[str] = []
    unchanged = 0
    contents = _contents(table, feed, rows)
    nothing = empty_periods.names(pipeline, feed, (file.name for file in files), (name for name, _ in contents))
    header = rows.clear().write_csv().encode()
    for name, content in (*contents, *((name, header) for name in nothing)):
        there = landed_files.of_period(feed, name, files)
        if there and landed_files.read_bytes(there[-1].uri, settings) == content:
            unchanged += 1
            continue
        uri = f"{root}/{_free_name(feed, name, {file.name for file in there})}"
        put(uri, content, settings)
        (corrections if there else new).append(uri)
    logger.info("%s %s: %s: %d new, %d corrected", pipeline.name, feed_name, path, len(new), len(corrections))
    not_declared = tuple(name for name in table.texts.columns if name not in feed.columns)
    skipped = (*table.skipped, *_said(pipeline, nothing), *_uncovered(pipeline, feed, rows))
    return LandedDays(rows.height, tuple(new), tuple(corrections), unchanged, not_declared, skipped)


def _said(pipeline: Pipeline, nothing: list[str]) -> tuple[str, ...]:
    if not nothing:
        return ()
    files = f"{len(nothing)} file{'s hold' if len(nothing) > 1 else ' holds'}"
    return (f"{files} the header alone: of as many {pipeline.calendar} windows inside the table it has no row",)


def _uncovered(pipeline: Pipeline, feed: Feed, rows: pl.DataFrame) -> tuple[str, ...]:
    if feed.event_time is None:
        return ()
    at, coverage = rows.select(typed(feed.event_time, "timestamp")).to_series(), pipeline.coverage
    before = int((at < coverage.start).sum())
    after = int((at >= coverage.end).sum()) if coverage.end else 0
    sides = ((before, "before its start", coverage.start), (after, "at its end or later", coverage.end))
    return tuple(
        f"{number:,} of {rows.height:,} rows lie outside the coverage, {side}, {bound:%Y-%m-%dT%H:%M:%SZ}: no window "
        f"reads them; declare more in {pipeline.name}/pipeline.yaml"
        for number, side, bound in sides
        if number
    )


def _rows(table: Table, feed_name: str, feed: Feed) -> pl.DataFrame:
    """The feed's columns as texts, in the order declared, sorted by what they mean: by time, then key."""
    for name in feed.columns:
        table.require(name, f"feed {feed_name}")
    texts = table.texts.select(list(feed.columns))
    values = texts.select(typed(name, kind) for name, kind in feed.columns.items())
    for name, kind in feed.columns.items():
        lost = texts[name].filter(texts[name].is_not_null() & values[name].is_null())
        if len(lost):
            why = "; say whose clock it is by --timezone" if table.kinds[name] == "clock" else ""
            raise DataContractError(
                f"{table.path}: column {name!r}: {len(lost)} values are not of type {kind}, first "
                f"{why_not(kind, lost[0])}{why}; nothing landed"
            )
        if kind == "string" and name in table.floats and name not in feed.as_written:
            raise DataContractError(
                f"{table.path}: column {name!r} is declared as string, and the table holds floats: {texts[name][0]!r} "
                "is another text than the digits alone, and beyond 2**53 digits are lost; save it as whole numbers or "
                "texts (in pandas: astype('Int64')); nothing landed"
            )
    _refuse_keys(table, feed, texts)
    order = [name for name in (feed.event_time, *feed.key) if name is not None]
    return texts.select(pl.all().gather(values.select(pl.arg_sort_by(order, maintain_order=True)).to_series()))


def _refuse_keys(table: Table, feed: Feed, texts: pl.DataFrame) -> None:
    """Two keys that look the same are found before they land, not when they are read."""
    for rule, broken in key_text.faults(texts, feed).items():
        if broken.any():
            row = broken.arg_true()[0]
            says = unreadable_rows.explain(feed, rule, texts.row(row, named=True))
            raise DataContractError(f"{table.path}: {broken.sum()} rows: {says} (first row {row + 1}); nothing landed")


def _contents(table: Table, feed: Feed, rows: pl.DataFrame) -> list[tuple[str, bytes]]:
    """(declared file name, content) by local day, or by hour where files are named by it; a static feed is one."""
    if feed.event_time is None:
        return [(feed.files, rows.write_csv().encode())]
    timeless = rows[feed.event_time].null_count()
    if timeless:
        raise DataContractError(f"{table.path}: {timeless} rows have no {feed.event_time!r}, so they belong to no day")
    periods = rows.group_by(*named_period(feed, typed(feed.event_time, "timestamp")), maintain_order=True)
    return [
        (landed_files.named(feed, day, hour), part.select(rows.columns).write_csv().encode())
        for (day, hour), part in periods
    ]


def _free_name(feed: Feed, name: str, used_names: set[str]) -> str:
    """The declared name, or the first free one of a correction; a static table has one name."""
    number, free = 0, name
    while free in used_names and not feed.static:
        number += 1
        free = landed_files.corrected(feed, name, number)
    return free
