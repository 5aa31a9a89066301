"""Keys of a window that an earlier window holds for another event: an export whose row numbers start again."""

from datetime import timedelta

import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds

from airloop.config import Pipeline
from airloop.data.feed_rows import FeedRows
from airloop.data.unreadable_rows import RULE
from airloop.records import Alarm, Window
from airloop.settings import Settings
from airloop.stores import lake

LOOK_BACK = timedelta(days=92)
"""How far before a window its keys are looked for: further costs more with every year of history."""


def repeated_keys(
    pipeline: Pipeline, name: str, window: Window, of_feed: FeedRows, settings: Settings
) -> tuple[Alarm, ...]:
    """An alarm when more than `max_lost_share` of a window's rows have the key of an earlier event; else none.

    A feed whose key holds its event time cannot repeat one.
    """
    feed = pipeline.feeds[name]
    if of_feed.rows is None or feed.event_time is None or feed.event_time in feed.key:
        return ()
    columns = [*feed.key, feed.event_time]
    rows = of_feed.rows.filter(pl.col(RULE).is_null()).select(columns).drop_nulls()
    earlier = _earlier(pipeline, name, window, rows, settings)
    again = rows.join(earlier, on=feed.key, how="inner", suffix="_before").unique(feed.key, maintain_order=True)
    if again.height <= max(1, pipeline.validation.max_lost_share * rows.height):
        return ()
    key = ", ".join(f"{part} {again[part][0]!r}" for part in feed.key)
    at, before = again[feed.event_time][0], again[f"{feed.event_time}_before"][0]
    return (
        Alarm(
            kind="keys_again",
            subject=name,
            says=f"{again.height} of {rows.height} rows of {name} have the key of an earlier event, first {key} at "
            f"{at:%Y-%m-%dT%H:%M:%SZ}, which stood for {before:%Y-%m-%dT%H:%M:%SZ}: does the key start again in each "
            f"file? Give each row a key of its own, or add {feed.event_time} to `key` of the feed",
            observed=float(again.height),
            expected=0.0,
            # A feed of states may name its things again; where examples share a key, the training refuses by itself.
            holds_training=False,
        ),
    )


def _earlier(pipeline: Pipeline, name: str, window: Window, rows: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    feed = pipeline.feeds[name]
    uri = lake.table_uri(settings, pipeline.name, "raw", name)
    columns = [*feed.key, str(feed.event_time)]
    if rows.is_empty() or lake.open_table(uri, settings) is None:
        return rows.select(columns).clear()
    where = lake.between(str(feed.event_time), Window(window.start - LOOK_BACK, window.start))
    first = feed.key[0]
    if feed.columns[first] == "string":
        # Ids that grow with time leave nothing to read.
        low, high = (pa.scalar(bound, pa.string()) for bound in (rows[first].min(), rows[first].max()))
        where = where & (ds.field(first) >= low) & (ds.field(first) <= high)
    return pl.DataFrame(lake.read(uri, settings, where=where, columns=columns))
