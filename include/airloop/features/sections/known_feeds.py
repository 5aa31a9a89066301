"""The feeds that sections read, with the rows that were known in time."""

from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from airloop.config import Feed, Pipeline
from airloop.errors import UpstreamUnavailable
from airloop.features import engine_session, sql_text
from airloop.features.sections.refusals import refusing
from airloop.features.sections.written import Section, read_sections
from airloop.records import Window
from airloop.settings import Settings
from airloop.stores import lake
from airloop.stores.lake_rows import Feeds, LakeRows, Rows, lake_rows


def feeds_of_features(pipeline: Pipeline, settings: Settings) -> tuple[str, ...]:
    """The feeds whose clean rows make features or examples, in declared order; not those that only labels are made of.

    Raises:
        ConfigError: A section cannot be parsed.
    """
    return feeds_read(pipeline, tuple(item for item in read_sections(pipeline, settings) if item.name != "labels"))


def load_feeds(
    pipeline: Pipeline, window: Window, settings: Settings, *, read_by: tuple[Section, ...]
) -> dict[str, pa.Table]:
    """Clean rows with known_at in [start - lookback, end) of the feeds the sections name.

    An outcome feed that has not landed yet is an empty table, and so is one without a row so far whose empty windows
    are normal.

    Raises:
        ConfigError: A section cannot be parsed.
        UpstreamUnavailable: Another feed has no clean table yet.
    """
    feeds = {}
    since = window.start - timedelta(days=pipeline.features.lookback_days)
    for name in feeds_read(pipeline, read_by):
        feed = pipeline.feeds[name]
        uri = lake.table_uri(settings, pipeline.name, "clean", name)
        if lake.open_table(uri, settings) is None:
            if not _may_have_no_rows(feed):
                raise UpstreamUnavailable(f"{uri}: no clean rows yet; run validate_raw of {window} first")
            feeds[name] = empty_feed(pipeline, name)
        else:
            # A static row was known before every window; a lookback must not drop it.
            before_end = ds.field("known_at") < pa.scalar(window.end, lake.INSTANT)
            where = before_end if feed.static else lake.between("known_at", Window(since, window.end))
            feeds[name] = lake.read(uri, settings, where=where)
    return feeds


def _may_have_no_rows(feed: Feed) -> bool:
    return feed.outcome or feed.empty_windows == "normal"


def feeds_read(pipeline: Pipeline, read_by: tuple[Section, ...]) -> tuple[str, ...]:
    """Names of the feeds that the sections read from, in declared order.

    Raises:
        ConfigError: A section cannot be parsed.
    """
    named: set[str] = set()
    for section in read_by:
        with refusing(pipeline, section):
            tables = sql_text.tables_read(section.sql)
        named.update(pipeline.feeds if tables is None else tables)
    return tuple(name for name in pipeline.feeds if name in named)


def empty_feed(pipeline: Pipeline, name: str) -> pa.Table:
    """A feed's clean table without rows: its declared columns, known_at and created_at."""
    types = {
        "string": pa.string(),
        "integer": pa.int64(),
        "float": pa.float64(),
        "boolean": pa.bool_(),
        "timestamp": lake.INSTANT,
    }
    fields = [(column, types[kind]) for column, kind in pipeline.feeds[name].columns.items()]
    return pa.schema([*fields, ("known_at", lake.INSTANT), ("created_at", lake.INSTANT)]).empty_table()


def feeds_for(
    pipeline: Pipeline, window: Window, settings: Settings, *, read_by: tuple[Section, ...]
) -> dict[str, Rows]:
    """`load_feeds` for the installation's engine: for another than the reference, rows stay in the lake until put.

    Raises:
        ConfigError: A section cannot be parsed.
        UpstreamUnavailable: Another feed has no clean table yet.
    """
    if engine_session.is_reference(settings):
        return dict(load_feeds(pipeline, window, settings, read_by=read_by))
    since = window.start - timedelta(days=pipeline.features.lookback_days)
    feeds: dict[str, Rows] = {}
    for name in feeds_read(pipeline, read_by):
        feed, uri = pipeline.feeds[name], lake.table_uri(settings, pipeline.name, "clean", name)
        rows = lake_rows(uri, settings, since=None if feed.static else since, before=window.end)
        if rows is None and not _may_have_no_rows(feed):
            raise UpstreamUnavailable(f"{uri}: no clean rows yet; run validate_raw of {window} first")
        feeds[name] = empty_feed(pipeline, name) if rows is None else rows
    return feeds


def only_known_by(feeds: Feeds, instant: datetime) -> dict[str, Rows]:
    """The feeds without every row whose known_at lies after `instant`."""
    limit = pa.scalar(instant, lake.INSTANT)
    return {
        name: rows.known_by(instant)
        if isinstance(rows, LakeRows)
        else rows.filter(pc.less_equal(rows["known_at"], limit))
        for name, rows in feeds.items()
    }
