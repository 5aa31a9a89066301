"""How much of the past is learned from: since when, and at most how many rows."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from airloop.config import Pipeline


def learned_since(pipeline: Pipeline, end: datetime) -> datetime:
    """From when on rows decided before `end` are learned from (training.history_days)."""
    days = pipeline.training.history_days
    return pipeline.coverage.start if days is None else max(pipeline.coverage.start, end - timedelta(days=days))


@dataclass
class Thinning:
    """Keeps at most `at_most` of the examples decided before `until`, evenly spread over them; later ones all.

    Attributes:
        examples: How many there were before `until`, once it was called.
    """

    until: datetime
    at_most: int | None
    examples: int = 0

    def __call__(self, rows: pa.Table) -> pa.Table:
        """The kept rows, in their order, of a table sorted by decision_time."""
        before = pc.less(rows["decision_time"], pa.scalar(self.until, rows["decision_time"].type))
        self.examples = pc.sum(before).as_py() or 0
        kept = evenly(self.examples, self.at_most)
        return rows if len(kept) == self.examples else rows.take([*kept, *range(self.examples, rows.num_rows)])


def evenly(count: int, at_most: int | None) -> list[int]:
    """At most that many of `count` positions, evenly spread, with the last one; all when there are no more."""
    if at_most is None or count <= at_most:
        return list(range(count))
    found: list[int] = np.linspace(count - 1, 0, at_most).round().astype(np.int64)[::-1].tolist()
    return found
