"""Tasks of anomalies: how strange is it, against what was learned from? Labels may be few, or not there at all."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from airloop.problems._two_classes import TwoClasses
from airloop.problems.problem import Flags, Floats, Integers, name_of

if TYPE_CHECKING:  # see airloop.problems.problem
    import pandas as pd


class Anomaly(TwoClasses):
    """A label is 1 of an anomaly, else 0, and often unknown; a prediction the share of learned rows less strange.

    A row is an alarm from 1 - `prediction.alarm_share` on.
    """

    kind = "anomaly"
    method = "predict"
    learns_without_labels = True
    gap_title = "share of alarms among labelled rows - prediction.alarm_share"
    _unsound_words = "scores are missing or outside [0, 1]"

    def model_problem(self, model: Any) -> str | None:
        """What is asked of an estimator is how strange a row is."""
        from sklearn.base import is_outlier_detector

        if not is_outlier_detector(model):
            return f"{name_of(model)} finds no outliers, and the task is {self.kind}"
        last = model.steps[-1][1] if hasattr(model, "steps") else model
        if not (hasattr(last, "score_samples") or hasattr(last, "predict_strange")):
            return f"{name_of(model)} with its parameters has no score_samples: it scores no new rows"
        return None

    def alarms(self, predictions: Floats) -> Flags:
        """Which rows are alarms."""
        return np.asarray(predictions >= 1 - self.alarm_share)

    def extra_metrics(self, labels: Floats, predictions: Floats) -> dict[str, float | None]:
        """Of labelled rows: share of alarms, of alarms that are anomalies, of anomalies that are alarms, label rate."""
        alarms, rows = self.alarms(predictions), labels.size
        right = float((labels[alarms] == 1).sum())
        anomalies = float((labels == 1).sum())
        return {
            "alarm_share": float(alarms.mean()) if rows else None,
            "precision": right / float(alarms.sum()) if alarms.any() else None,
            "recall": right / anomalies if anomalies else None,
            "label_rate": float(labels.mean()) if rows else None,
        }

    def gaps(self, _labels: Floats, predictions: Floats) -> Floats:
        """Whether a row is an alarm, less the share that may be."""
        return np.asarray(self.alarms(predictions) - self.alarm_share, dtype=np.float64)

    def spread(self, labels: Floats, predictions: Floats) -> float:
        """Of the gaps."""
        return float(self.gaps(labels, predictions).std()) if labels.size else 0.0

    def said(self, predictions: Floats) -> Integers:
        """1 of an alarm."""
        return self.alarms(predictions).astype(np.int64)

    def can_learn(self, _labels: npt.ArrayLike) -> bool:
        """Nothing is learned from labels."""
        return True

    def _predict(self, model: Any, frame: "pd.DataFrame") -> Floats:
        return np.asarray(model.predict(frame), dtype=np.float64).reshape(len(frame))
