"""Binary tasks: will it happen?"""

from typing import TYPE_CHECKING, Any

import numpy as np

from airloop.problems._two_classes import TwoClasses
from airloop.problems.problem import Floats, Integers, probabilities

if TYPE_CHECKING:  # see airloop.problems.problem
    import pandas as pd


class Binary(TwoClasses):
    """A label is 0 or 1, a prediction the probability of 1."""

    kind = "binary"
    gap_title = "mean prediction - label rate"
    _unsound_words = "probabilities are missing or outside [0, 1]"

    def extra_metrics(self, labels: Floats, predictions: Floats) -> dict[str, float | None]:
        """Average precision, log loss, calibration gap (mean prediction - label rate), label rate."""
        from sklearn.metrics import average_precision_score, log_loss

        two_classes = self.can_learn(labels)
        return {
            "average_precision": float(average_precision_score(labels, predictions)) if two_classes else None,
            "log_loss": float(log_loss(labels, predictions, labels=[0, 1])),
            "calibration_gap": self.gap(labels, predictions),
            "label_rate": float(labels.mean()),
        }

    def said(self, predictions: Floats) -> Integers:
        """1 from a probability of a half on."""
        return (predictions >= 0.5).astype(np.int64)

    def _predict(self, model: Any, frame: "pd.DataFrame") -> Floats:
        return probabilities(model, frame, classes=2)[:, 1]
