"""How much of the past is learned from: since when, and at most how many rows."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa

from airloop.config import Pipeline
from airloop.models.reserve import reserved
from airloop.problems import Integers
from airloop.records import Window


def learned_since(pipeline: Pipeline, end: datetime) -> datetime:
    """From when on rows decided before `end` are learned from (training.history_days)."""
    days = pipeline.training.history_days
    return pipeline.coverage.start if days is None else max(pipeline.coverage.start, end - timedelta(days=days))


def learned_growth(pipeline: Pipeline, before: datetime | None, now: datetime) -> float | None:
    """How many times as many days of the past a training at one cutoff could learn from as at an earlier one.

    Returns:
        None without an earlier one, or where it had nothing to learn from.
    """
    if before is None or (then := _learned_days(pipeline, before)) <= 0:
        return None
    return _learned_days(pipeline, now) / then


def _learned_days(pipeline: Pipeline, cutoff: datetime) -> float:
    end = cutoff - pipeline.prediction.label_delay
    return (end - learned_since(pipeline, end)) / timedelta(days=1)


def kept_since(pipeline: Pipeline, learned: Window) -> datetime:
    """From when on a training set has rows: reserve days are kept back of the whole past, however little is learned."""
    return learned.start if pipeline.training.reserve_days is None else pipeline.coverage.start


@dataclass
class Thinning:
    """Which rows of the past a training set holds; later ones than `learned` are all kept.

    Of those decided in `learned` at most training.max_train_rows, evenly spread over them, and of the reserve days
    before its end as many again at most.

    Attributes:
        examples: How many could be learned from, once it was called.
    """

    pipeline: Pipeline
    learned: Window
    examples: int = 0

    def __call__(self, rows: pa.Table) -> pa.Table:
        """The kept rows, in their order, of a table sorted by decision_time."""
        chosen = self.positions(rows["decision_time"].to_pandas())
        return rows if len(chosen) == rows.num_rows else rows.take(chosen)

    def positions(self, times: pd.Series) -> list[int]:
        """Positions of the kept rows among sorted decision times."""
        back = reserved(times, self.pipeline.training.reserve_days)
        before = (times < self.learned.end).to_numpy()
        learned = np.flatnonzero(before & ~back & (times >= self.learned.start).to_numpy())
        self.examples = len(learned)
        parts = (_thinned(rows, self.pipeline) for rows in (learned, np.flatnonzero(before & back)))
        return sorted(int(row) for rows in (*parts, np.flatnonzero(~before)) for row in rows)


def _thinned(rows: Integers, pipeline: Pipeline) -> Integers:
    return rows[evenly(len(rows), pipeline.training.max_train_rows)]


def evenly(count: int, at_most: int | None) -> list[int]:
    """At most that many of `count` positions, evenly spread, with the last one; all when there are no more."""
    if at_most is None or count <= at_most:
        return list(range(count))
    places: list[int] = np.linspace(count - 1, 0, at_most).round().astype(np.int64)[::-1].tolist()
    return places


def raised_bounds(pipeline: Pipeline) -> str:
    """`raise training.history_days (3), `: of a way out, the declared bounds on what is learned from; empty of none."""
    declared = ((name, getattr(pipeline.training, name)) for name in ("history_days", "max_train_rows"))
    bounds = [f"training.{name} ({value})" for name, value in declared if value is not None]
    return f"raise {' or '.join(bounds)}, " if bounds else ""
