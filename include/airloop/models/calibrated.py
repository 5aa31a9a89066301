"""A classifier of two classes whose probabilities are corrected by what it said of rows that it had not seen.

Model files hold this class by its module and name (airloop.stores.mlflow.model_types): it is not moved.
"""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from airloop.errors import DataContractError
from airloop.models.matrix import matrix

Numbers = npt.NDArray[np.float64]

KEY = "airloop_calibrated"
"""Among a version's parameters: how its probabilities are corrected. No parameter of an estimator."""
_BLOCKS = 3
_CLOSEST = 1e-6
"""How close to 0 or 1 a probability is taken at most: beyond it the logistic curve has no number."""
_WEAK = 1e6
"""Inverse penalty of the curve's two numbers, that hold for thousands of rows."""


class Calibrated(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Fits `estimator` on all rows, and a curve from its probabilities to the share of 1 that came.

    The curve learns from crosswise predictions: rows in the order of time are cut into three blocks, and each is
    predicted by a fit on the other two. `sigmoid` is Platt's logistic curve on the logit (1999), `isotonic` the steps
    of Zadrozny & Elkan (2002).

    Attributes:
        classes_: The two labels, sorted.
        said_, came_: Points of the curve, ascending; straight lines between them. On the logit of a sigmoid, the two
            numbers of its line are slope_ and shift_.
    """

    def __init__(self, estimator: Any, by: str) -> None:
        self.estimator = estimator
        self.by = by

    def fit(self, rows: npt.ArrayLike, labels: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Fit the estimator in place; rows in the order of time.

        Raises:
            DataContractError: Two of the three blocks hold one class only, so that nothing can be said crosswise.
        """
        values, targets = matrix(rows), np.asarray(labels)
        weights = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        self.classes_ = np.unique(targets)
        predicted, positive = (
            self._crosswise(values, targets, weights),
            (targets == self.classes_[-1]).astype(np.float64),
        )
        self._fit_curve(predicted, positive, weights)
        self.estimator.fit(values, targets, **_weighted(weights))
        self.n_features_in_ = values.shape[1]
        return self

    def predict_proba(self, rows: npt.ArrayLike) -> Numbers:
        """Corrected probabilities (n, 2)."""
        corrected = self._corrected(np.asarray(self.estimator.predict_proba(rows), dtype=np.float64)[:, 1])
        return np.column_stack([1 - corrected, corrected])

    def predict(self, rows: npt.ArrayLike) -> npt.NDArray[Any]:
        """The more probable class of each row."""
        predicted: npt.NDArray[Any] = self.classes_[self.predict_proba(rows).argmax(axis=1)]
        return predicted

    def _crosswise(self, values: Any, labels: npt.NDArray[Any], weights: Numbers | None) -> Numbers:
        predicted = np.empty(len(labels))
        for block in np.array_split(np.arange(len(labels)), _BLOCKS):
            rest = np.setdiff1d(np.arange(len(labels)), block)
            if np.unique(labels[rest]).size < 2:
                raise DataContractError(
                    f"training.calibration cuts {len(labels)} rows into {_BLOCKS} blocks of time, and all but one "
                    f"of them hold only label {labels[rest][0]:g}: leave it out, or give the training more rows"
                )
            model = clone(self.estimator).fit(values[rest], labels[rest], **_weighted(weights, rest))
            predicted[block] = model.predict_proba(values[block])[:, 1]
        return predicted

    def _fit_curve(self, predicted: Numbers, positive: Numbers, weights: Numbers | None) -> None:
        if self.by == "sigmoid":
            curve = LogisticRegression(C=_WEAK).fit(_logit(predicted)[:, None], positive, **_weighted(weights))
            self.slope_, self.shift_ = float(curve.coef_[0, 0]), float(curve.intercept_[0])
            return
        steps = IsotonicRegression(out_of_bounds="clip").fit(predicted, positive, **_weighted(weights))
        self.said_, self.came_ = steps.X_thresholds_, steps.y_thresholds_

    def _corrected(self, predicted: Numbers) -> Numbers:
        if self.by == "sigmoid":
            corrected: Numbers = expit(self.slope_ * _logit(predicted) + self.shift_)
            return corrected
        stepped: Numbers = np.interp(predicted, self.said_, self.came_)
        return stepped


def _logit(probabilities: Numbers) -> Numbers:
    logits: Numbers = logit(np.clip(probabilities, _CLOSEST, 1 - _CLOSEST))
    return logits


def _weighted(weights: Numbers | None, places: npt.NDArray[np.intp] | None = None) -> dict[str, Any]:
    if weights is None:
        return {}
    return {"sample_weight": weights if places is None else weights[places]}
