"""What every framework has in common: fitted by its own estimator, held and saved as its own text, asked as that.

A model file holds these classes by module and name (airloop.stores.mlflow.model_types): they are never moved. In it lie
the framework's text, plain numbers and the parameters. Nothing of it is code, and a pickle is never written.
"""

from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from airloop.config.attribute import resolve

Numbers = npt.NDArray[np.float64]


class Kept(BaseEstimator, ABC):  # type: ignore[misc]
    """A scikit-learn estimator that keeps nothing of the framework's own estimator but its text.

    What is judged is what was read back from the text: the saved model predicts the same bits.

    Attributes:
        text_: The fitted model in the framework's format.
        n_features_in_: Columns it was fitted on.
    """

    def __init__(self, estimator: str, params: dict[str, Any]) -> None:
        self.estimator = estimator
        self.params = params

    def fit(self, rows: npt.ArrayLike, labels: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Fit the framework's estimator with its parameters, and keep its text."""
        values = np.asarray(rows, dtype=np.float64)
        fitted = resolve(self.estimator)(**self.params)
        fitted.fit(values, self._targets(np.asarray(labels)), sample_weight=sample_weight)
        self.text_ = self._text_of(fitted)
        self.n_features_in_ = values.shape[1]
        self._read = self._read_back(self.text_)
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__getstate__().items() if name != "_read"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Read the text at once: a model whose text is broken does not load."""
        super().__setstate__(state)
        if "text_" in state:
            self._read = self._read_back(self.text_)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_read")

    def _targets(self, labels: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return labels.astype(np.float64)

    def _raw(self, rows: npt.ArrayLike) -> Numbers:
        """Values (n,), or probabilities: of the second of two classes (n,), or of all (n, classes)."""
        return np.asarray(self._ask(self._read, np.asarray(rows, dtype=np.float64)), dtype=np.float64)

    @abstractmethod
    def _text_of(self, fitted: Any) -> str:
        """The framework's own text of its fitted estimator."""

    @abstractmethod
    def _read_back(self, text: str) -> Any:
        """What the framework reads out of a text.

        Raises:
            ValueError: It is not a text of the framework.
            ConfigError: The framework is not installed.
        """

    @abstractmethod
    def _ask(self, read: Any, rows: Numbers) -> Any:
        """What `_raw` returns."""


class KeptRegressor(RegressorMixin, Kept):  # type: ignore[misc]
    """Predicts values."""

    def predict(self, rows: npt.ArrayLike) -> Numbers:
        """Values (n,)."""
        return self._raw(rows)


class KeptClassifier(ClassifierMixin, Kept):  # type: ignore[misc]
    """Predicts probabilities of the classes it met.

    Attributes:
        classes_: Labels of these classes, sorted; the framework sees their places.
    """

    def predict_proba(self, rows: npt.ArrayLike) -> Numbers:
        """Probabilities (n, classes)."""
        raw = self._raw(rows)
        return np.column_stack([1 - raw, raw]) if raw.ndim == 1 else raw

    def predict(self, rows: npt.ArrayLike) -> npt.NDArray[Any]:
        """The most probable class of each row."""
        predicted: npt.NDArray[Any] = self.classes_[self.predict_proba(rows).argmax(axis=1)]
        return predicted

    def _targets(self, labels: npt.NDArray[Any]) -> npt.NDArray[Any]:
        self.classes_, places = np.unique(labels, return_inverse=True)
        return places
