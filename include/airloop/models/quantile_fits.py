"""A regressor that predicts several quantiles: the declared estimator, fitted once a level.

Model files hold this class by its module and name (airloop.stores.mlflow.model_types): it is not moved.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import has_fit_parameter

Numbers = npt.NDArray[np.float64]

LEVEL_OF: dict[str, tuple[str, dict[str, Any]]] = {
    "GradientBoostingRegressor": ("alpha", {"loss": "quantile"}),
    "HistGradientBoostingRegressor": ("quantile", {"loss": "quantile"}),
    "LGBMRegressor": ("alpha", {"objective": "quantile"}),
    "QuantileRegressor": ("quantile", {}),
    "XGBRegressor": ("quantile_alpha", {"objective": "reg:quantileerror"}),
}
"""Class -> its parameter that takes a level, and what makes it fit one."""


def level_params(estimator: str, level: float) -> dict[str, Any]:
    """Parameters that make an estimator, named as `module:Class`, fit the quantile of a level."""
    name, fixed = LEVEL_OF[estimator.partition(":")[2]]
    return {**fixed, name: level}


def problem_of(estimator: str, params: Mapping[str, Any]) -> str:
    """Why an estimator, with its declared or searched parameters, cannot fit quantiles; empty when it can."""
    name = estimator.partition(":")[2]
    if name not in LEVEL_OF:
        return f"{estimator} fits no quantile (do: {', '.join(LEVEL_OF)})"
    own = sorted(set(level_params(estimator, 0.5)) & set(params))
    return f"{own[0]} is set for each of prediction.quantiles: leave it out" if own else ""


class QuantileFits(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """One estimator a level; predicts (n, levels), each row in ascending order.

    Quantiles that are fitted one by one may cross. A row's values are therefore put in order, which brings none of them
    further from the true quantile function (Chernozhukov, Fernández-Val & Galichon 2010).

    Attributes:
        levels: Ascending.
        estimators: One a level, in their order; fitted in place.
    """

    def __init__(self, estimators: Sequence[Any], levels: Sequence[float]) -> None:
        self.estimators = estimators
        self.levels = levels

    def fit(self, rows: npt.ArrayLike, labels: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Fit each level's estimator to the same rows."""
        options = {} if sample_weight is None else {"sample_weight": sample_weight}
        for estimator in self.estimators:
            estimator.fit(rows, labels, **options)
        self.n_features_in_ = np.shape(rows)[1]
        return self

    def predict(self, rows: npt.ArrayLike) -> Numbers:
        """Values (n, levels), ascending in each row."""
        values = [np.asarray(estimator.predict(rows), dtype=np.float64).ravel() for estimator in self.estimators]
        return np.sort(np.column_stack(values), axis=1)


def takes_weights(estimator: Any) -> bool:
    """Whether an estimator, or each of these fits, takes the weight of a row."""
    inner = estimator.estimators if isinstance(estimator, QuantileFits) else [estimator]
    return all(has_fit_parameter(one, "sample_weight") for one in inner)
