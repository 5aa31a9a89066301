"""Performance: how the champion's live predictions did on labelled rows, and what the probe would have gained."""

from typing import Any, Protocol

import pandas as pd

from airloop.config import Pipeline
from airloop.features import examples
from airloop.models import estimators, evidence
from airloop.models.model_version import ModelVersion
from airloop.problems import PREDICTION, Task, task_of
from airloop.records import Evidence, Window
from airloop.settings import Settings

_MIN_DAYS_A_CLASS = 5
"""With fewer days of a class, draws of days without it (and so without a ROC-AUC) are more than a few in a hundred."""


class Probed(Protocol):
    """What a probe needs of the model it is compared with."""

    @property
    def features(self) -> tuple[str, ...]:
        """Columns in model order."""

    @property
    def candidate(self) -> str:
        """The candidate of the declaration it was made from."""

    @property
    def params(self) -> dict[str, Any]:
        """The parameters that tuning chose for it."""


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
    found = unmeasured(task)
    days = evidence.utc_days(judged["decision_time"])
    if len(judged) < evidence.MIN_ROWS or not task.days_of_rarer_class(judged["label"], days):
        return found
    predicted = task.from_column(judged[PREDICTION])
    for metric in task.metrics:
        found[metric] = evidence.metric_value(metric, judged["label"], predicted)
        if _enough_days(pipeline, judged):
            _, found[f"{metric}_lower"], found[f"{metric}_upper"] = evidence.interval(
                judged["label"], predicted, days, metric=metric, **_bootstrap(pipeline)
            )
    return found


def probe(
    pipeline: Pipeline, window: Window, champion: ModelVersion, judged: pd.DataFrame, settings: Settings
) -> tuple[Evidence, ...]:
    """Evidence, per metric, of the probe over the champion's live predictions on the judged rows.

    The probe is the champion's candidate and parameters, refitted on all labelled rows with decision time in
    [coverage.start, window.start - label_delay). Strictly before: a row at the boundary is judged, not learnt from.

    Args:
        judged: Columns decision_time, the champion's features, label, prediction; the last two without gaps.

    Returns:
        Nothing with fewer than policy.min_rows judged rows or policy.min_blocks days of them, a class of a binary task
        on fewer than 5 days, or fewer than training.min_train_rows rows to fit on.
    """
    mature_until = window.start - pipeline.prediction.label_delay
    if mature_until <= pipeline.coverage.start or not may_probe(pipeline, judged):
        return ()
    before = Window(pipeline.coverage.start, mature_until)
    known = examples.feature_frame(pipeline, before, settings, as_of=window.start).dropna(subset=["label"])
    return probe_evidence(pipeline, champion, judged, known)


def may_probe(pipeline: Pipeline, judged: pd.DataFrame) -> bool:
    """Whether the judged rows, and the days of either class among them, are enough to show a gain on."""
    enough_rows = len(judged) >= max(pipeline.monitoring.policy.min_rows, evidence.MIN_ROWS)
    return enough_rows and _enough_days(pipeline, judged)


def probe_evidence(
    pipeline: Pipeline, champion: Probed, judged: pd.DataFrame, known: pd.DataFrame
) -> tuple[Evidence, ...]:
    """The probe, fitted on the labelled rows that were known, against the predictions of the judged ones."""
    features, task = list(champion.features), task_of(pipeline)
    if len(known) < pipeline.training.min_train_rows or not task.can_learn(known["label"]):
        return ()
    model = estimators.fitted_model(pipeline, champion.candidate, champion.params, known, features)
    sides = (judged["label"], task.from_column(judged[PREDICTION]), task.predict(model, judged[features]))
    days = evidence.utc_days(judged["decision_time"])
    return tuple(evidence.compare(*sides, days, metric=metric, **_bootstrap(pipeline)) for metric in task.metrics)


def calibration_gap(pipeline: Pipeline, judged: pd.DataFrame) -> float | None:
    """The task's `gap` (binary: mean prediction minus label rate); None with fewer than 30 rows."""
    if len(judged) < evidence.MIN_ROWS:
        return None
    task = task_of(pipeline)
    return task.gap(judged["label"].to_numpy(dtype="float64"), task.from_column(judged[PREDICTION]))


def _bootstrap(pipeline: Pipeline) -> dict[str, Any]:
    return {
        "confidence": pipeline.monitoring.policy.confidence,
        "resamples": pipeline.gate.compare.resamples,
        "seed": pipeline.training.seed,
    }


def _enough_days(pipeline: Pipeline, judged: pd.DataFrame) -> bool:
    days = evidence.utc_days(judged["decision_time"])
    rarer = task_of(pipeline).days_of_rarer_class(judged["label"], days)
    return evidence.blocks(days) >= pipeline.monitoring.policy.min_blocks and rarer >= _MIN_DAYS_A_CLASS
