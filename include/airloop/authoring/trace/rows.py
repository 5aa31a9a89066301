"""What was known of an example at its decision time: feature rows, clean rows, and the landed files they came from."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pyarrow.compute as pc
import pyarrow.dataset as ds

from airloop.config import Feed, Pipeline
from airloop.features import feature_store
from airloop.records import Ingested, Window
from airloop.settings import Settings
from airloop.stores import lake, state
from airloop.stores.landed_files import file_span

NEWEST = 3
"""Clean rows that are shown of a feed."""


def feature_rows(
    pipeline: Pipeline, example: Mapping[str, Any], decided: datetime, settings: Settings
) -> Iterator[dict[str, Any]]:
    """Per view the newest row of the example's keys that was known at the decision time."""
    for view, keys in feature_store.view_keys(pipeline, settings).items():
        uri = lake.table_uri(settings, pipeline.name, "features", view)
        table = lake.open_table(uri, settings)
        if table is None or not set(keys) <= set(example):
            continue
        where = pc.field("known_at") <= lake.instant(decided)
        for column in keys:
            where &= ds.field(column) == example[column]
        rows = lake.read(uri, settings, where=where).sort_by("known_at").to_pylist()
        version = table.version()
        yield {"view": view, "keys": {column: example[column] for column in keys}, "table_version": version} | (
            {"known_at": rows[-1]["known_at"], "values": _values(rows[-1], keys)} if rows else {"values": {}}
        )


def clean_rows(
    pipeline: Pipeline, example: Mapping[str, Any], decided: datetime, settings: Settings
) -> Iterator[dict[str, Any]]:
    """Per feed that lands before the decision its newest rows under the example's keys, as they were known by then."""
    since = decided - timedelta(days=pipeline.features.lookback_days)
    for name, feed in pipeline.feeds.items():
        shared = [column for column in feed.key if column in example]
        uri = lake.table_uri(settings, pipeline.name, "clean", name)
        if feed.outcome or not shared or lake.open_table(uri, settings) is None:
            continue
        where = ds.field("known_at") <= lake.instant(decided)
        if not feed.static:
            where &= ds.field("known_at") >= lake.instant(since)
        for column in shared:
            where &= ds.field(column) == example[column]
        rows = lake.read(uri, settings, where=where).sort_by("known_at").to_pylist()
        for row in rows[-NEWEST:]:
            files = list(landed_files(pipeline, name, feed, row, settings))
            yield {"feed": name, "row": row, "of_rows": len(rows), "files": files}


def landed_files(
    pipeline: Pipeline, name: str, feed: Feed, row: Mapping[str, Any], settings: Settings
) -> Iterator[dict[str, Any]]:
    """The files that a row may have come from, as they were when its window was ingested last."""
    at = row[feed.event_time] if feed.event_time else row["known_at"]
    moment = Window(at, at + timedelta(microseconds=1))
    # A static table is read with every window.
    records = state.latest_records(settings, pipeline.name, "ingest", overlapping=None if feed.static else moment)
    newest = [Ingested.from_json(record) for record in records][-1:]
    for file in (file for record in newest for file in record.files if file.feed == name):
        span = file_span(feed, file.uri.rpartition("/")[2])
        if span is None or span.start <= at < span.end:
            yield {"uri": file.uri, "sha256": file.sha256, "window": newest[0].window.to_json()}


def _values(row: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in (*keys, "known_at", "created_at")}
