"""Where sketches are kept: a row per window and feed in the state database, of which a window reads the newest few."""

import json
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from airloop.data.feed_history.sketch import Sketch
from airloop.records import Window
from airloop.settings import Settings
from airloop.stores import state, tables

MOST_WINDOWS, MOST_BLOCKS = 60, 100
MOST_STATIC = 3
"""A static table is one block in every window, and mostly the same one."""


@dataclass(frozen=True)
class PastWindow:
    """A window before, and its sketch."""

    window: Window
    sketch: Sketch


def save(settings: Settings, pipeline: str, window: Window, sketches: dict[str, Sketch]) -> None:
    """Keep the sketches of a window by feed (`first|second` of two feeds), in place of what lies within the window."""
    table = tables.feed_sketches
    bounds = {"window_start": state.instant_text(window.start), "window_end": state.instant_text(window.end)}
    within = sa.and_(
        table.c.pipeline == pipeline,
        table.c.window_start >= bounds["window_start"],
        table.c.window_end <= bounds["window_end"],
    )
    rows = [
        {"pipeline": pipeline, "feed": feed, **bounds, "sketch": json.dumps(sketch.to_json())}
        for feed, sketch in sketches.items()
    ]
    with state.transaction(settings) as connection:
        connection.execute(table.delete().where(within))
        if rows:
            connection.execute(table.insert(), rows)


def before(
    settings: Settings, pipeline: str, feed: str, start: datetime, *, most: int = MOST_WINDOWS
) -> list[PastWindow]:
    """The newest windows that ended by `start`, oldest first, none of which overlap: `most`, or those of 100 blocks."""
    table = tables.feed_sketches
    query = (
        sa.select(table.c.window_start, table.c.window_end, table.c.sketch)
        .where(table.c.pipeline == pipeline, table.c.feed == feed, table.c.window_end <= state.instant_text(start))
        .order_by(table.c.window_end.desc(), table.c.window_start)
        .limit(most)
    )
    newest: list[PastWindow] = []
    with state.reading(settings) as connection:
        for first, last, text in connection.execute(query):
            window = Window.parse(first, last)
            if newest and newest[-1].window.start < window.end:
                continue
            newest.append(PastWindow(window, Sketch.from_json(json.loads(text))))
            if sum(len(item.sketch.blocks) for item in newest) >= MOST_BLOCKS:
                break
    return newest[::-1]
