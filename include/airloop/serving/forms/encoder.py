"""The ordinal encoder of airloop's candidates on plain rows: a look-up a text, a float a number."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

UNKNOWN = -1.0


@dataclass(frozen=True)
class OrdinalRows:
    """What the fitted ColumnTransformer does to a frame: texts by their number, then numbers as they are.

    Attributes:
        texts: Column -> category -> number; what was not met in training is UNKNOWN.
    """

    texts: tuple[tuple[str, Mapping[Any, float]], ...]
    numbers: tuple[str, ...]

    def matrix(self, rows: Sequence[Mapping[str, Any]]) -> npt.NDArray[np.float64]:
        """One row each; a missing number is NaN."""
        return np.array([self._row(row) for row in rows], dtype=np.float64).reshape(len(rows), -1)

    def _row(self, row: Mapping[str, Any]) -> list[float]:
        texts = [numbers.get(row[name], UNKNOWN) for name, numbers in self.texts]
        return texts + [math.nan if (value := row[name]) is None else value for name in self.numbers]


def ordinal_rows(transformer: Any) -> OrdinalRows:
    """The encoder of a fitted ColumnTransformer whose texts are ordinally encoded and whose numbers pass.

    Raises:
        ValueError: It is another one.
    """
    (_, encoder, texts), (_, passed, numbers) = transformer.transformers_[:2]
    if type(encoder).__name__ != "OrdinalEncoder" or not _passes(passed, numbers):
        raise ValueError(f"texts go through {type(encoder).__name__}, numbers through {passed}")
    categories = encoder.categories_ if len(texts) else []
    # None met in training is a category like any other; only NaN is encoded as missing.
    tables = [{value: float(at) for at, value in enumerate(found) if not _is_nan(value)} for found in categories]
    return OrdinalRows(tuple(zip(texts, tables, strict=True)), tuple(numbers))


def _passes(step: Any, numbers: Sequence[str]) -> bool:
    return not len(numbers) or step == "passthrough" or type(step).__name__ == "FunctionTransformer"


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)
