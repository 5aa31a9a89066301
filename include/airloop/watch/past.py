"""A champion's own past: its holdout and the windows it was watched in, which say what is usual for it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from airloop.config import Pipeline
from airloop.errors import DataContractError
from airloop.models import evidence
from airloop.models.model_version import ModelVersion
from airloop.problems import PREDICTION, Task, task_of
from airloop.records import Monitored, Window
from airloop.settings import Settings
from airloop.stores import alarms, state

WINDOWS = 12
"""How many windows before this one count."""

_RECORDS_A_LOOK = 4


@dataclass(frozen=True)
class ChampionPast:
    """What is usual for a champion.

    Attributes:
        holdout: Label and prediction of its labelled holdout rows; empty when it has none.
        windows: The windows it was watched in before this one, newest first, but those with an alarm nobody accepted.
        spread: Standard deviation of the holdout's labels, the unit of its calibration gap; None without a holdout.
    """

    task: Task
    holdout: pd.DataFrame
    windows: tuple[Monitored, ...]
    spread: float | None

    def metric(self, name: str) -> list[float]:
        """The metric on the holdout and in each window where it was measured."""
        return _numbers([self._of_holdout(name), *(record.live.get(name) for record in self.windows)])

    def gaps(self) -> list[float]:
        """The calibration gap on the holdout and in each window."""
        return _numbers([self._holdout_gap(), *(record.calibration_gap for record in self.windows)])

    def prediction_psis(self) -> list[float]:
        """How far predictions were from the holdout's in each window."""
        return _numbers(record.prediction_psi for record in self.windows)

    def unlabelled_shares(self) -> list[float]:
        """The share of scored rows without a label in each window."""
        return _numbers(record.quality.get("unlabelled_scored_share") for record in self.windows)

    def _of_holdout(self, name: str) -> float | None:
        if not len(self.holdout):
            return None
        try:
            predicted = self.task.from_column(self.holdout[PREDICTION])
            return evidence.metric_value(name, self.holdout["label"], predicted)
        except DataContractError:  # too few rows, or all of one class
            return None

    def _holdout_gap(self) -> float | None:
        if not len(self.holdout):
            return None
        predicted = self.task.from_column(self.holdout[PREDICTION])
        return self.task.gap(self.holdout["label"].to_numpy(dtype="float64"), predicted)


def _numbers(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def past_of(champion: ModelVersion, pipeline: Pipeline, windows: Sequence[Monitored]) -> ChampionPast:
    """A champion's past out of what is loaded; see `earlier_windows`."""
    task, holdout = task_of(pipeline), champion.holdout_predictions
    held_out = (
        holdout.dropna(subset=["label"]) if PREDICTION in holdout else pd.DataFrame(columns=["label", PREDICTION])
    )
    spread = None
    if len(held_out):
        spread = task.spread(held_out["label"].to_numpy(dtype="float64"), task.from_column(held_out[PREDICTION]))
    return ChampionPast(task, held_out, tuple(windows), spread)


def earlier_windows(pipeline: Pipeline, evidence: Window, version: int, settings: Settings) -> list[Monitored]:
    """The last WINDOWS live looks at the version before this evidence, newest first; see ChampionPast.windows.

    No two of them share a row: looks that overlap would make what has just begun look usual.
    """
    records = apart(pipeline, version, settings, until=evidence.start, number=WINDOWS)
    if not any(record.alarms for record in records):
        return records
    span = Window(min(record.window.start for record in records), evidence.start)
    raised = alarms.raised(pipeline, settings, span=span, stages=("monitor",))
    refused = {item.window for item in raised if item.answer != alarms.ACCEPTED}
    return [record for record in records if not record.alarms or record.window not in refused]


def apart(pipeline: Pipeline, version: int, settings: Settings, *, until: datetime, number: int) -> list[Monitored]:
    """The newest live looks at a version that ended by `until` and share no row with each other, newest first.

    Of a look the newest record counts. The look-up is bounded: it reads no more than a few records a look.
    """
    records_apart: list[Monitored] = []
    for _ in range(number):
        rows = state.records_before(settings, pipeline.name, "monitor", end=until, limit=_RECORDS_A_LOOK * number)
        for record in map(Monitored.from_json, rows):
            if record.version == version and record.origin == "live" and record.window.end <= until:
                records_apart.append(record)
                until = min(record.evidence.start, record.window.start)
        if len(records_apart) >= number or len(rows) < _RECORDS_A_LOOK * number:
            break
        until = min(until, Window.from_json(rows[-1]["window"]).end)
    return records_apart[:number]
