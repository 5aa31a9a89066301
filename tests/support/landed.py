"""Files of the toy's feed `jobs` put into the landing folder by hand, and what the lake then holds: ingest's tests."""

from typing import Any

import fsspec
from tests.support import toy

from airloop.config import Feed, Pipeline
from airloop.settings import Settings
from airloop.stores import lake

FILE = "2020-01-01.csv"
FEEDS = ("jobs", "heat", "machines", "failures")


def job(name: str, *, planned: str = "2020-01-01T00:00:00Z", size: object = 1) -> str:
    return f"{name},m0,{planned},2020-01-05T00:00:00Z,{size}"


def put(settings: Settings, name: str, rows: list[str], *, feed: str = "jobs") -> None:
    header = ",".join(toy.toy_pipeline(settings).feeds[feed].columns)
    put_bytes(settings, name, ("\n".join([header, *rows]) + "\n").encode(), feed=feed)


def put_bytes(settings: Settings, name: str, content: bytes, *, feed: str = "jobs") -> None:
    with fsspec.open(f"{settings.landing_uri}/toy/{feed}/{name}", "wb", auto_mkdir=True) as file:
        file.write(content)


def rows(settings: Settings, feed: str = "jobs", *, layer: str = "raw") -> list[dict[str, Any]]:
    uri = lake.table_uri(settings, "toy", layer, feed)
    if lake.open_table(uri, settings) is None:
        return []
    return sorted(lake.read(uri, settings).to_pylist(), key=lambda row: [str(value) for value in row.values()])


def versions(settings: Settings, *layers: str) -> dict[str, int | None]:
    uris = {
        f"{layer}/{feed}": lake.table_uri(settings, "toy", layer, feed)
        for layer in layers or ("raw",)
        for feed in FEEDS
    }
    tables = {name: lake.open_table(uri, settings) for name, uri in uris.items()}
    return {name: table and table.version() for name, table in tables.items()}


def sizes(settings: Settings, *, layer: str = "raw") -> dict[str, int]:
    return {row["job"]: row["size"] for row in rows(settings, layer=layer)}


def with_feed(pipeline: Pipeline, name: str, **changes: Any) -> Pipeline:
    feed = Feed.model_validate(pipeline.feeds[name].model_dump() | changes)
    return pipeline.model_copy(update={"feeds": {**pipeline.feeds, name: feed}})
