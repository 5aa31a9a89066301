"""Seattle's days of 2012 to 2015 (NOAA, public domain): a feed with seasons, a question about a dry or a hot day."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import polars as pl
from tests.support.flight_months import flights

from airloop.config import Pipeline
from airloop.data.feed_history.looked import Looked
from airloop.data.feed_history.notice import notice, sketch_window
from airloop.data.feed_history.store import PastWindow
from airloop.records import Alarm, Window

Plant = Callable[[str, pl.DataFrame], pl.DataFrame]
_KNOWN = ("precipitation", "temp_max", "temp_min", "wind", "precipitation_14_days")


def as_it_is(_feed: str, rows: pl.DataFrame) -> pl.DataFrame:
    """No fault."""
    return rows


@cache
def days() -> pl.DataFrame:
    """Each day with what the day before knew, and whether it rained (`rains`) or was hot (`hot`)."""
    rows = pl.read_csv(Path(__file__).with_name("seattle_weather.csv"))
    rows = rows.with_columns(
        pl.col("date").str.to_datetime("%Y/%m/%d", time_zone="UTC"),
        pl.col("precipitation").rolling_mean(14).alias("precipitation_14_days"),
        (pl.col("precipitation") > 0).cast(pl.Int64).alias("rains"),
        (pl.col("temp_max") > 25).cast(pl.Int64).alias("hot"),
    )
    parts = [
        rows.select(
            (pl.col("date").dt.strftime("d%Y-%m-%d+") + str(ahead)).alias("day"),
            "date",
            *(pl.col(name).shift(ahead).alias(f"{name}_last") for name in _KNOWN),
            "rains",
            "hot",
        )
        for ahead in (1, 2, 3)
    ]
    return pl.concat(parts).sort("date", "day")


@cache
def declared(label: str) -> Pipeline:
    """A pipeline of inputs and of one label; all but feeds and task is of no account here."""
    named = {"files": "{day}.csv", "key": ["day"], "event_time": "date"}
    inputs = {"day": "string", "date": "timestamp", **{f"{name}_last": "float" for name in _KNOWN}}
    outcomes = {"day": "string", "date": "timestamp", label: "integer"}
    known = flights().model_dump()
    known["feeds"] = {
        "events": {**named, "columns": inputs},
        "outcomes": {**named, "columns": outcomes, "outcome": True},
    }
    known["prediction"]["entity_key"] = "day"
    return Pipeline.model_validate(known)


def history(label: str, plant: Plant = as_it_is, *, planted: int = 0, last: int = 48) -> dict[int, list[Alarm]]:
    """Month of the four years (1 to `last`) -> its alarms, each held against those before it, none of them answered.

    Args:
        plant: Changes the rows of a feed in the month `planted`, the last that is looked at.
    """
    pipeline, by_window, past, answers = declared(label), {}, {}, {}
    for number in range(1, (planted or last) + 1):
        window = _month(number)
        rows = {name: _rows(pipeline, name, window) for name in pipeline.feeds}
        if number == planted:
            rows = {name: plant(name, frame) for name, frame in rows.items()}
        sketches = sketch_window(pipeline, rows, window)
        by_window[number] = list(notice(Looked(pipeline, window, sketches, past, answers)))
        answers |= {(window, subject): "" for alarm in by_window[number] for subject in alarm.subject.split(", ")}
        for name, sketch in sketches.items():
            past.setdefault(name, []).append(PastWindow(window, sketch))
    return {number: alarms for number, alarms in by_window.items() if alarms}


def _month(number: int) -> Window:
    first, after = ((2012 + month // 12, month % 12 + 1) for month in (number - 1, number))
    return Window.parse(*(f"{year}-{month:02}-01T00:00:00Z" for year, month in (first, after)))


def _rows(pipeline: Pipeline, name: str, window: Window) -> pl.DataFrame:
    inside = pl.col("date").is_between(window.start, window.end, closed="left")
    return days().filter(inside).select(list(pipeline.feeds[name].columns))
