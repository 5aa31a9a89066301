"""ingest: read what landed for a window into raw/<feed>, keyed, so that landing twice adds nothing."""

import logging
from typing import Any

import polars as pl
import pyarrow as pa

from airloop import lake
from airloop.config import Feed, Pipeline
from airloop.errors import DataContractError
from airloop.landing import read_file, window_files
from airloop.records import Ingested, LandedFile, TableVersion, Window
from airloop.settings import Settings

logger = logging.getLogger(__name__)


def inputs(pipeline: Pipeline, window: Window, _upstream: Any, settings: Settings) -> dict[str, Any]:
    """What ingestion depends on: the checksums of the files that landed for the window."""
    return {file.uri: file.sha256 for file in window_files(pipeline, window, settings)}


def ingest(pipeline: Pipeline, window: Window, _upstream: Any, settings: Settings) -> Ingested:
    """Put the window's rows of every feed into the lake, in place of what raw/<feed> held of the window.

    Rows belong to the window when start <= event_time < end (UTC), whatever local day their file is named by. Of rows
    with an equal key the one landed last (by file name) wins, so a file sent twice adds nothing and a corrected file
    replaces. Tables get two more columns: known_at (UTC; when the row became known) and created_at (equal to known_at:
    a correction replaces the row and keeps when the event was known; Delta's versions hold what was there before).

    Returns:
        Files, checksums, rows and table versions; `missing` names the feeds without any file for the window.

    Raises:
        DataContractError: Nothing at all landed for the window, a file breaks its contract, a row has no event time or
            known_at, or an extract without rows would delete the rows that an earlier run put there.
    """
    files = window_files(pipeline, window, settings)
    by_feed = {name: [file for file in files if file.feed == name] for name in pipeline.feeds}
    if not any(by_feed[name] for name, feed in pipeline.feeds.items() if not feed.static):
        raise DataContractError(
            f"{pipeline.name} {window}: no file landed for this window below {settings.landing_uri}"
        )
    # Every feed is parsed and judged before the first is written: a broken file leaves the whole window as it was.
    parsed = {
        name: _feed_rows(pipeline, name, window, landed=landed, settings=settings)
        for name, landed in by_feed.items()
        if landed
    }
    for name, rows in parsed.items():
        if rows.is_empty():
            _refuse_deletion(pipeline, name, window, settings)
    tables = tuple(_write(pipeline, name, rows, window=window, settings=settings) for name, rows in parsed.items())
    missing = tuple(name for name, landed in by_feed.items() if not landed)
    return Ingested(window=window, files=files, tables=tables, missing=missing)


def _feed_rows(
    pipeline: Pipeline, name: str, window: Window, *, landed: list[LandedFile], settings: Settings
) -> pl.DataFrame:
    feed = pipeline.feeds[name]
    rows = pl.concat([_placed_rows(feed, file, settings) for file in landed])
    if feed.event_time is not None:
        rows = rows.filter((pl.col(feed.event_time) >= window.start) & (pl.col(feed.event_time) < window.end))
    # Rows without a key are not one row: validation has to see, and count, each of them.
    keyless = pl.any_horizontal(pl.col(feed.key).is_null())
    rows = pl.concat(
        [
            rows.filter(~keyless).unique(subset=feed.key, keep="last", maintain_order=True),
            rows.filter(keyless).unique(maintain_order=True),
        ]
    )
    return rows.with_columns(_known_at(pipeline, feed).alias("known_at")).with_columns(created_at=pl.col("known_at"))


def _placed_rows(feed: Feed, file: LandedFile, settings: Settings) -> pl.DataFrame:
    rows = read_file(file, feed, settings)
    for column in filter(None, (feed.event_time, feed.known_at)):
        unplaced = rows.filter(pl.col(column).is_null())
        if unplaced.height:
            key = unplaced.select(feed.key).row(0)
            raise DataContractError(f"{file.uri}: {unplaced.height} rows without {column}, first key {key}")
    return rows


def _known_at(pipeline: Pipeline, feed: Feed) -> pl.Expr:
    if feed.event_time is None:
        # A static table was known before the pipeline's first window.
        return pl.lit(pipeline.coverage.start).cast(pl.Datetime("us", "UTC"))
    if feed.known_at is not None:
        return pl.col(feed.known_at)
    return pl.col(feed.event_time) + pl.duration(minutes=feed.delay_minutes)


def _write(pipeline: Pipeline, name: str, rows: pl.DataFrame, *, window: Window, settings: Settings) -> TableVersion:
    feed = pipeline.feeds[name]
    uri = lake.table_uri(settings, pipeline.name, "raw", name)
    table = to_arrow(rows)
    if feed.event_time is None:
        return lake.replace_table(uri, table, settings, sort_by=feed.key)
    return lake.replace_window(uri, table, settings, time_column=feed.event_time, window=window, sort_by=feed.key)


def _refuse_deletion(pipeline: Pipeline, name: str, window: Window, settings: Settings) -> None:
    feed, uri = pipeline.feeds[name], lake.table_uri(settings, pipeline.name, "raw", name)
    if lake.open_table(uri, settings) is None:
        return
    where = None if feed.event_time is None else lake.between(feed.event_time, window)
    held = lake.read(uri, settings, where=where, columns=feed.key).num_rows
    if held:
        raise DataContractError(
            f"{uri} {window}: the landed files hold no row, and would delete the {held} rows of before"
        )


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
