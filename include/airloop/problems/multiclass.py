"""Multiclass tasks: which of them?"""

from typing import TYPE_CHECKING, Any

import numpy as np

from airloop.errors import DataContractError
from airloop.problems.problem import Flags, Floats, Integers, Task, probabilities

if TYPE_CHECKING:  # see airloop.problems.problem
    import pandas as pd
    import pyarrow as pa

_SUM_TOLERANCE = 1e-6


class Multiclass(Task):
    """A label is the number of a class, a prediction the probability of each class."""

    kind = "multiclass"
    gap_title = "mean confidence - accuracy"
    _unsound_words = "rows hold a probability that is missing or outside [0, 1], or do not sum to 1"

    @property
    def column_type(self) -> "pa.DataType":
        """A list of probabilities."""
        import pyarrow as pa

        return pa.list_(pa.float64())

    def extra_metrics(self, labels: Floats, predictions: Floats) -> dict[str, float | None]:
        """Balanced accuracy (mean recall of the classes that occur), commonest class's share, calibration gap."""
        right = predictions.argmax(axis=1) == labels
        classes, rows = np.unique(labels, return_counts=True)
        return {
            "balanced_accuracy": float(np.mean([right[labels == label].mean() for label in classes])),
            "commonest_class_share": float(rows.max() / labels.size),
            "calibration_gap": self.gap(labels, predictions),
        }

    def gaps(self, labels: Floats, predictions: Floats) -> Floats:
        """Probability of the predicted class minus whether it came: above 0 is too sure (Guo et al. 2017)."""
        off: Floats = predictions.max(axis=1) - (predictions.argmax(axis=1) == labels)
        return off

    def spread(self, labels: Floats, predictions: Floats) -> float:
        """Of whether the predicted class came."""
        return float((predictions.argmax(axis=1) == labels).std())

    def said(self, predictions: Floats) -> Integers:
        """The likeliest class."""
        likeliest: Integers = predictions.argmax(axis=1).astype(np.int64)
        return likeliest

    def mean_label(self, labels: Floats) -> Floats:
        """The share of each class."""
        return np.bincount(labels.astype(np.int64), minlength=len(self.classes)) / labels.size

    def from_column(self, column: "pd.Series") -> Floats:
        """Rows of the table, stacked."""
        rows = column.to_list()
        if any(len(row) != len(self.classes) for row in rows):
            says = f"a stored prediction is not a list of {len(self.classes)} probabilities"
            raise DataContractError(f"{says}: prediction.classes has changed since it was made")
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(self.classes))

    def for_drift(self, column: "pd.Series") -> "pd.Series":
        """The predicted class's name."""
        return column.map(lambda row: self.classes[int(np.argmax(row))], na_action="ignore").astype("object")

    def _predict(self, model: Any, frame: "pd.DataFrame") -> Floats:
        return probabilities(model, frame, classes=len(self.classes))

    def _fitting(self, labels: Floats) -> Flags:
        return np.isin(labels, np.arange(len(self.classes), dtype=np.float64))

    def _label_words(self) -> str:
        return f"class numbers from 0 to {len(self.classes) - 1}"

    def _sound(self, predictions: Floats) -> Flags:
        inside = ((predictions >= 0) & (predictions <= 1)).all(axis=1)
        sums_to_one: Flags = np.abs(predictions.sum(axis=1) - 1) <= _SUM_TOLERANCE
        return inside & sums_to_one

    def _shape(self, rows: int) -> tuple[int, ...]:
        return (rows, len(self.classes))
