"""Months of flights as sketches, and April with a fault: what the alarms of the data say without a home or a lake."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import polars as pl

from airloop.config import Pipeline, load_pipeline
from airloop.data.feed_history import pairs
from airloop.data.feed_history.looked import Looked
from airloop.data.feed_history.notice import notice, sketch_window
from airloop.data.feed_history.sketch import Sketch
from airloop.data.feed_history.sketches import sketch_feed
from airloop.data.feed_history.store import PastWindow
from airloop.records import Alarm, Window
from airloop.settings import Settings
from nycflights import source

PROJECT = Path(__file__).parents[2]
NEW_YORK = source.NEW_YORK
APRIL = (datetime(2013, 4, 1, 4, tzinfo=UTC), datetime(2013, 5, 1, 4, tzinfo=UTC))
TIMES = {"schedule": "effective_at", **{name: time for name, time in source.STAMPS.items() if name != "schedule"}}
Plant = Callable[[str, pl.DataFrame], pl.DataFrame]


@cache
def flights() -> Pipeline:
    return load_pipeline("flight_delays", Settings(project_dir=PROJECT))


def month(number: int) -> Window:
    end = datetime(2013 + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    return Window(datetime(2013, number, 1, tzinfo=UTC), end)


def rows_of(window: Window, plant: Plant | None = None) -> dict[str, pl.DataFrame]:
    rows = {}
    for name, feed in flights().feeds.items():
        frame = source.load()[name] if plant is None else plant(name, source.load()[name])
        if feed.event_time:
            frame = frame.filter(pl.col(feed.event_time).is_between(window.start, window.end, closed="left"))
        rows[name] = frame
    return rows


@cache
def sketches(number: int) -> dict[str, Sketch]:
    return sketch_window(flights(), rows_of(month(number)), month(number))


def past_of(number: int) -> dict[str, list[PastWindow]]:
    return {
        name: [PastWindow(month(earlier), sketches(earlier)[name]) for earlier in range(max(1, number - 3), number)]
        for name in sketches(1)
    }


def planted(plant: Plant) -> dict[str, Sketch]:
    """April's sketches with a fault; what the plant hands back as it is has been sketched before."""
    window, feeds, sound = month(4), flights().feeds, source.load()
    frames = {name: plant(name, sound[name]) for name in feeds}
    touched = [name for name in feeds if frames[name] is not sound[name]]
    rows, by_name = rows_of(window, lambda name, _: frames[name]), dict(sketches(4))
    by_name |= {name: sketch_feed(feeds[name], rows[name]) for name in touched}
    for names in pairs.related(feeds):
        if not set(names).isdisjoint(touched):
            by_name.pop("|".join(names), None)
            sketch = pairs.sketch_pair(names, feeds, rows, window)
            by_name |= {"|".join(names): sketch} if sketch else {}
    return by_name


def alarms(plant: Plant) -> list[Alarm]:
    return list(notice(Looked(flights(), month(4), planted(plant), past_of(4), {})))


def changed(feed: str, **columns: pl.Expr) -> Plant:
    def plant(name: str, frame: pl.DataFrame) -> pl.DataFrame:
        if name != feed:
            return frame
        april = pl.col(TIMES[feed]).is_between(*APRIL, closed="left")
        return frame.with_columns(
            **{column: pl.when(april).then(value).otherwise(pl.col(column)) for column, value in columns.items()}
        )

    return plant


def without(feed: str, lost: pl.Expr) -> Plant:
    def plant(name: str, frame: pl.DataFrame) -> pl.DataFrame:
        april = pl.col(TIMES[feed]).is_between(*APRIL, closed="left")
        return frame.filter(~(april & lost)) if name == feed else frame

    return plant


def in_hours(column: str) -> pl.Expr:
    return (pl.col(column) / 60).round().cast(pl.Int64)


def in_kilometres(where: pl.Expr) -> pl.Expr:
    longer = (pl.col("distance_miles") * 1.609344).round().cast(pl.Int64)
    return pl.when(where).then(longer).otherwise("distance_miles")


def in_celsius(column: str) -> pl.Expr:
    return (pl.col(column) - 32) / 1.8


def on_the_wall(column: str) -> pl.Expr:
    """New York's clock, written with a Z."""
    return pl.col(column).dt.convert_time_zone(NEW_YORK).dt.replace_time_zone("UTC")


def local_day(column: str) -> pl.Expr:
    return pl.col(column).dt.convert_time_zone(NEW_YORK).dt.date()


def second_half_of_each_day(column: str) -> pl.Expr:
    day = local_day(column)
    return pl.int_range(pl.len()).over(day) >= pl.len().over(day) / 2


def among(feed: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> Plant:
    """April's rows of a feed changed as a whole."""

    def plant(name: str, frame: pl.DataFrame) -> pl.DataFrame:
        if name != feed:
            return frame
        april = pl.col(TIMES[feed]).is_between(*APRIL, closed="left")
        return pl.concat([frame.filter(~april), change(frame.filter(april))], how="vertical_relaxed")

    return plant


def several(*plants: Plant) -> Plant:
    """One fault after the other."""

    def plant(name: str, frame: pl.DataFrame) -> pl.DataFrame:
        for one in plants:
            frame = one(name, frame)
        return frame

    return plant
