"""The landing folder: what an upstream system put there, at any fsspec URL."""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import fsspec
import polars as pl

from airloop.config import Feed, Pipeline
from airloop.errors import DataContractError, UpstreamUnavailable
from airloop.records import LandedFile, Window
from airloop.settings import Settings

_TYPES: dict[str, Any] = {
    "string": pl.String,
    "integer": pl.Int64,
    "float": pl.Float64,
    "boolean": pl.Boolean,
    "timestamp": pl.Datetime("us", "UTC"),
}


@dataclass(frozen=True)
class ListedFile:
    """A file as the landing folder lists it, unread; `stamp` changes when the file is replaced."""

    feed: str
    uri: str
    name: str
    stamp: str


def list_files(pipeline: Pipeline, settings: Settings) -> tuple[ListedFile, ...]:
    """Every file of every declared feed, by feed and name; temporary names (leading dot) are not listed.

    Raises:
        UpstreamUnavailable: The landing folder cannot be listed.
    """
    return tuple(file for feed in pipeline.feeds for file in _list_feed(pipeline, feed, settings))


def _list_feed(pipeline: Pipeline, feed: str, settings: Settings) -> Iterator[ListedFile]:
    root = f"{settings.landing_uri}/{pipeline.name}/{feed}"
    try:
        system, path = fsspec.core.url_to_fs(root, **settings.storage_options)
        system.invalidate_cache()
        found = system.ls(path, detail=True) if system.exists(path) else []
    except OSError as error:
        raise UpstreamUnavailable(f"landing folder {root} cannot be listed: {error}") from error
    for info in sorted(found, key=lambda item: item["name"]):
        name = info["name"].rsplit("/", 1)[-1]
        if info["type"] == "file" and not name.startswith("."):
            changed = info.get("mtime") or info.get("LastModified") or info.get("ETag") or ""
            yield ListedFile(feed, system.unstrip_protocol(info["name"]), name, f"{info['size']}-{changed}")


def local_days(feed: Feed, window: Window) -> tuple[date, ...]:
    """Local days of the feed's time zone that overlap the window."""
    zone = ZoneInfo(feed.day_timezone)
    first = window.start.astimezone(zone).date()
    last = (window.end - timedelta(microseconds=1)).astimezone(zone).date()
    return tuple(first + timedelta(days=offset) for offset in range((last - first).days + 1))


def file_span(feed: Feed, name: str) -> Window | None:
    """The UTC span of the local day in a file's name; None for static feeds and names that hold no day."""
    if feed.static:
        return None
    before = feed.files.split("{day}")[0]
    try:
        day = date.fromisoformat(name[len(before) : len(before) + 10])
    except ValueError:
        return None
    zone = ZoneInfo(feed.day_timezone)
    bounds = [datetime(d.year, d.month, d.day, tzinfo=zone) for d in (day, day + timedelta(days=1))]
    return Window(*bounds)


def window_files(pipeline: Pipeline, window: Window, settings: Settings) -> tuple[LandedFile, ...]:
    """The landed files that may hold rows of the window, with the checksum of what they hold now.

    A file belongs to a window when its local day overlaps it; a corrected file of the day may carry a suffix
    (`2013-01-31.1.csv`) and is read after the file it corrects. Static files belong to every window.
    """
    chosen = []
    for feed_name in pipeline.feeds:
        feed = pipeline.feeds[feed_name]
        for file in _list_feed(pipeline, feed_name, settings):
            span = file_span(feed, file.name)
            if (feed.static and file.name == feed.files) or (
                span is not None and span.start < window.end and window.start < span.end
            ):
                chosen.append(checksum(file, settings))
    return tuple(chosen)


def checksum(file: ListedFile, settings: Settings) -> LandedFile:
    """Read a listed file once and record its SHA-256."""
    content = _read_bytes(file.uri, settings)
    return LandedFile(file.feed, file.uri, hashlib.sha256(content).hexdigest(), len(content))


def read_file(file: LandedFile, feed: Feed, settings: Settings) -> pl.DataFrame:
    """Parse one file into the feed's columns and types; timestamps become UTC microseconds.

    Raises:
        DataContractError: Not the bytes whose checksum was recorded, not CSV in UTF-8, another set of columns, or a
            value that is not of the declared type; the message names file, column and the first such value.
    """
    content = _read_bytes(file.uri, settings)
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise UpstreamUnavailable(f"{file.uri} changed while it was read; run again")
    try:
        text = pl.read_csv(io.BytesIO(content), infer_schema=False)
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        raise DataContractError(f"{file.uri}: not readable as CSV in UTF-8: {_first_line(error)}") from error
    if set(text.columns) != set(feed.columns):
        missing = sorted(set(feed.columns) - set(text.columns))
        extra = sorted(set(text.columns) - set(feed.columns))
        raise DataContractError(
            f"{file.uri}: columns differ from the declaration: missing {missing}, not declared {extra}"
        )
    typed = text.select(_typed(name, kind) for name, kind in feed.columns.items())
    _refuse_lost_values(file.uri, text, typed)
    return typed


def _typed(name: str, kind: str) -> pl.Expr:
    column = pl.col(name)
    if kind == "timestamp":
        return column.str.to_datetime(format="%+", time_unit="us", time_zone="UTC", strict=False)
    if kind == "integer":
        return column.str.strip_chars().cast(pl.Int64, strict=False)
    if kind == "boolean":
        return column.str.to_lowercase().replace_strict(
            {"true": True, "false": False}, default=None, return_dtype=pl.Boolean
        )
    return column.cast(_TYPES[kind], strict=False)


def _refuse_lost_values(uri: str, text: pl.DataFrame, typed: pl.DataFrame) -> None:
    for name in typed.columns:
        lost = text.filter(text[name].is_not_null() & typed[name].is_null())
        if lost.height:
            shown = lost[name].head(3).to_list()
            kind = typed.schema[name]
            raise DataContractError(f"{uri}: column {name!r}: {lost.height} values are not {kind}, first {shown}")


def _read_bytes(uri: str, settings: Settings) -> bytes:
    try:
        with fsspec.open(uri, "rb", **settings.storage_options) as handle:
            return bytes(handle.read())
    except OSError as error:
        raise UpstreamUnavailable(f"{uri} cannot be read: {error}") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200]
