"""A window's feeds held against their past: the sketches to keep, and the alarms they give rise to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import pyarrow as pa

from airloop.config import Pipeline
from airloop.data.feed_history import pairs, store
from airloop.data.feed_history.looked import Answers, Looked
from airloop.data.feed_history.notice import notice, sketch_window
from airloop.data.feed_history.sketch import Sketch
from airloop.data.feed_history.store import PastWindow
from airloop.records import Alarm, Ingested, Record, Window
from airloop.records.digests import digest
from airloop.settings import Settings
from airloop.stores import alarms

# One day's file says nothing about the others of its window.
_ABOUT_A_DAY = ("missing_day",)


@dataclass(frozen=True)
class Look:
    """What a window looks like, and what about it is not as it was before."""

    sketches: dict[str, Sketch]
    alarms: tuple[Alarm, ...]


@dataclass(frozen=True)
class Before(Record):
    """All that a window is compared with.

    Attributes:
        past: The windows before, by feed or `first|second`, oldest first.
        answers: How their alarms were answered.
    """

    past: Mapping[str, Sequence[PastWindow]]
    answers: Answers

    def to_json(self) -> dict[str, Any]:
        """A digest: sketches are long."""
        content = {
            name: [[str(item.window), item.sketch.to_json()] for item in items] for name, items in self.past.items()
        }
        return {"past": digest([content, sorted((str(key[0]), key[1], value) for key, value in self.answers.items())])}


def before(pipeline: Pipeline, window: Window, settings: Settings) -> Before:
    """What `look` compares the window with."""
    past = _past(pipeline, window, settings)
    return Before(past, _answers(pipeline, window, past, settings))


def look(
    pipeline: Pipeline, window: Window, rows: Mapping[str, pa.Table], known: Before, *, ingested: Ingested
) -> Look:
    """Hold a window against the windows before it.

    Args:
        rows: Feed -> its good rows of the window, with the columns of raw; a feed without rows is left out.
        ingested: What ingestion said of the window is not said again.
    """
    frames = {name: pl.DataFrame(table) for name, table in rows.items() if table.num_rows}
    sketches = sketch_window(pipeline, frames, window)
    raised, missing = ingested.alarms, frozenset(ingested.missing_days)
    return Look(sketches, notice(Looked(pipeline, window, sketches, known.past, known.answers, raised, missing)))


def keep(pipeline: Pipeline, window: Window, looked: Look, settings: Settings) -> None:
    """Keep the window's sketches for the windows after it; a second call changes nothing."""
    store.save(settings, pipeline.name, window, looked.sketches)


def _past(pipeline: Pipeline, window: Window, settings: Settings) -> dict[str, list[PastWindow]]:
    names = [*pipeline.feeds, *("|".join(names) for names in pairs.related(pipeline.feeds))]
    static = {name for name, feed in pipeline.feeds.items() if feed.static}
    return {
        name: store.before(
            settings,
            pipeline.name,
            name,
            window.start,
            most=store.MOST_STATIC if name in static else store.MOST_WINDOWS,
        )
        for name in names
    }


def _answers(pipeline: Pipeline, window: Window, past: Mapping[str, list[PastWindow]], settings: Settings) -> Answers:
    """How the alarms of the past windows were answered; an accepted one counts before one that is open."""
    windows = [item.window for items in past.values() for item in items]
    if not windows:
        return {}
    span = Window(min(item.start for item in windows), window.start)
    raised = alarms.raised(pipeline, settings, span=span, stages=alarms.DATA_STAGES)
    about = [item for item in raised if item.alarm.kind not in _ABOUT_A_DAY]
    answered = sorted(about, key=lambda item: item.answer == alarms.ACCEPTED)
    # Exchanged columns are one alarm about both.
    return {(item.window, subject): item.answer for item in answered for subject in item.alarm.subject.split(", ")}
