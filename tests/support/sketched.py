"""Blocks and windows made of numbers, for tests of what is held against the past."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import numpy.typing as npt

from airloop.config import Feed
from airloop.data.feed_history.blocks import Block, Numbers
from airloop.records import Window

FIRST = date(2024, 1, 1)


def blocks(days: list[npt.ArrayLike], *, first: date = FIRST) -> list[Block]:
    """A block a day with one column `x`."""
    day_blocks = []
    for number, values in enumerate(days):
        column = np.asarray(values, dtype=np.float64)
        day = str(first + timedelta(days=number))
        day_blocks.append(Block(day, day, column.size, {"x": Numbers.of(column)}))
    return day_blocks


def month(number: int) -> Window:
    """A month of 2024."""
    end = datetime(2024 + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    return Window(datetime(2024, number, 1, tzinfo=UTC), end)


def feed(**changes: object) -> Feed:
    """A feed of sales; `changes` replace keys of its declaration."""
    columns = {"sale": "string", "sold_at": "timestamp", "shop": "string", "price": "float"}
    declared = {"files": "{day}.csv", "key": ["sale"], "event_time": "sold_at", "columns": columns}
    return Feed.model_validate({**declared, **changes})
