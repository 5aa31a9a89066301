"""A linear model folded: what each category and each number adds, without one-hot columns in between."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from airloop.models.forms.columns import Rows
from airloop.models.forms.encoder import OrdinalRows, texts_and_numbers
from airloop.models.forms.links import LINKS

Floats = npt.NDArray[np.float64]
_UNSEEN = "\x00 never met in training"


@dataclass(frozen=True)
class Linear:
    """Intercept + what each text adds + numbers @ weights, then a link.

    Attributes:
        encoder: Texts to their lines in `adds`, -1 (the last line) for one never met in training; numbers as they are.
        adds: Of each text, line -> output -> what it adds.
        medians: What stands for a missing number.
        link: A key of LINKS.
    """

    encoder: OrdinalRows
    adds: tuple[Floats, ...]
    medians: Floats
    weights: Floats
    intercept: Floats
    link: str
    _link: Callable[[Floats], Floats] = field(init=False, repr=False, compare=False)
    _medians: list[float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_link", LINKS[self.link])
        object.__setattr__(self, "_medians", self.medians.tolist())

    def __call__(self, rows: Rows) -> Floats:
        """Predictions (n, outputs)."""
        return self._link(self._one(rows[0])[None, :] if len(rows) == 1 else self._many(rows))

    def _one(self, row: Mapping[str, Any]) -> Floats:
        """Of one row numpy's overhead would cost most of it."""
        line = self.encoder.line(row)
        known = zip(line[len(self.adds) :], self._medians, strict=True)
        numbers = np.array([value if value == value else median for value, median in known])
        raw = numbers @ self.weights + self.intercept
        for place, adds in zip(line, self.adds, strict=False):
            raw += adds[int(place)]
        return np.asarray(raw)

    def _many(self, rows: Rows) -> Floats:
        matrix = self.encoder.matrix(rows)
        numbers = matrix[:, len(self.adds) :]
        raw = np.where(np.isnan(numbers), self.medians, numbers) @ self.weights + self.intercept
        for at, adds in enumerate(self.adds):
            raw += adds[matrix[:, at].astype(np.intp)]
        return np.asarray(raw)


def linear_form(encoder: Any, estimator: Any) -> Linear:
    """A fitted linear model behind the one-hot encoder of airloop's candidates.

    Raises:
        ValueError: It is another kind of model.
    """
    (one_hot, texts), (scaled, numbers) = texts_and_numbers(encoder)
    kind = _kind(estimator)
    if type(one_hot).__name__ != "OneHotEncoder" or not hasattr(estimator, "coef_"):
        raise ValueError(f"{type(estimator).__name__} behind {type(one_hot).__name__} is not folded")
    weights = np.atleast_2d(estimator.coef_).astype(np.float64).T
    intercept = np.broadcast_to(np.atleast_1d(estimator.intercept_), (weights.shape[1],)).astype(np.float64)
    tables, adds, width = _texts(one_hot, texts, weights) if len(texts) else ([], [], 0)
    medians, scales, means = _numbers(scaled, numbers)
    of_numbers = weights[width:] / scales[:, None]
    rows = OrdinalRows(tuple(tables), tuple(numbers))
    return Linear(rows, tuple(adds), medians, of_numbers, intercept - means @ of_numbers, kind)


def _texts(
    one_hot: Any, texts: Sequence[str], weights: Floats
) -> tuple[list[tuple[str, Mapping[Any, float]]], list[Floats], int]:
    tables: list[tuple[str, Mapping[Any, float]]] = []
    adds, start = [], 0
    rows = max(len(categories) for categories in one_hot.categories_) + 2
    columns = {}
    for name, categories in zip(texts, one_hot.categories_, strict=True):
        known = [value for value in categories if value is not None and value == value]
        columns[name] = [*known, None, _UNSEEN, *[_UNSEEN] * (rows - len(known) - 2)]
    encoded = _encoded(one_hot, columns)
    for name, width in zip(texts, _widths(one_hot), strict=True):
        at = columns[name].index(_UNSEEN)
        tables.append((name, {value: float(line) for line, value in enumerate(columns[name][:at])}))
        adds.append(encoded[: at + 1, start : start + width] @ weights[start : start + width])
        start += width
    return tables, adds, start


def _encoded(one_hot: Any, columns: Mapping[str, list[Any]]) -> Floats:
    import pandas as pd  # where a form is made, never where it answers

    return np.asarray(one_hot.transform(pd.DataFrame(columns, dtype=object)))


def _widths(one_hot: Any) -> list[int]:
    return [int(count) for count in one_hot._n_features_outs]


def _numbers(scaled: Any, numbers: Sequence[str]) -> tuple[Floats, Floats, Floats]:
    if not len(numbers):
        return np.empty(0), np.empty(0), np.empty(0)
    imputer, scaler = (step for _, step in scaled.steps)
    return imputer.statistics_.astype(np.float64), scaler.scale_.astype(np.float64), scaler.mean_.astype(np.float64)


def _kind(estimator: Any) -> str:
    if not hasattr(estimator, "classes_"):
        return "identity"
    return {1: "sigmoid"}.get(np.atleast_2d(estimator.coef_).shape[0], "softmax")
