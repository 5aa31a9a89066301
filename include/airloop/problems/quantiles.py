"""Tasks of quantiles: how much at least, at most, in the middle?"""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from airloop.errors import DataContractError, GuardRefused
from airloop.problems._levelled import Levelled
from airloop.problems.problem import Flags, Floats, Task, name_of

if TYPE_CHECKING:  # see airloop.problems.problem
    import pandas as pd
    import pyarrow as pa


class Quantiles(Task):
    """A label is a value, a prediction the value of each declared quantile, none below the one before it."""

    kind = "quantiles"
    method = "predict"
    gap_title = "mean of share at or below a quantile - its level"
    _unsound_words = "rows hold a quantile that is missing or not finite, or quantiles that cross"

    @property
    def column_type(self) -> "pa.DataType":
        """A list of values."""
        import pyarrow as pa

        return pa.list_(pa.float64())

    @property
    def outputs(self) -> tuple[str, ...]:
        """The levels, as text."""
        return tuple(f"{level:g}" for level in self.levels)

    def model_problem(self, model: Any) -> str | None:
        """A classifier predicts too: its class numbers would pass for values."""
        from sklearn.base import is_regressor

        return None if is_regressor(model) else f"{name_of(model)} is not a regressor, and the task is {self.kind}"

    def other_outputs(self, model: Any) -> str:
        """Of quantiles: a model of other levels."""
        learned = getattr(model.steps[-1][1] if hasattr(model, "steps") else model, "levels", None)
        if learned is None or tuple(learned) == self.levels:
            return ""
        return (
            f"the model predicts the quantiles {[*learned]}, and prediction.quantiles is {[*self.levels]}: "
            "train again, or put them back"
        )

    def extra_metrics(self, labels: Floats, predictions: Floats) -> dict[str, float | None]:
        """Share of labels at or below each quantile, mean width from the lowest to the highest, mean label."""
        below = (labels[:, None] <= np.asarray(predictions)).mean(axis=0)
        return {
            **{f"share_below_{name}": float(share) for name, share in zip(self.outputs, below, strict=True)},
            "width": float((predictions[:, -1] - predictions[:, 0]).mean()),
            "label_mean": float(labels.mean()),
        }

    def gaps(self, labels: Floats, predictions: Floats) -> Floats:
        """Mean over levels of (1 where the label is at or below the quantile, else 0) - level: above 0 is too high."""
        below = labels[:, None] <= np.asarray(predictions)
        off: Floats = (below - np.asarray(self.levels)).mean(axis=1)
        return off

    def spread(self, labels: Floats, predictions: Floats) -> float:
        """Of the gaps: they have another unit than the labels."""
        return float(self.gaps(labels, predictions).std())

    def mean_prediction(self, predictions: Floats) -> Floats:
        """Of the middle quantile."""
        return np.atleast_1d(np.asarray(predictions)[:, self._middle].mean())

    def can_learn(self, _labels: npt.ArrayLike) -> bool:
        """A regressor fits any values."""
        return True

    def from_column(self, column: "pd.Series") -> Floats:
        """Rows of the table, stacked."""
        rows = column.to_list()
        if any(np.ndim(row) != 1 or len(row) != len(self.levels) for row in rows):
            says = f"a stored prediction is not a list of {len(self.levels)} quantiles"
            raise DataContractError(f"{says}: prediction.quantiles has changed since it was made")
        return Levelled.of(np.array(rows, dtype=np.float64).reshape(len(rows), len(self.levels)), self.levels)

    def for_drift(self, column: "pd.Series") -> "pd.Series":
        """The middle quantile."""
        return column.map(lambda row: row[self._middle], na_action="ignore").astype("float64")

    @property
    def _middle(self) -> int:
        return len(self.levels) // 2

    def _predict(self, model: Any, frame: "pd.DataFrame") -> Floats:
        if other := self.other_outputs(model):
            raise GuardRefused(other)
        return Levelled.of(model.predict(frame), self.levels)

    def _fitting(self, labels: Floats) -> Flags:
        return np.isfinite(labels)

    def _label_words(self) -> str:
        return "finite numbers"

    def _sound(self, predictions: Floats) -> Flags:
        values = np.asarray(predictions)
        ordered = np.all(np.diff(values, axis=1) >= 0, axis=1)
        return np.asarray(ordered & np.all(np.isfinite(values), axis=1))

    def _shape(self, rows: int) -> tuple[int, ...]:
        return (rows, len(self.levels))
