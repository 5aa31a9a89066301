"""A sketch: what a window of a feed looked like, in a few thousand numbers instead of its rows."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from airloop.config import Feed
from airloop.data.feed_history import fixed_attributes
from airloop.data.feed_history.blocks import Block, Floats, split
from airloop.data.feed_history.pile_up import Pile, pile_of
from airloop.data.feed_history.value_grid import Grid, grid_of

MOST_TEXTS = 300
_LONGEST_TEXT = 60
_NUMBERS = ("integer", "float")


@dataclass(frozen=True)
class Texts:
    """The values of a text column: rows that have one, how many are different, the most frequent with their rows."""

    rows: int
    different: int
    top: dict[str, int]


@dataclass(frozen=True)
class Sketch:
    """A window of a feed, or of two feeds that share their key.

    Attributes:
        blocks: Rows by local day; one block of a static table. Numbers are the numeric columns, and the minutes between
            two timestamp columns as `later - earlier`.
        days: Local day -> rows; empty for a static table.
        grids: Numeric column -> its different values, where they are few.
        piles: Numeric column -> its commonest value; timestamp column -> its commonest minute of the hour.
        hours: Timestamp column -> rows by hour of the feed's local day (24).
        texts: Text column -> its values.
        fixed: `origin, dest -> distance_miles` -> each group's one value.
        unfixed: A rule like that which does not hold -> share of the rows that break it, and an example; not stored.
        matched: Of two feeds: rows of the first, by block, that have a row in the second.
        tails: Of two feeds: numeric column of the first -> [rows, without partner] below and above its outer tenths.
    """

    blocks: tuple[Block, ...]
    days: dict[str, int] = field(default_factory=dict)
    grids: dict[str, Grid] = field(default_factory=dict)
    piles: dict[str, Pile] = field(default_factory=dict)
    hours: dict[str, tuple[int, ...]] = field(default_factory=dict)
    texts: dict[str, Texts] = field(default_factory=dict)
    fixed: dict[str, dict[str, str]] = field(default_factory=dict)
    unfixed: dict[str, tuple[float, str]] = field(default_factory=dict, compare=False)
    matched: tuple[int, ...] = ()
    tails: dict[str, tuple[int, int, int, int]] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows of the window."""
        return sum(block.rows for block in self.blocks)

    def to_json(self) -> dict[str, Any]:
        """The sketch as JSON-able values."""
        return {
            "blocks": [block.to_json() for block in self.blocks],
            "days": self.days,
            "grids": {name: [grid.values, grid.rows] for name, grid in self.grids.items()},
            "piles": {name: [pile.rows, pile.value, pile.share] for name, pile in self.piles.items()},
            "hours": self.hours,
            "texts": {name: [item.rows, item.different, item.top] for name, item in self.texts.items()},
            "fixed": self.fixed,
            "matched": self.matched,
            "tails": self.tails,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Sketch":
        """Read what `to_json` wrote."""
        return cls(
            blocks=tuple(Block.from_json(item) for item in data["blocks"]),
            days=data["days"],
            grids={name: Grid(tuple(values), tuple(rows)) for name, (values, rows) in data["grids"].items()},
            piles={name: Pile(*pile) for name, pile in data.get("piles", {}).items()},
            hours={name: tuple(rows) for name, rows in data["hours"].items()},
            texts={name: Texts(*item) for name, item in data["texts"].items()},
            fixed=data["fixed"],
            matched=tuple(data["matched"]),
            tails={name: tuple(counts) for name, counts in data["tails"].items()},
        )


def sketch_feed(feed: Feed, rows: pl.DataFrame) -> Sketch:
    """The sketch of a window's rows of a feed (of a static feed: of all its rows).

    Args:
        rows: At least the columns of the feed; timestamps in UTC.
    """
    numeric, days = numeric_columns(feed), local_days(feed, rows)
    fixed = fixed_attributes.find(feed, rows)
    between = time_differences(list(itertools.combinations(timestamps(feed), 2)), rows)
    return Sketch(
        blocks=split(pl.concat([rows.select(numeric), between], how="horizontal"), days, [*numeric, *between.columns]),
        days={} if feed.static else {str(day): count for day, count in sorted(days.value_counts().iter_rows())},
        grids={name: grid for name in numeric if (grid := grid_of(_finite(rows[name])))},
        piles={name: pile for name in [*numeric, *timestamps(feed)] if (pile := pile_of(rows[name]))},
        hours={} if feed.static else {name: _hours(feed, rows[name]) for name in timestamps(feed)},
        texts={name: texts for name in _texts_of(feed) if (texts := _texts(rows[name]))},
        fixed=fixed.values,
        unfixed=fixed.broken,
    )


def numeric_columns(feed: Feed) -> list[str]:
    """The feed's numeric columns but for its key."""
    return [name for name, kind in feed.columns.items() if kind in _NUMBERS and name not in feed.key]


def timestamps(feed: Feed) -> list[str]:
    """The feed's columns of type timestamp."""
    return [name for name, kind in feed.columns.items() if kind == "timestamp"]


def local_days(feed: Feed, rows: pl.DataFrame) -> pl.Series:
    """The local day of each row's event time; one and the same day for a static table."""
    if feed.event_time is None:
        return pl.Series([date(1970, 1, 1)] * rows.height, dtype=pl.Date)
    return rows[feed.event_time].dt.convert_time_zone(feed.day_timezone).dt.date()


def time_differences(pairs: Sequence[tuple[str, str]], rows: pl.DataFrame) -> pl.DataFrame:
    """A column `later - earlier` for each pair of timestamp columns: minutes."""
    return rows.select(
        ((pl.col(later) - pl.col(earlier)).dt.total_seconds() / 60).alias(f"{later} - {earlier}")
        for earlier, later in pairs
    )


def _hours(feed: Feed, instants: pl.Series) -> tuple[int, ...]:
    hours = instants.drop_nulls().dt.convert_time_zone(feed.day_timezone).dt.hour()
    return tuple(int(count) for count in np.bincount(hours.to_numpy(), minlength=24))


def _texts_of(feed: Feed) -> Sequence[str]:
    return [name for name, kind in feed.columns.items() if kind in ("string", "boolean") and (name,) != feed.key]


def _texts(values: pl.Series) -> Texts | None:
    counts = values.drop_nulls().cast(pl.String).value_counts(name="rows")
    counts = counts.sort("rows", values.name, descending=[True, False])
    top = counts.head(MOST_TEXTS)
    if not counts.height or (top[values.name].str.len_chars() > _LONGEST_TEXT).any():
        return None
    return Texts(int(counts["rows"].sum()), counts.height, dict(top.iter_rows()))


def _finite(values: pl.Series) -> Floats:
    numbers: Floats = values.drop_nulls().cast(pl.Float64).to_numpy()
    return numbers[np.isfinite(numbers)]
