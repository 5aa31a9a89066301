"""What every kind of task answers."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from airloop.config import TaskKind, metrics_of
from airloop.config.prediction import PREDICTION as PREDICTION
from airloop.errors import GuardRefused

if TYPE_CHECKING:  # a prediction service that answers without data frames imports none of them
    import pandas as pd
    import pyarrow as pa

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Statistic = Callable[[Floats], Floats]
"""Draws of days -> the metric of each; see airloop.metrics.metric."""


@dataclass(frozen=True)
class Task(ABC):
    """One kind of task. What is common to classifiers stands here.

    Attributes:
        classes: Names by class number; empty unless the task is multiclass.
        own_metrics: Names of the metrics of the project's own that the declaration measures by.
        levels: Of a task of quantiles, ascending; empty of others.
        alarm_share: Of a task of anomalies, the share of learned rows that are alarms; 0 of others.
        kind: As declared.
        method: What a fitted estimator is asked.
        learns_without_labels: Whether rows without a label are learned from.
        gap_title: What `gap` measures, in words.
    """

    classes: tuple[str, ...] = ()
    own_metrics: tuple[str, ...] = field(default=(), compare=False)
    levels: tuple[float, ...] = ()
    alarm_share: float = 0.0

    kind: ClassVar[TaskKind]
    method: ClassVar[str] = "predict_proba"
    learns_without_labels: ClassVar[bool] = False
    gap_title: ClassVar[str]
    _unsound_words: ClassVar[str]

    @property
    def column_type(self) -> "pa.DataType":
        """Of the column `prediction` in tables and files."""
        import pyarrow as pa

        return pa.float64()

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics that gates and monitoring may use; of the first one, lower is better."""
        return (*metrics_of(self.kind), *self.own_metrics)

    def predict(self, model: Any, frame: "pd.DataFrame") -> Floats:
        """Predictions of a fitted scikit-learn estimator for the rows of a frame of its features, in their order.

        A class that the model never met in training gets probability 0.

        Raises:
            GuardRefused: The model predicts something else than this task asks for.
        """
        problem = self.model_problem(model)
        if problem:
            raise GuardRefused(problem)
        return self._predict(model, frame) if len(frame) else np.empty(self._shape(0))

    def model_problem(self, model: Any) -> str | None:
        """Why an estimator, fitted or not, cannot predict for this task; None when it can."""
        from sklearn.base import is_classifier

        if not is_classifier(model):
            return f"{name_of(model)} is not a classifier, and the task is {self.kind}"
        if not hasattr(model, "predict_proba"):
            return f"{name_of(model)} with its parameters has no predict_proba: it predicts no probabilities"
        return None

    def other_outputs(self, _model: Any) -> str:
        """Why a fitted model's predictions are of something else than declared today; empty when they are of this."""
        return ""

    def label_problem(self, labels: npt.ArrayLike) -> str | None:
        """How many labels do not fit the task, and one of them; None when all fit. A missing label fits no task."""
        values = np.asarray(labels, dtype=np.float64)
        strange = values[~self._fitting(values)]
        says = f"{strange.size} of {values.size} labels are not {self._label_words()}"
        return f"{says}, like {strange[0]:g}" if strange.size else None

    def prediction_problem(self, predictions: Floats) -> str | None:
        """How many predictions are wrong, and how; None when none is."""
        if predictions.shape != self._shape(len(predictions)):
            return f"predictions have shape {predictions.shape}, not {self._shape(len(predictions))}"
        wrong = int((~self._sound(predictions)).sum())
        return f"{wrong} of {len(predictions)} {self._unsound_words}" if wrong else None

    @abstractmethod
    def extra_metrics(self, labels: Floats, predictions: Floats) -> dict[str, float | None]:
        """What else a person wants to know of a holdout, besides `metrics`; None where it is not defined."""

    def gap(self, labels: Floats, predictions: Floats) -> float:
        """How far predictions are off on average, with its sign; `gap_title` says of what."""
        return float(self.gaps(labels, predictions).mean())

    def gaps(self, labels: Floats, predictions: Floats) -> Floats:
        """How far each prediction is off, with its sign."""
        return predictions - labels

    def spread(self, labels: Floats, _predictions: Floats) -> float:
        """The standard deviation that the gap is measured against: of the labels."""
        return float(labels.std())

    def mean_label(self, labels: Floats) -> Floats:
        """The mean outcome as a vector: one number, or one a class."""
        return np.atleast_1d(labels.mean())

    def mean_prediction(self, predictions: Floats) -> Floats:
        """The mean prediction in the terms of `mean_label`."""
        return np.atleast_1d(predictions.mean(axis=0))

    def can_learn(self, labels: npt.ArrayLike) -> bool:
        """Whether a model can be fitted to these labels: a classifier needs two classes."""
        return np.unique(np.asarray(labels)).size > 1

    def days_of_rarer_class(self, _labels: npt.ArrayLike, _days: Integers) -> float:
        """On how many days the rarer class occurs; infinite where no metric sets one class against another."""
        return float("inf")

    def to_arrow(self, predictions: Floats) -> "pa.Array":
        """Predictions as a column of a table."""
        import pyarrow as pa

        return pa.array(list(predictions), self.column_type)

    def said(self, _predictions: Floats) -> Integers | None:
        """The number of the class that each prediction names; None where there are no classes."""
        return None

    def confusion(self, labels: Floats, predictions: Floats) -> tuple[tuple[int, ...], ...]:
        """Rows of each class (outer) by the class that was predicted (inner); empty where there are no classes."""
        predicted = self.said(predictions)
        if predicted is None:
            return ()
        names = len(self.class_names)
        counted = np.bincount(labels.astype(np.int64) * names + predicted, minlength=names * names)
        return tuple(tuple(int(rows) for rows in line) for line in counted.reshape(names, names))

    @property
    def class_names(self) -> tuple[str, ...]:
        """Of a task with classes, in the order of their numbers."""
        return self.classes

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the numbers of one prediction; empty where it is a single one."""
        return self.classes

    def from_column(self, column: "pd.Series") -> Floats:
        """Predictions out of a column without gaps.

        Raises:
            DataContractError: A row holds another number of probabilities than there are classes.
        """
        return column.to_numpy(dtype=np.float64)

    def for_drift(self, column: "pd.Series") -> "pd.Series":
        """The column of predictions as drift compares it: numbers, or names of classes; gaps stay gaps."""
        return column.astype("float64")

    @abstractmethod
    def _predict(self, model: Any, frame: "pd.DataFrame") -> Floats:
        """Predictions of at least one row by a model that fits."""

    @abstractmethod
    def _fitting(self, labels: Floats) -> Flags:
        """Which labels fit."""

    @abstractmethod
    def _label_words(self) -> str:
        """What labels are, in words."""

    @abstractmethod
    def _sound(self, predictions: Floats) -> Flags:
        """Which predictions of the right shape are sound."""

    def _shape(self, rows: int) -> tuple[int, ...]:
        return (rows,)


def name_of(model: Any) -> str:
    """The class of an estimator, or of the one at the end of a scikit-learn pipeline."""
    return type(model.steps[-1][1] if hasattr(model, "steps") else model).__name__


def probabilities(model: Any, frame: "pd.DataFrame", *, classes: int) -> Floats:
    """Probabilities (n, classes), columns by class number whatever classes the model met in training.

    Raises:
        GuardRefused: It met a class the task does not have, or gives another number of columns or rows.
    """
    numbers = np.asarray(model.classes_, dtype=np.float64)
    strange = numbers[~np.isin(numbers, np.arange(classes))]
    if strange.size:
        raise GuardRefused(f"the model predicts class {strange[0]:g}, and the task has classes 0 to {classes - 1}")
    predicted = np.asarray(model.predict_proba(frame))
    if predicted.shape != (len(frame), numbers.size):
        raise GuardRefused(
            f"predict_proba of {name_of(model)} gives shape {predicted.shape} for {len(frame)} rows and {numbers.size} "
            f"classes, and it has to be {(len(frame), numbers.size)}: a column for each of classes_"
        )
    by_class = np.zeros((len(frame), classes))
    by_class[:, numbers.astype(np.int64)] = predicted
    return by_class
