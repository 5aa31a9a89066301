"""ingest: read what landed for a window into raw/<feed>, keyed, so that landing twice adds nothing."""

import logging
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import polars as pl
import pyarrow as pa

from airloop.config import Pipeline
from airloop.data import window_bounds
from airloop.data.feed_rows import feed_rows
from airloop.data.unreadable_rows import RULE, SOURCE, TEXT
from airloop.data.window_contents import WindowContents, read_window
from airloop.deployment import Deployment
from airloop.errors import ConfigError, DataContractError
from airloop.records import Ingested, SetAside, TableVersion, Window
from airloop.settings import Settings
from airloop.stores import lake

logger = logging.getLogger(__name__)


Outcomes = Literal["landed", "withheld"]


def inputs(at: Deployment, window: Window, *, outcomes: Outcomes = "landed") -> WindowContents:
    """What ingestion depends on: the files that landed for the window; their checksums are the key."""
    if outcomes not in get_args(Outcomes):
        raise ConfigError(f"outcomes is {outcomes!r}; it is one of: {', '.join(get_args(Outcomes))}")
    return read_window(at.pipeline, window, at.settings, outcomes=outcomes == "landed")


def ingest(at: Deployment, window: Window, reads: WindowContents, *, outcomes: Outcomes = "landed") -> Ingested:
    """Put the window's rows of every feed into the lake, in place of what raw/<feed> held of the window.

    Rows belong to the window when start <= event_time < end (UTC), whatever local day their file is named by. Of files
    with an equal key the one landed last (by file name) wins, so a file sent twice adds nothing and a corrected file
    replaces; a key with two meanings in one file cannot be read. Tables get two more columns: known_at (UTC; when the
    row became known) and created_at (equal to known_at: a correction replaces the row and keeps when the event was
    known; Delta's versions hold what was there before).

    A row that cannot be read goes to unreadable/<feed>, for validation to judge: raw's columns (null where a value is
    not of its type), why, its texts and its place. A file that breaks its contract is set aside, and what the lake held
    of its local day stays (see airloop.data.feed_rows). Every feed is read before the first is written, so a
    refusal leaves the whole window as it was.

    Args:
        outcomes: `withheld` reads no file of an outcome feed, as if none had landed; what the lake holds of them stays.
            A replay scores a window of the past before a second run brings its outcomes.

    Returns:
        Files, checksums, rows and table versions; a feed of which no file can be read has no table.

    Raises:
        DataContractError: Nothing landed for the window; a feed that is not an outcome, or every dated feed, has no
            file that can be read; files without rows would delete those that an earlier run put there; or more is set
            aside, missing or lost than `validation` allows.
    """
    pipeline, settings = at.pipeline, at.settings
    by_feed = {name: reads.of_feed(name) for name in pipeline.feeds}
    if not any(by_feed[name] for name, feed in pipeline.feeds.items() if not feed.static):
        raise DataContractError(
            f"{pipeline.name} {window}: no file landed for this window below {settings.landing_uri}. Land it; where "
            "nothing happened, declare `empty_windows: normal` at its feed and land its header alone (airloop land "
            "then does so in the gaps of a table)"
        )
    rows_of = {
        name: feed_rows(pipeline, name, window, landed=landed, settings=settings)
        for name, landed in by_feed.items()
        if landed
    }
    set_aside = tuple(item for feed in rows_of.values() for item in feed.set_aside)
    for item in set_aside:
        logger.warning("%s %s: set aside, not read: %s", pipeline.name, window, item.why)
    readable = {name: feed.rows for name, feed in rows_of.items() if feed.rows is not None}
    _refuse_nothing_readable(pipeline, window, readable=readable, set_aside=set_aside)
    counts = {name: len(landed) for name, landed in by_feed.items()}
    noticed = window_bounds.judge(pipeline, window, rows_of, counts, settings)
    for name, why in noticed.empty.items():
        logger.info("%s %s: %s has no row: %s", pipeline.name, window, name, why)
    tables = tuple(_write(pipeline, name, rows, window=window, settings=settings) for name, rows in readable.items())
    not_read = {item.uri for item in set_aside}
    return Ingested(
        window=window,
        files=tuple(file for file in reads.files if file.uri not in not_read),
        tables=tables,
        missing=tuple(name for name, landed in by_feed.items() if not landed),
        set_aside=set_aside,
        alarms=noticed.alarms,
        missing_days=noticed.missing_days,
        short_days=noticed.short_days,
        replaced=noticed.replaced,
        empty=noticed.empty,
    )


def _refuse_nothing_readable(
    pipeline: Pipeline, window: Window, *, readable: Mapping[str, pl.DataFrame], set_aside: Sequence[SetAside]
) -> None:
    waited_for = {item.feed for item in set_aside if not pipeline.feeds[item.feed].outcome} - set(readable)
    dated = [name for name in readable if not pipeline.feeds[name].static]
    if waited_for or not dated:
        names = ", ".join(sorted(waited_for or {item.feed for item in set_aside}))
        why = "\n".join(f"  {item.why}" for item in set_aside)
        raise DataContractError(
            f"{pipeline.name} {window}: no file of {names} can be read, nothing was written; land them again:\n{why}"
        )


def _write(pipeline: Pipeline, name: str, rows: pl.DataFrame, *, window: Window, settings: Settings) -> TableVersion:
    # The unreadable first: killed in between, a row is in two places until the rerun, never in none.
    unreadable = rows.filter(pl.col(RULE).is_not_null())
    uri = lake.table_uri(settings, pipeline.name, "unreadable", name)
    if unreadable.height or lake.open_table(uri, settings) is not None:
        _replace(pipeline, name, uri, rows=unreadable, window=window, settings=settings)
    readable = rows.filter(pl.col(RULE).is_null()).drop(RULE, TEXT, SOURCE)
    uri = lake.table_uri(settings, pipeline.name, "raw", name)
    return _replace(pipeline, name, uri, rows=readable, window=window, settings=settings)


def _replace(
    pipeline: Pipeline, name: str, uri: str, *, rows: pl.DataFrame, window: Window, settings: Settings
) -> TableVersion:
    feed, table = pipeline.feeds[name], to_arrow(rows)
    if feed.event_time is None:
        return lake.replace_table(uri, table, settings, sort_by=feed.key)
    return lake.replace_window(uri, table, settings, time_column=feed.event_time, window=window, sort_by=feed.key)


def to_arrow(rows: pl.DataFrame) -> pa.Table:
    """Arrow with plain strings: Delta stores no views, and digests must not depend on polars' layout."""
    table = rows.to_arrow()
    plain = [
        field.with_type(pa.string())
        if pa.types.is_large_string(field.type) or field.type == pa.string_view()
        else field
        for field in table.schema
    ]
    return table.cast(pa.schema(plain))
