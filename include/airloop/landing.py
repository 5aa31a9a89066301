"""The landing folder: what an upstream system put there, at any fsspec URL."""

import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import fsspec
import polars as pl
import pyarrow as pa
import pyarrow.csv

from airloop.config import Feed, Pipeline
from airloop.errors import ConfigError, DataContractError, UpstreamUnavailable
from airloop.records import LandedFile, Window
from airloop.settings import Settings


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
        ConfigError: No file system is known, or installed, for landing_uri.
    """
    return tuple(file for feed in pipeline.feeds for file in _list_feed(pipeline, feed, settings))


def _list_feed(pipeline: Pipeline, feed: str, settings: Settings) -> Iterator[ListedFile]:
    root = f"{settings.landing_uri}/{pipeline.name}/{feed}"
    try:
        system, path = fsspec.core.url_to_fs(root, **settings.storage_options)
        system.invalidate_cache()
        found = _ls(system, path)
    except OSError as error:
        raise UpstreamUnavailable(f"landing folder {root} cannot be listed: {error}") from error
    except (ValueError, ImportError) as error:
        raise ConfigError(f"AIRLOOP_LANDING_URI {settings.landing_uri} cannot be used: {error}") from error
    for info in sorted(found, key=lambda item: _landing_order(item["name"].rsplit("/", 1)[-1])):
        name = info["name"].rsplit("/", 1)[-1]
        if info["type"] == "file" and not name.startswith("."):
            changed = info.get("mtime") or info.get("LastModified") or info.get("ETag") or info.get("created") or ""
            yield ListedFile(feed, system.unstrip_protocol(info["name"]), name, f"{info['size']}-{changed}")


def _ls(system: fsspec.AbstractFileSystem, path: str) -> list[dict[str, Any]]:
    # Not `exists` first: for fsspec a store that does not answer holds nothing.
    try:
        return list(system.ls(path, detail=True))
    except FileNotFoundError:
        return []


def _landing_order(name: str) -> tuple[list[str | int], str]:
    # 2013-01-31.csv, its corrections .1.csv, .2.csv, .10.csv, then the next day: numbers count as numbers.
    parts = re.split(r"(\d+)", name.rpartition(".")[0] or name)
    return [int(part) if number % 2 else part for number, part in enumerate(parts)], name


def file_span(feed: Feed, name: str) -> Window | None:
    """The UTC span of the local day in a file's name.

    None for static feeds and for names that differ from the declared ones by more than what follows the day: files half
    written (`2013-01-31.csv.part`) and files of somebody else.
    """
    if feed.static:
        return None
    before, after = (re.escape(part) for part in feed.files.split("{day}", 1))
    named = re.fullmatch(rf"{before}([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})([^0-9].*)?{after}", name)
    if named is None:
        return None
    zone = ZoneInfo(feed.day_timezone)
    try:
        day = date.fromisoformat(named[1])
        bounds = [datetime(d.year, d.month, d.day, tzinfo=zone) for d in (day, day + timedelta(days=1))]
        return Window(*bounds)
    except (ValueError, OverflowError):
        return None


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
    """Parse one file into the feed's columns and types; timestamps become UTC microseconds, an empty field null.

    Raises:
        DataContractError: Not CSV in UTF-8, cut off, another set of columns, a value that is not of the declared type,
            or an event outside the local day in the file's name, which no window would ever read; the message names
            file, column and the first such value.
        UpstreamUnavailable: Not the bytes whose checksum was recorded.
    """
    content = _read_bytes(file.uri, settings)
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise UpstreamUnavailable(f"{file.uri} changed while it was read; run again")
    text = _parse(file.uri, content, feed)
    typed = text.select(_typed(name, kind) for name, kind in feed.columns.items())
    _refuse_lost_values(file.uri, text, typed)
    _refuse_other_days(file.uri, typed, feed)
    return typed


def _parse(uri: str, content: bytes, feed: Feed) -> pl.DataFrame:
    # Not polars' reader: it fills the missing fields of a short line with nulls.
    options = pa.csv.ConvertOptions(
        column_types=dict.fromkeys(feed.columns, pa.string()),
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    try:
        table = pa.csv.read_csv(
            io.BytesIO(content), parse_options=pa.csv.ParseOptions(newlines_in_values=True), convert_options=options
        )
        columns = table.column_names
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise DataContractError(f"{uri}: not readable as CSV in UTF-8: {_first_line(error)}") from error
    if not content.endswith((b"\n", b"\r")):
        raise DataContractError(f"{uri}: the last line does not end: the file was cut off")
    if sorted(columns) != sorted(feed.columns):
        missing = sorted(set(feed.columns) - set(columns))
        extra = sorted(set(columns) - set(feed.columns))
        twice = sorted({name for name in columns if columns.count(name) > 1})
        raise DataContractError(
            f"{uri}: columns differ from the declaration: missing {missing}, not declared {extra}"
            + (f", twice {twice}" if twice else "")
        )
    return pl.DataFrame(table)


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
    if kind == "float":
        # A NaN would pass every "is not null" and poison every sum: whoever means "missing" leaves the field empty.
        number = column.str.strip_chars().cast(pl.Float64, strict=False)
        return pl.when(number.is_finite()).then(number).alias(name)
    return column


def _refuse_lost_values(uri: str, text: pl.DataFrame, typed: pl.DataFrame) -> None:
    for name in typed.columns:
        lost = text.filter(text[name].is_not_null() & typed[name].is_null())
        if lost.height:
            shown = lost[name].head(3).to_list()
            kind = typed.schema[name]
            raise DataContractError(f"{uri}: column {name!r}: {lost.height} values are not {kind}, first {shown}")


def _refuse_other_days(uri: str, typed: pl.DataFrame, feed: Feed) -> None:
    span = file_span(feed, uri.rsplit("/", 1)[-1])
    if span is None or feed.event_time is None:
        return
    instant = pl.col(feed.event_time)
    outside = typed.filter((instant < span.start) | (instant >= span.end))
    if outside.height:
        first = outside[feed.event_time][0]
        raise DataContractError(
            f"{uri}: column {feed.event_time!r}: {outside.height} events lie outside the day in the file's name "
            f"{span}, first {first:%Y-%m-%dT%H:%M:%SZ}"
        )


def _read_bytes(uri: str, settings: Settings) -> bytes:
    try:
        with fsspec.open(uri, "rb", **settings.storage_options) as handle:
            return bytes(handle.read())
    except OSError as error:
        raise UpstreamUnavailable(f"{uri} cannot be read: {error}") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200]
