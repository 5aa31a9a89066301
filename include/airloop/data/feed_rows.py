"""One feed's rows of a window: files that can be read, the row landed last of each key, and what must not be lost."""

import functools
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import polars as pl
import pyarrow.compute as pc

from airloop.config import Feed, Pipeline
from airloop.data import other_clock
from airloop.data.file_rows import parse_landed
from airloop.data.rekeyed_files import Rekeyed, one_behind_the_other, rekeyed
from airloop.data.repeated_files import repeated_name
from airloop.data.unreadable_rows import OTHER_DAY, RULE, TEXT
from airloop.errors import DataContractError
from airloop.records import LandedFile, SetAside, Window
from airloop.settings import Settings
from airloop.stores import lake
from airloop.stores.landed_files import file_day, file_span, list_files

_DAY, _ORDER = "_day", "_order"


@dataclass(frozen=True)
class FeedRows:
    """What a feed has for a window.

    Attributes:
        rows: The feed's columns, known_at, created_at, and the three columns of airloop.data.file_rows, which are
            null but for rows that cannot be read. None when no file can be read.
        set_aside: The files that were not read.
        days: Rows by local day of the files that were read; one row for each key.
        replaced: Rows of other events that lost their place to a row with their key; see rekeyed_files.
    """

    rows: pl.DataFrame | None
    set_aside: tuple[SetAside, ...]
    days: Mapping[date, int] = field(default_factory=dict)
    replaced: Rekeyed = field(default_factory=lambda: Rekeyed({}))


def feed_rows(
    pipeline: Pipeline, name: str, window: Window, *, landed: Mapping[LandedFile, bytes], settings: Settings
) -> FeedRows:
    """The rows of a feed's landed files, in their order.

    Of files with an equal key the one landed last wins; a row that cannot be read takes only the place of those of its
    own local day. Rows without a key are not one row: validation has to see, and count, each of them.

    A file that breaks its contract is set aside, and so is one that gives other events to the keys of another file, or
    one without rows that would delete some. What raw/<feed> and
    unreadable/<feed> hold of its local day stays, but for keys that a readable file has.

    Raises:
        DataContractError: The readable files have no row of the window, and would delete those that are held of it.
    """
    feed = pipeline.feeds[name]
    lake_rows = functools.partial(_held, pipeline, name, window, settings=settings)
    frames, aside = _read(pipeline, feed, landed)
    aside = [_with_clock(feed, item, settings) for item in _with_repeats(pipeline, feed, aside, settings)]
    if not frames:
        return FeedRows(None, tuple(aside))
    replaced = rekeyed(feed, frames)
    for file, why in replaced.files.items():
        aside.append(SetAside(name, file.uri, file.sha256, why))
        del frames[file]
    rows = _newest(pipeline, feed, frames)
    for file in [file for file, frame in frames.items() if frame.is_empty()]:
        deleted = _other_keys(lake_rows([file.uri]), rows, feed).height
        if deleted:
            why = (
                f"{file.uri}: is empty and would delete the {deleted} rows that are there; land the complete file again"
            )
            aside.append(SetAside(name, file.uri, file.sha256, why))
            del frames[file]
    if not frames:
        return FeedRows(None, tuple(aside))
    stays = _other_keys(lake_rows([item.uri for item in aside]), rows, feed)
    rows = pl.concat([stays, _within(rows, feed, window)], how="diagonal_relaxed").select(rows.columns)
    if rows.is_empty() and (deleted := lake_rows(None).height):
        raise DataContractError(
            f"{pipeline.name} {window}: the landed files of {name} have no row of it and would delete the {deleted} "
            "rows that are there; land them again whole"
        )
    return FeedRows(_alike_once(rows, feed), tuple(aside), _days(feed, frames), replaced)


def _read(
    pipeline: Pipeline, feed: Feed, landed: Mapping[LandedFile, bytes]
) -> tuple[dict[LandedFile, pl.DataFrame], list[SetAside]]:
    frames, aside = {}, []
    for file, content in landed.items():
        try:
            frames[file] = parse_landed(file, content, feed, max_bad_share=pipeline.validation.max_bad_share)
        except DataContractError as error:
            aside.append(SetAside(file.feed, file.uri, file.sha256, str(error)))
    return frames, aside


def _with_repeats(pipeline: Pipeline, feed: Feed, aside: Sequence[SetAside], settings: Settings) -> list[SetAside]:
    """Files whose rows lie on another day get the name of the file that they repeat, if that is why."""
    suspects = [item for item in aside if OTHER_DAY in item.why]
    if not suspects:
        return list(aside)
    listed = [file for file in list_files(pipeline, settings) if file.feed == suspects[0].feed]
    why = {}
    for item in suspects:
        file = LandedFile(item.feed, item.uri, item.sha256, 0)
        if repeated := repeated_name(file, feed, listed, settings):
            why[item.uri] = (
                f"{item.uri}: repeats the file of {repeated}: the same lines under another day's name; land the rows "
                "of the day itself"
            )
    return [replace(item, why=why.get(item.uri, item.why)) for item in aside]


def _with_clock(feed: Feed, item: SetAside, settings: Settings) -> SetAside:
    """A file whose rows lie on another day gets the name of the clock that wrote them, if that is why."""
    if OTHER_DAY not in item.why:
        return item
    clock = other_clock.named(LandedFile(item.feed, item.uri, item.sha256, 0), feed, settings)
    problem = item.why.removeprefix(f"{item.uri}: ")
    return replace(item, why=f"{item.uri}: {clock}: {problem}") if clock else item


def _days(feed: Feed, frames: dict[LandedFile, pl.DataFrame]) -> dict[date, int]:
    by_day: dict[date, list[pl.DataFrame]] = {}
    for file, frame in frames.items():
        day = file_day(feed, file.uri.rsplit("/", 1)[-1])
        if day is not None:
            by_day.setdefault(day, []).append(frame)
    return {
        day: parts[0].height if len(parts) == 1 else pl.concat(parts).select(feed.key).unique().height
        for day, parts in by_day.items()
    }


def _newest(pipeline: Pipeline, feed: Feed, frames: dict[LandedFile, pl.DataFrame]) -> pl.DataFrame:
    """Every row but those that a later one replaces, with known_at and created_at."""
    days = {order: str(_span(feed, file.uri)) for order, file in enumerate(frames)}
    day = pl.col(_ORDER).replace_strict(days, return_dtype=pl.String).alias(_DAY)
    stacked = one_behind_the_other(frames.values(), number=_ORDER).with_columns(day)
    keyless = pl.any_horizontal(pl.col(feed.key).is_null())
    newest = stacked.filter(~keyless).filter(pl.col(_ORDER) == pl.col(_ORDER).max().over(_DAY, *feed.key))
    readable = pl.col(RULE).is_null()
    parts = [
        newest.filter(readable).unique(subset=feed.key, keep="last", maintain_order=True),
        # Rows of one file that dispute a key are all of them wrong, and all of them kept.
        newest.filter(~readable).unique(subset=[_DAY, *feed.key, TEXT], keep="last", maintain_order=True),
        stacked.filter(keyless),
    ]
    known = pl.concat(parts).drop(_DAY, _ORDER).with_columns(known_at(pipeline, feed).alias("known_at"))
    return known.with_columns(created_at=pl.col("known_at"))


def known_at(pipeline: Pipeline, feed: Feed) -> pl.Expr:
    """When a feed's row became known: as its column says, or `delay_minutes` after the event."""
    if feed.event_time is None:
        # A static table was known before the pipeline's first window.
        return pl.lit(pipeline.coverage.start).cast(pl.Datetime("us", "UTC"))
    if feed.known_at is not None:
        return pl.col(feed.known_at)
    return pl.col(feed.event_time) + pl.duration(minutes=feed.delay_minutes)


def _held(
    pipeline: Pipeline, name: str, window: Window, uris: Sequence[str] | None, *, settings: Settings
) -> pl.DataFrame:
    """What the lake holds of the window: of the local days in the files' names, or of all days for None."""
    feed = pipeline.feeds[name]
    where = None
    if feed.event_time is not None:
        spans = [window] if uris is None else [_cut(window, _span(feed, uri)) for uri in uris]
        between = [lake.between(feed.event_time, span) for span in spans if span is not None]
        where = functools.reduce(operator.or_, between, pc.scalar(False))
    layers = [lake.table_uri(settings, pipeline.name, layer, name) for layer in ("raw", "unreadable") if uris != []]
    tables = [lake.read(uri, settings, where=where) for uri in layers if lake.open_table(uri, settings) is not None]
    empty = pl.DataFrame(schema=dict.fromkeys(feed.key, pl.Null))
    return pl.concat([pl.DataFrame(table) for table in tables] or [empty], how="diagonal_relaxed")


def _span(feed: Feed, uri: str) -> Window | None:
    return file_span(feed, uri.rsplit("/", 1)[-1])


def _cut(window: Window, span: Window | None) -> Window | None:
    if span is None or span.end <= window.start or window.end <= span.start:
        return None
    return Window(max(window.start, span.start), min(window.end, span.end))


def _other_keys(lake_rows: pl.DataFrame, rows: pl.DataFrame, feed: Feed) -> pl.DataFrame:
    """Held rows whose key no landed row has; a row without a key is like no other."""
    return lake_rows.join(rows.select(feed.key), on=feed.key, how="anti") if lake_rows.height else lake_rows


def _within(rows: pl.DataFrame, feed: Feed, window: Window) -> pl.DataFrame:
    if feed.event_time is None:
        return rows
    return rows.filter(pl.col(feed.event_time).is_between(window.start, window.end, closed="left"))


def _alike_once(rows: pl.DataFrame, feed: Feed) -> pl.DataFrame:
    """Of rows without a key that are alike in every column one; those with a key are as they were."""
    keyless = pl.any_horizontal(pl.col(feed.key).is_null())
    alike = rows.filter(keyless).unique(subset=[*feed.columns, RULE, TEXT], keep="last", maintain_order=True)
    return pl.concat([rows.filter(~keyless), alike])
