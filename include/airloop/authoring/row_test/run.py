"""Run features.sql over the rows of a test, and say where it gives something else than expected."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import polars as pl
import pyarrow as pa

from airloop.authoring.row_test.compare import differing
from airloop.authoring.row_test.files import RowTest
from airloop.config import Feed, Pipeline
from airloop.config.calendar import period_end, period_start
from airloop.config.nearest import nearest
from airloop.data.feed_rows import known_at
from airloop.data.value_rules import typed, why_not
from airloop.errors import ConfigError
from airloop.features import feature_views, sections
from airloop.records import Window
from airloop.settings import Settings

_ROWS_OF = ("examples", "labels")


def differences(pipeline: Pipeline, test: RowTest, settings: Settings) -> list[str]:
    """What is not as expected, a line each; none when the test passes.

    Rows are compared by the columns that the test names, in any order: each expected row has to be there, and no other.

    Raises:
        ConfigError: The SQL does not run, a value is not of its column's type, or `expect` names no table of it.
        DataContractError: Two rows of a view share key and known_at.
    """
    feeds = {name: _feed(pipeline, name, test) for name in pipeline.feeds}
    window = test.window or _all_of(pipeline, feeds)
    actual = _computed(pipeline, window, feeds, settings)
    lines = []
    for name, expected in test.expect.items():
        if name not in actual:
            raise ConfigError(f"{test.path}: expect.{name} is none of {', '.join(actual)}{nearest(name, actual)}")
        lines += [f"{name}: {line}" for line in differing(expected, actual[name], place=f"{test.path}: expect.{name}")]
    return lines


def _computed(
    pipeline: Pipeline, window: Window, feeds: dict[str, pa.Table], settings: Settings
) -> dict[str, pa.Table]:
    """Views, examples and labels by name; examples and labels read the feeds, as they do in a run."""
    tables = dict(feature_views.compute_views(pipeline, window, feeds, settings))
    with sections.connect(pipeline, window, feeds, settings) as connection:
        for section in sections.read_sections(pipeline, settings):
            if section.name in _ROWS_OF:
                tables[section.name] = sections.query(connection, pipeline, section)
    return tables


def _feed(pipeline: Pipeline, name: str, test: RowTest) -> pa.Table:
    """The rows as they would lie in the lake: typed as landing types them, with known_at and created_at."""
    feed, rows = pipeline.feeds[name], test.given.get(name, [])
    empty = sections.empty_feed(pipeline, name)
    if not rows:
        return empty
    texts = pl.DataFrame({column: [row.get(column) for row in rows] for column in feed.columns}, orient="col").cast(
        dict.fromkeys(feed.columns, pl.String)
    )
    values = texts.select(typed(column, kind) for column, kind in feed.columns.items())
    for problem in _unread(feed, texts, values):
        raise ConfigError(f"{test.path}: given.{name}: {problem}")
    known = values.with_columns(known_at(pipeline, feed).alias("known_at"))
    known = known.with_columns(created_at=pl.col("known_at"))
    return known.to_arrow().select(empty.schema.names).cast(empty.schema)


def _unread(feed: Feed, texts: pl.DataFrame, values: pl.DataFrame) -> Iterator[str]:
    for column, kind in feed.columns.items():
        lost = texts[column].filter(texts[column].is_not_null() & values[column].is_null())
        if len(lost):
            yield f"{column} is not of type {kind}: {why_not(kind, lost[0])}"
    for column in filter(None, (feed.event_time, feed.known_at)):
        if values[column].null_count():
            yield f"every row needs its {column}"


def _all_of(pipeline: Pipeline, feeds: dict[str, pa.Table]) -> Window:
    """The calendar's periods from the first known row to the last."""
    known: list[Any] = [at for table in feeds.values() for at in table["known_at"].to_pylist()]
    if not known:
        start = pipeline.coverage.start
        return Window(start, start + timedelta(days=1))
    first, last = (period_start(pipeline.calendar, at) for at in (min(known), max(known)))
    return Window(first, period_end(pipeline.calendar, last))
