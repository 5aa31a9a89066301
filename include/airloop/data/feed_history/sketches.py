"""A sketch is made of the rows of a window, or of one feed beside another."""

import itertools
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from airloop.config import Feed
from airloop.data.feed_history import (
    agreements,
    associations,
    clock_columns,
    code_shares,
    directions,
    exchanged,
    far_values,
    fixed_attributes,
    frozen_values,
    kept_values,
    levels_of_parts,
    outcome_rates,
    precision,
    relations,
    repeated_days,
    repeated_rows,
    row_numbers,
    same_values,
    side_by_side,
    smooth_columns,
    value_profiles,
    words,
)
from airloop.data.feed_history.blocks import Block, Floats, counted, split
from airloop.data.feed_history.pile_up import pile_of
from airloop.data.feed_history.sketch import Sketch, Texts
from airloop.data.feed_history.text_shapes import shapes_of
from airloop.data.feed_history.value_grid import grid_of

MOST_TEXTS = 300
_LONGEST_TEXT = 60
_NUMBERS = ("integer", "float")


def sketch_feed(feed: Feed, rows: pl.DataFrame) -> Sketch:
    """The sketch of a window's rows of a feed (of a static feed: of all its rows).

    Args:
        rows: At least the columns of the feed; timestamps in UTC.
    """
    numeric, days = numeric_columns(feed), local_days(feed, rows)
    codes = [*texts_of(feed), *(name for name in numeric if feed.columns[name] == "integer")]
    clocked = clock_columns.find(feed, rows, codes, timestamps(feed))
    between = time_differences(list(itertools.combinations(timestamps(feed), 2)), rows)
    numbers = pl.concat([rows.select(numeric), between], how="horizontal")
    blocks = split(numbers, days, numbers.columns)
    dated: dict[str, Any] = {} if feed.static else _of_days(feed, rows, days, codes)
    return Sketch(
        blocks=blocks,
        filled={name: counted(rows[name].is_not_null(), days, blocks) for name in feed.columns if name not in feed.key},
        grids={name: grid for name in numeric if (grid := grid_of(_finite(rows[name])))},
        piles={name: pile for name in [*numeric, *timestamps(feed)] if (pile := pile_of(rows[name]))},
        digits={name: digits for name in numeric if (digits := precision.digits_of(_finite(rows[name])))},
        ends={name: ends for name in numeric if (ends := far_values.ends_of(_finite(rows[name])))},
        texts={name: texts for name in texts_of(feed) if (texts := _texts(rows[name]))},
        words=words.find(rows, _strings(feed)),
        shapes={name: shapes for name in _strings(feed) if (shapes := shapes_of(rows[name]))},
        copied=row_numbers.share_copied(feed, rows),
        clocked=clocked.values,
        unclocked=clocked.broken,
        courses=smooth_columns.courses(rows, numeric, feed.event_time) if feed.event_time else {},
        rates=_rates(feed, rows, days, blocks) if feed.outcome else {},
        clumped=_clumped(feed, rows, days) if feed.outcome else {},
        **_between_columns(feed, rows, between),
        **dated,
    )


def _between_columns(feed: Feed, rows: pl.DataFrame, between: pl.DataFrame) -> dict[str, Any]:
    """What columns have to do with each other.

    Args:
        between: The minutes between every two instants.
    """
    numeric, fixed = numeric_columns(feed), fixed_attributes.find(feed, rows)
    numbers = pl.concat([rows.select(numeric), between], how="horizontal")
    return {
        "fixed": fixed.values,
        "unfixed": fixed.broken,
        "relations": relations.find(numbers, numeric) | relations.find(numbers, numeric, between.columns),
        "associations": associations.find(rows, texts_of(feed)),
        "agreements": agreements.find(numbers, numeric, between.columns),
        "spans": {name: ends for name in between.columns if (ends := far_values.all_ends_of(_finite(between[name])))},
        "orders": exchanged.orders(rows, numeric),
        "directions": directions.find(kept_values.finite(rows, numeric), numeric),
        "alike": same_values.shares(rows, numeric) | same_values.shares(rows, texts_of(feed)),
        "apart": {} if feed.static else {name: _hours_apart(between[name]) for name in between.columns},
    }


def _of_days(feed: Feed, rows: pl.DataFrame, days: pl.Series, codes: Sequence[str]) -> dict[str, Any]:
    """What only a feed whose rows have a day is asked.

    Args:
        codes: Columns that may be of codes.
    """
    numeric = numeric_columns(feed)
    return {
        "days": {str(day): count for day, count in sorted(days.value_counts().iter_rows())},
        "hours": {name: _hours(feed, rows[name]) for name in timestamps(feed)},
        "minutes": {name: _minutes(rows[name]) for name in timestamps(feed)},
        "levels": levels_of_parts.find(rows, numeric, _strings(feed)),
        "beside": side_by_side.find(rows, numeric, codes, feed.event_time) if feed.event_time else {},
        "contents": repeated_days.digests(rows.select(numeric), days),
        "variety": frozen_values.variety(rows, days, numeric, _strings(feed)),
        "profiles": value_profiles.find(rows, texts_of(feed)),
        "said": repeated_rows.hashes(feed, rows),
        "held": kept_values.held(kept_values.finite(rows, numeric), numeric),
        "codes": _codes(feed, rows, codes, days),
    }


def numeric_columns(feed: Feed) -> list[str]:
    """The feed's numeric columns but for its key."""
    return [name for name, kind in feed.columns.items() if kind in _NUMBERS and name not in feed.key]


def said_columns(feed: Feed) -> list[str]:
    """The feed's columns but for its key and its instants: what an outcome says."""
    return [name for name, kind in feed.columns.items() if kind != "timestamp" and name not in feed.key]


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


def _minutes(instants: pl.Series) -> tuple[int, ...]:
    minutes = instants.drop_nulls().dt.minute()
    return tuple(int(count) for count in np.bincount(minutes.to_numpy(), minlength=60))


def _hours(feed: Feed, instants: pl.Series) -> tuple[int, ...]:
    hours = instants.drop_nulls().dt.convert_time_zone(feed.day_timezone).dt.hour()
    return tuple(int(count) for count in np.bincount(hours.to_numpy(), minlength=24))


def _hours_apart(minutes: pl.Series) -> tuple[int, ...]:
    hours = (minutes.drop_nulls() / 60).floor().cast(pl.Int64) % 24
    return tuple(int(count) for count in np.bincount(hours.to_numpy(), minlength=24))


def texts_of(feed: Feed) -> Sequence[str]:
    """The feed's columns of texts and of booleans but for a key of one column."""
    return [name for name, kind in feed.columns.items() if kind in ("string", "boolean") and (name,) != feed.key]


def _strings(feed: Feed) -> Sequence[str]:
    return [name for name, kind in feed.columns.items() if kind == "string"]


def _codes(feed: Feed, rows: pl.DataFrame, columns: Sequence[str], days: pl.Series) -> dict[str, code_shares.Codes]:
    """Of an outcome its rates say more."""
    if feed.outcome:
        return {}
    by_column = {name: code_shares.codes_of(rows[name], days) for name in columns}
    return {name: codes for name, codes in by_column.items() if codes}


def _rates(
    feed: Feed, rows: pl.DataFrame, days: pl.Series, blocks: Sequence[Block]
) -> dict[str, dict[str, tuple[int, ...]]]:
    counts = {name: outcome_rates.counts_by_value(rows[name], days, blocks) for name in said_columns(feed)}
    return {name: values for name, values in counts.items() if values}


def _clumped(feed: Feed, rows: pl.DataFrame, days: pl.Series) -> dict[str, float]:
    numbers = numeric_columns(feed)
    measured = {
        name: outcome_rates.clumping(rows[name], days)
        for name in said_columns(feed)
        if name in numbers or rows[name].n_unique() <= outcome_rates.MOST_VALUES
    }
    return {name: clumped for name, clumped in measured.items() if clumped is not None}


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
