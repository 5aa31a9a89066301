"""Keys that mean another row in another file: a row number that starts again, an export under new numbers."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from airloop.config import Feed
from airloop.data.unreadable_rows import RULE
from airloop.records import LandedFile
from airloop.stores.landed_files import file_span

REKEYED_SHARE = 0.5
"""A file with other events under the keys of more than this share of another file's rows is not a correction of it."""

_FEWEST_ROWS = 3
# The times of a corrected clock all move by one span, those of a key that starts again by many.
_MOVED_ALIKE = 0.9
_AT, _OTHERS, _FILE, _BEFORE = "_at", "_others", "_file", "_before"


@dataclass(frozen=True)
class Rekeyed:
    """What a feed's files say about each other's keys.

    Attributes:
        files: Files that give other events to the keys of another one, and why that is not a correction.
        replaced: Rows of the other files that one of them replaces by another event.
        example: The first such row, in words; empty when there is none.
    """

    files: Mapping[LandedFile, str]
    replaced: int = 0
    example: str = ""


def rekeyed(feed: Feed, frames: Mapping[LandedFile, pl.DataFrame]) -> Rekeyed:
    """Look for rows that share a key with a row of an earlier file and are about another event.

    Such a row has another event time, and another value in some column besides, where the feed has more columns. Files
    of one local day whose times all differ by the same span correct a clock, and are not reported.

    Args:
        frames: The rows of each file, in the order in which the files are read.
    """
    if feed.event_time is None or len(frames) < 2:
        return Rekeyed({})
    files = list(frames)
    pairs = _pairs(feed, frames)
    if pairs.is_empty():
        return Rekeyed({})
    heights = [frame.height for frame in frames.values()]
    why: dict[LandedFile, str] = {}
    for (before, after), part in pairs.group_by(_BEFORE, _FILE, maintain_order=True):
        older, newer = files[int(str(before))], files[int(str(after))]
        rows = heights[int(str(before))]
        if newer not in why and part.height > REKEYED_SHARE * rows and part.height >= _FEWEST_ROWS:
            why[newer] = (
                f"{newer.uri}: has other events under the keys of {part.height} of the {rows} rows of {_name(older)}, "
                f"first {_said(feed, part)}: a key that starts again in each file identifies nothing; give each row a "
                f"key of its own, or add a column to `key` of the feed (like {feed.event_time})"
            )
    places = [place for place, file in enumerate(files) if file not in why]
    rest = pairs.filter(pl.col(_FILE).is_in(places) & pl.col(_BEFORE).is_in(places))
    if rest.is_empty():
        return Rekeyed(why)
    older, newer = (files[rest[place][0]] for place in (_BEFORE, _FILE))
    return Rekeyed(why, rest.height, f"{_said(feed, rest)} in {_name(older)} and {_name(newer)}")


def _pairs(feed: Feed, frames: Mapping[LandedFile, pl.DataFrame]) -> pl.DataFrame:
    """The rows that are about another event than the row of an earlier file under their key, with both files."""
    rows = _keyed(feed, frames)
    key = list(feed.key)
    rows = rows.filter(pl.struct(key).is_duplicated()).sort(*key, _FILE)
    days = [str(file_span(feed, _name(file))) for file in frames]
    day = pl.col(_FILE).replace_strict(dict(enumerate(days)), default=None, return_dtype=pl.String)
    pairs = rows.with_columns(
        day.alias("_day"), pl.col(_FILE).shift().over(key).alias(_BEFORE), pl.col(_AT).diff().over(key).alias("_moved")
    ).with_columns(
        (pl.col("_day") == pl.col("_day").shift().over(key)).alias("_same_day"),
        (pl.col(_OTHERS) == pl.col(_OTHERS).shift().over(key)).alias("_same_values"),
    )
    moved = pairs.filter(pl.col(_BEFORE).is_not_null() & (pl.col("_moved") != pl.duration()))
    alike = pl.len().over(_BEFORE, _FILE, "_moved") >= _MOVED_ALIKE * pl.len().over(_BEFORE, _FILE)
    return moved.filter(~pl.col("_same_values").fill_null(value=False) & ~(alike & pl.col("_same_day")))


def _keyed(feed: Feed, frames: Mapping[LandedFile, pl.DataFrame]) -> pl.DataFrame:
    """One row of each key and file; rows that cannot be read, or lack a key, are judged elsewhere."""
    others = [name for name in feed.columns if name not in (*feed.key, feed.event_time)]
    values = pl.struct(others).hash() if others else pl.lit(None, pl.UInt64)
    at = pl.col(str(feed.event_time)).alias(_AT)
    sound = pl.col(RULE).is_null() & pl.all_horizontal(pl.col(feed.key).is_not_null())
    whole = one_behind_the_other(frames.values(), number=_FILE)
    rows = whole.filter(sound).select(*feed.key, at, values.alias(_OTHERS), _FILE)
    return rows.unique(subset=[*feed.key, _FILE], keep="last", maintain_order=True)


def one_behind_the_other(frames: Collection[pl.DataFrame], *, number: str) -> pl.DataFrame:
    """The rows of all, with the number of their frame in a column of that name."""
    numbers = np.repeat(np.arange(len(frames), dtype=np.int32), [frame.height for frame in frames])
    return pl.concat(frames, rechunk=True).with_columns(pl.Series(number, numbers))


def _said(feed: Feed, rows: pl.DataFrame) -> str:
    return ", ".join(f"{name} {rows[name][0]!r}" for name in feed.key)


def _name(file: LandedFile) -> str:
    return file.uri.rsplit("/", 1)[-1]
