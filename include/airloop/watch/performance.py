"""Performance: how the champion's live predictions did on labelled rows, and what the probe would have gained."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from airloop.config import Pipeline
from airloop.models import evidence
from airloop.models.bootstrap import policy_bootstrap
from airloop.models.model_version import ModelVersion
from airloop.problems import PREDICTION, Task, task_of
from airloop.records import Evidence, ProbeRefit, Window
from airloop.settings import Settings
from airloop.stores.ledger import Entry
from airloop.watch import probe_models, rhythm
from airloop.watch.evidence import LookedAt

_MIN_DAYS_A_CLASS = 5
"""With fewer days of a class, draws of days without it (and so without a ROC-AUC) are more than a few in a hundred."""


def unmeasured(task: Task) -> dict[str, float | None]:
    """Every key of `live`, without a value."""
    return {f"{metric}{end}": None for metric in task.metrics for end in ("", "_lower", "_upper")}


def live(pipeline: Pipeline, judged: pd.DataFrame) -> dict[str, float | None]:
    """The task's metrics of the live predictions, each with its day-block interval as `_lower`, `_upper`.

    None where it is not defined: fewer than 30 rows; bounds need policy.min_blocks days. A binary task needs either
    class, and for bounds each of them on 5 days.

    Args:
        judged: Columns decision_time, label, prediction, without gaps.
    """
    task = task_of(pipeline)
    measured = unmeasured(task)
    days = evidence.utc_days(judged["decision_time"])
    if len(judged) < evidence.MIN_ROWS or not task.days_of_rarer_class(judged["label"], days):
        return measured
    predicted = task.from_column(judged[PREDICTION])
    for metric in task.metrics:
        measured[metric] = evidence.metric_value(metric, judged["label"], predicted)
        if _enough_days(pipeline, judged):
            _, measured[f"{metric}_lower"], measured[f"{metric}_upper"] = evidence.interval(
                judged["label"], predicted, days, metric=metric, bootstrap=policy_bootstrap(pipeline)
            )
    return measured


def confusion(pipeline: Pipeline, judged: pd.DataFrame) -> tuple[tuple[int, ...], ...]:
    """Rows of each class by the class that was predicted; empty without rows, or where the task has no classes."""
    task = task_of(pipeline)
    if judged.empty:
        return ()
    return task.confusion(judged["label"].to_numpy(dtype=np.float64), task.from_column(judged[PREDICTION]))


@dataclass(frozen=True)
class Look:
    """One look of monitoring: its period, the champion in force at its start, and what it judges.

    Attributes:
        origin: Evidence of a `backfill` triggers nothing.
        unfit: Why today's features are not those the champion learned from; empty where they are.
        promotion: The one whose gain is to be measured; None where none is due.
    """

    window: Window
    champion: ModelVersion
    evidence: LookedAt
    origin: str = "live"
    unfit: str = ""
    promotion: Entry | None = None


def probe(
    pipeline: Pipeline, look: Look, judged: pd.DataFrame, settings: Settings
) -> tuple[tuple[Evidence, ...], tuple[ProbeRefit, ...]]:
    """Evidence, per metric, of the probe over the champion's live predictions on the judged rows, and its refits.

    Each row is compared with the newest refit made before its label could mature (see airloop.watch.rhythm): none has
    seen a row it is judged on. Rows that an earlier decision has judged are not evidence again.

    Args:
        judged: Columns decision_time, the champion's features, label, prediction; the last two without gaps.

    Returns:
        No evidence with fewer than policy.min_rows compared rows or policy.min_blocks days of them, a class of a binary
        task on fewer than 5 days, or fewer than training.min_train_rows rows to fit on.
    """
    delay, answered_at = pipeline.prediction.label_delay, look.evidence.answered_at
    if answered_at is not None:
        judged = judged[judged["decision_time"] >= answered_at - delay]
    later, since = rhythm.next_look(pipeline, look.window), look.evidence.since
    needed = rhythm.probe_cutoffs(pipeline, later, since) if later else ()
    refits: list[ProbeRefit] = []

    def refit(cutoff: datetime) -> Any:
        keep_from = needed[0] if cutoff in needed else None
        fitted = probe_models.probe(pipeline, look.champion, cutoff, settings, keep_from=keep_from)
        refits.extend([fitted.refit] if fitted else [])
        return fitted and fitted.model

    cutoffs = rhythm.probe_cutoffs(pipeline, look.window, since)
    evidence_of_metrics = probe_evidence(pipeline, (*cutoffs, look.window.end), judged, look.champion.features, refit)
    return evidence_of_metrics, tuple(refits)


def may_probe(pipeline: Pipeline, judged: pd.DataFrame) -> bool:
    """Whether the judged rows, and the days of either class among them, are enough to show a gain on."""
    enough_rows = len(judged) >= max(pipeline.monitoring.policy.min_rows, evidence.MIN_ROWS)
    return enough_rows and _enough_days(pipeline, judged)


def probe_evidence(
    pipeline: Pipeline,
    bounds: Sequence[datetime],
    judged: pd.DataFrame,
    features: Sequence[str],
    refit: Callable[[datetime], Any],
) -> tuple[Evidence, ...]:
    """The probe's refits against the predictions of the judged rows; nothing when there are too few of them.

    Args:
        bounds: The refits' cutoffs, and the end of the look: each row is compared with the newest refit before it.
        refit: Cutoff -> the model fitted there; None where it cannot be.
    """
    if not may_probe(pipeline, judged):
        return ()
    task, delay = task_of(pipeline), pipeline.prediction.label_delay
    parts, predicted = [], []
    for cutoff, until in pairwise(bounds):
        decided = judged["decision_time"]
        rows = judged[(decided >= cutoff - delay) & (decided < until - delay)]
        model = None if rows.empty or cutoff - delay <= pipeline.coverage.start else refit(cutoff)
        if model is not None:
            parts.append(rows)
            predicted.append(task.predict(model, rows[list(features)]))
    compared = pd.concat(parts) if parts else judged.head(0)
    if not may_probe(pipeline, compared):
        return ()
    sides = (compared["label"], task.from_column(compared[PREDICTION]), np.concatenate(predicted))
    days = evidence.utc_days(compared["decision_time"])
    spent = rhythm.level(pipeline.monitoring_calendar, pipeline.monitoring.policy)
    drawn = replace(policy_bootstrap(pipeline), level=spent)
    of_metrics = (evidence.compare(*sides, days, metric=name, bootstrap=drawn) for name in task.metrics)
    return tuple(of_metrics)


def calibration_gap(pipeline: Pipeline, judged: pd.DataFrame) -> float | None:
    """The task's `gap` (binary: mean prediction minus label rate); None with fewer than 30 rows."""
    if len(judged) < evidence.MIN_ROWS:
        return None
    task = task_of(pipeline)
    return task.gap(judged["label"].to_numpy(dtype="float64"), task.from_column(judged[PREDICTION]))


def _enough_days(pipeline: Pipeline, judged: pd.DataFrame) -> bool:
    days = evidence.utc_days(judged["decision_time"])
    rarer = task_of(pipeline).days_of_rarer_class(judged["label"], days)
    return evidence.blocks(days) >= pipeline.monitoring.policy.min_blocks and rarer >= _MIN_DAYS_A_CLASS
