"""What a window's sketches have to say against those of the windows before: alarms, each with its way out."""

from collections.abc import Iterable, Mapping

import polars as pl

from airloop.config import Pipeline
from airloop.data.feed_history import (
    code_alarms,
    column_alarms,
    day_alarms,
    kept_alarms,
    one_cause,
    pair_alarms,
    pairs,
    part_alarms,
    rate_alarms,
    relation_alarms,
    span_alarms,
    text_alarms,
)
from airloop.data.feed_history.looked import Looked
from airloop.data.feed_history.sketch import Sketch
from airloop.data.feed_history.sketches import sketch_feed
from airloop.records import Alarm, Window


def sketch_window(pipeline: Pipeline, rows: Mapping[str, pl.DataFrame], window: Window) -> dict[str, Sketch]:
    """Sketches of every feed that has rows, and as `first|second` of every two feeds that share their key."""
    feeds = {name: pipeline.feeds[name] for name in rows}
    sketches = {name: sketch_feed(feed, rows[name]) for name, feed in feeds.items()}
    for names in pairs.related(feeds):
        sketch = pairs.sketch_pair(names, feeds, rows, window)
        if sketch is not None:
            sketches["|".join(names)] = sketch
    return sketches


def notice(looked: Looked) -> tuple[Alarm, ...]:
    """The alarms of a window, the first of each kind and subject, one for each cause."""
    modules = (column_alarms, kept_alarms, code_alarms, span_alarms, rate_alarms, text_alarms, pair_alarms, day_alarms)
    first_alarms = [alarm for module in modules for alarm in module.find(looked)]
    first_alarms += part_alarms.find(looked, _suspects(first_alarms))
    suspects = _suspects(first_alarms)
    alarms: dict[tuple[str, str], Alarm] = {}
    for alarm in (*first_alarms, *relation_alarms.find(looked, suspects)):
        alarms.setdefault((alarm.kind, alarm.subject), alarm)
    return one_cause.named(looked.pipeline, tuple(alarms.values()), raised=looked.told)


def _suspects(alarms: Iterable[Alarm]) -> frozenset[str]:
    """The columns and feeds of which something is said."""
    return frozenset(subject for alarm in alarms for subject in alarm.subject.split(", "))
