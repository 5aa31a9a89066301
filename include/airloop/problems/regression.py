"""Regression tasks: how much?"""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from airloop.problems.problem import Flags, Floats, Task, name_of

if TYPE_CHECKING:  # see airloop.problems.problem
    import pandas as pd


class Regression(Task):
    """A label is a value, a prediction the value that is expected."""

    kind = "regression"
    method = "predict"
    gap_title = "mean of prediction - label"
    _unsound_words = "predictions are missing or not finite"

    def model_problem(self, model: Any) -> str | None:
        """A classifier predicts too: its class numbers would pass for values."""
        from sklearn.base import is_regressor

        return None if is_regressor(model) else f"{name_of(model)} is not a regressor, and the task is {self.kind}"

    def extra_metrics(self, labels: Floats, predictions: Floats) -> dict[str, float | None]:
        """R2 (None where labels do not vary), bias (mean of prediction - label), mean label."""
        from sklearn.metrics import r2_score

        varied = np.unique(labels).size > 1
        return {
            "r2": float(r2_score(labels, predictions)) if varied else None,
            "bias": self.gap(labels, predictions),
            "label_mean": float(labels.mean()),
        }

    def can_learn(self, _labels: npt.ArrayLike) -> bool:
        """A regressor fits any values."""
        return True

    def _predict(self, model: Any, frame: "pd.DataFrame") -> Floats:
        return np.asarray(model.predict(frame), dtype=np.float64).reshape(len(frame))

    def _fitting(self, labels: Floats) -> Flags:
        return np.isfinite(labels)

    def _label_words(self) -> str:
        return "finite numbers"

    def _sound(self, predictions: Floats) -> Flags:
        return np.isfinite(predictions)
