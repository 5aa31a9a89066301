"""A classifier that learns from balanced classes and says probabilities of the classes as they occur.

Model files hold this class by its module and name (airloop.stores.mlflow.model_types): it is not moved.
"""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import has_fit_parameter

from airloop.models.history import evenly
from airloop.models.matrix import matrix

UNDERSAMPLING = "undersampling"
Numbers = npt.NDArray[np.float64]


class Balanced(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Fits `estimator` on balanced classes, and corrects its probabilities for the shift of the class rates.

    p(k | x) is proportional to q(k | x) * rate(k) / balanced rate(k), where q is what the estimator says (Saerens,
    Latinne & Decaestecker 2002, equation 2.4; Elkan 2001, theorem 2, of two classes). Rates are sums of the weights
    that the fit is given.

    Attributes:
        classes_: Labels of the classes, sorted.
        correction_: rate / balanced rate of each.
        learned_from_: Rows that the estimator was fitted on.
    """

    def __init__(self, estimator: Any, by: str, at_most: float = 1.0) -> None:
        self.estimator = estimator
        self.by = by
        self.at_most = at_most

    def fit(self, rows: npt.ArrayLike, labels: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Fit the estimator in place; rows in the order of time, for undersampling."""
        values, targets = matrix(rows), np.asarray(labels)
        weights = np.ones(len(targets)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        self.classes_, places = np.unique(targets, return_inverse=True)
        chosen = self._kept(places)
        learned = weights[chosen] * self._class_weights(places, weights)[places[chosen]]
        options = {"sample_weight": learned} if sample_weight is not None or self.by != UNDERSAMPLING else {}
        self.estimator.fit(values[chosen], targets[chosen], **options)
        self.correction_ = _rates(places, weights) / _rates(places[chosen], learned)
        self.learned_from_ = len(chosen)
        self.n_features_in_ = values.shape[1]
        return self

    def predict_proba(self, rows: npt.ArrayLike) -> Numbers:
        """Probabilities (n, classes) at the rates of the rows that the fit was given."""
        corrected: Numbers = np.asarray(self.estimator.predict_proba(rows), dtype=np.float64) * self.correction_
        scaled: Numbers = corrected / corrected.sum(axis=1, keepdims=True)
        return scaled

    def predict(self, rows: npt.ArrayLike) -> npt.NDArray[Any]:
        """The most probable class of each row."""
        predicted: npt.NDArray[Any] = self.classes_[self.predict_proba(rows).argmax(axis=1)]
        return predicted

    def _kept(self, places: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        """Positions that are learned from, ascending."""
        if self.by != UNDERSAMPLING:
            return np.arange(len(places))
        at_most = max(1, round(np.bincount(places).min() * self.at_most))
        of_class = (np.flatnonzero(places == place) for place in range(len(self.classes_)))
        return np.sort(np.concatenate([class_places[evenly(len(class_places), at_most)] for class_places in of_class]))

    def _class_weights(self, places: npt.NDArray[np.intp], weights: Numbers) -> Numbers:
        if self.by == UNDERSAMPLING:
            return np.ones(len(self.classes_))
        return 1 / (len(self.classes_) * _rates(places, weights))


def problem_of(by: str, estimator: Any) -> str:
    """Why an estimator cannot be balanced so; empty when it can."""
    if by == "class_weight" and not has_fit_parameter(estimator, "sample_weight"):
        return "takes no sample_weight, which training.balance.by: class_weight needs: take undersampling"
    return ""


def _rates(places: npt.NDArray[np.intp], weights: Numbers) -> Numbers:
    sums = np.bincount(places, weights=weights)
    return np.asarray(sums / sums.sum(), dtype=np.float64)
