"""An outlier detector whose scores have a scale: the share of the rows it learned from that are less strange.

Model files hold this class by its module and name (airloop.stores.mlflow.model_types): it is not moved.
"""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, OutlierMixin

Numbers = npt.NDArray[np.float64]

_MOST_MARKS = 20_001


class AnomalyScores(OutlierMixin, BaseEstimator):  # type: ignore[misc]
    """Fits `estimator` on rows without labels; predicts in [0, 1].

    Scores of different estimators, and of one fitted at different times, have no unit in common. The share of learned
    rows below a score has: of rows like those, a share of 1 % lies above 0.99, whatever the estimator.

    Attributes:
        marks_: Quantiles of how strange the learned rows are, ascending, evenly spaced in their order.
    """

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, rows: npt.ArrayLike, _labels: Any = None, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Fit the estimator in place; labels are not looked at."""
        options = {} if sample_weight is None else {"sample_weight": sample_weight}
        self.estimator.fit(rows, **options)
        strange = self.predict_strange(rows)
        self.marks_ = np.quantile(strange, np.linspace(0, 1, min(strange.size, _MOST_MARKS)))
        self.n_features_in_ = np.shape(rows)[1]
        return self

    def predict_strange(self, rows: npt.ArrayLike) -> Numbers:
        """The estimator's own score, higher is stranger."""
        return -np.asarray(self.estimator.score_samples(rows), dtype=np.float64)

    def predict(self, rows: npt.ArrayLike) -> Numbers:
        """Share of the learned rows that are less strange."""
        return np.searchsorted(self.marks_, self.predict_strange(rows), "left") / self.marks_.size
