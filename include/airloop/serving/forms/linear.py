"""A linear model folded: what each category and each number adds, without one-hot columns in between."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
_UNSEEN = "\x00 never met in training"


@dataclass(frozen=True)
class Linear:
    """Intercept + what each text adds + numbers @ weights, then softmax, sigmoid or nothing.

    Attributes:
        texts: Column -> category -> what it adds to each output; `unseen` of the column for any other.
        medians: What stands for a missing number.
    """

    texts: tuple[tuple[str, Mapping[Any, Floats], Floats], ...]
    numbers: tuple[str, ...]
    medians: tuple[float, ...]
    weights: Floats
    intercept: Floats
    kind: str

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> Floats:
        """Predictions (n, outputs)."""
        raw = np.empty((len(rows), len(self.intercept)))
        for at, row in enumerate(rows):
            total = self.intercept.copy()
            for name, adds, unseen in self.texts:
                total += adds.get(row[name], unseen)
            raw[at] = total
        if self.numbers:
            found = [[self._number(row, at) for at in range(len(self.numbers))] for row in rows]
            raw += np.array(found, dtype=np.float64) @ self.weights
        return _finished(raw, self.kind)

    def _number(self, row: Mapping[str, Any], at: int) -> float:
        value = row[self.numbers[at]]
        return self.medians[at] if value is None or math.isnan(value) else value


def linear_form(encoder: Any, estimator: Any) -> Linear:
    """A fitted linear model behind the one-hot encoder of airloop's candidates.

    Raises:
        ValueError: It is no such model.
    """
    (_, one_hot, texts), (_, scaled, numbers) = encoder.transformers_[:2]
    kind = _kind(estimator)
    if type(one_hot).__name__ != "OneHotEncoder" or not hasattr(estimator, "coef_"):
        raise ValueError(f"{type(estimator).__name__} behind {type(one_hot).__name__} is not folded")
    weights = np.atleast_2d(estimator.coef_).astype(np.float64).T
    intercept = np.broadcast_to(np.atleast_1d(estimator.intercept_), (weights.shape[1],)).astype(np.float64)
    adds, width = _texts(one_hot, texts, weights) if len(texts) else ([], 0)
    medians, scales, means = _numbers(scaled, numbers)
    of_numbers = weights[width:] / scales[:, None]
    return Linear(
        tuple(adds), tuple(numbers), tuple(medians.tolist()), of_numbers, intercept - means @ of_numbers, kind
    )


def _texts(one_hot: Any, texts: Sequence[str], weights: Floats) -> tuple[list[Any], int]:
    found, start = [], 0
    rows = max(len(categories) for categories in one_hot.categories_) + 2
    columns = {}
    for name, categories in zip(texts, one_hot.categories_, strict=True):
        known = [value for value in categories if value is not None and value == value]
        columns[name] = [*known, None, _UNSEEN, *[_UNSEEN] * (rows - len(known) - 2)]
    encoded = np.asarray(one_hot.transform(pd.DataFrame(columns, dtype=object)))
    for name, width in zip(texts, _widths(one_hot), strict=True):
        adds = encoded[:, start : start + width] @ weights[start : start + width]
        at = columns[name].index(_UNSEEN)
        found.append((name, {value: adds[row] for row, value in enumerate(columns[name][:at])}, adds[at]))
        start += width
    return found, start


def _widths(one_hot: Any) -> list[int]:
    return [int(count) for count in one_hot._n_features_outs]


def _numbers(scaled: Any, numbers: Sequence[str]) -> tuple[Floats, Floats, Floats]:
    if not len(numbers):
        return np.empty(0), np.empty(0), np.empty(0)
    imputer, scaler = (step for _, step in scaled.steps)
    return imputer.statistics_.astype(np.float64), scaler.scale_.astype(np.float64), scaler.mean_.astype(np.float64)


def _kind(estimator: Any) -> str:
    if not hasattr(estimator, "classes_"):
        return "value"
    return {1: "sigmoid"}.get(np.atleast_2d(estimator.coef_).shape[0], "softmax")


def _finished(raw: Floats, kind: str) -> Floats:
    if kind == "value":
        return raw
    if kind == "sigmoid":
        with np.errstate(over="ignore"):
            probability = 1 / (1 + np.exp(-raw[:, 0]))
        return np.stack([1 - probability, probability], axis=1)
    shifted = np.exp(raw - raw.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))
