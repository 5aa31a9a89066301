"""What would have been: the first champion never retrained."""

import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from airloop.config import Pipeline
from airloop.errors import DataContractError
from airloop.features import examples
from airloop.models import evidence, model_version
from airloop.models.model_version import ModelVersion
from airloop.problems import Task, task_of
from airloop.records import Window
from airloop.settings import Settings
from airloop.stores import ledger
from airloop.stores.ledger import History


@dataclass(frozen=True)
class MonthWithoutRetraining:
    """Metrics of one window's labelled examples, by the champion in force and by the first champion.

    Attributes:
        live: Without the metrics that too few rows, or rows of one class, do not have; `never_retrained` likewise.
        promoted: Whether it is the first window after a promotion that replaced a champion.
    """

    window: Window
    version: int
    live: dict[str, float]
    never_retrained: dict[str, float]
    promoted: bool


def without_retraining(
    pipeline: Pipeline, windows: tuple[Window, ...], settings: Settings
) -> tuple[MonthWithoutRetraining, ...]:
    """Compare on every window that had a champion; labels as known by the end of all windows."""
    history = ledger.intact_history(settings, pipeline.name)
    first = min((entry.effective_at for entry in history.of("done")), default=None)
    if first is None or not windows:
        return ()
    loaded = {version: model_version.load_version(pipeline, version, settings) for version in history.promoted()}
    return tuple(
        _compare(pipeline, window, settings, sides=_Sides.of(history, window), loaded=loaded, as_of=windows[-1].end)
        for window in windows
        if window.start >= first
    )


@dataclass(frozen=True)
class _Sides:
    """Versions of a window: the very first champion, the one in force at its start, and the one just before that."""

    first: int
    in_force: int
    before: int | None

    @classmethod
    def of(cls, history: History, window: Window) -> "_Sides":
        first = history.champion(min(entry.effective_at for entry in history.of("done")))
        in_force = history.champion(window.start)
        if first is None or in_force is None:
            raise ValueError(f"{window} had no champion")
        return cls(first, in_force, history.champion(window.start - timedelta(microseconds=1)))


def _compare(
    pipeline: Pipeline,
    window: Window,
    settings: Settings,
    *,
    sides: _Sides,
    loaded: dict[int, ModelVersion],
    as_of: datetime,
) -> MonthWithoutRetraining:
    frame = examples.feature_frame(pipeline, window, settings, as_of=as_of)
    rows = frame[frame["label"].notna()]
    names = {sides.first, sides.in_force}
    task = task_of(pipeline)
    predicted = {version: loaded[version].predict(pipeline, rows) for version in names}
    measured = {version: _metrics(task, rows["label"], values) for version, values in predicted.items()}
    promoted = sides.before not in (None, sides.in_force)
    return MonthWithoutRetraining(window, sides.in_force, measured[sides.in_force], measured[sides.first], promoted)


def _metrics(task: Task, labels: pd.Series, predicted: Any) -> dict[str, float]:
    values = {}
    for metric in task.metrics:
        with contextlib.suppress(DataContractError):  # too few rows, or all of one class
            values[metric] = evidence.metric_value(metric, labels, predicted)
    return values
