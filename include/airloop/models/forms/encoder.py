"""The ordinal encoder of airloop's candidates on plain rows: a look-up a text, a float a number."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from airloop.models.forms.columns import Placed, Rows

UNKNOWN = -1.0


@dataclass(frozen=True)
class OrdinalRows:
    """What the fitted ColumnTransformer does to a frame: texts by their number, then numbers as they are.

    Attributes:
        texts: Column -> category -> number; what was not met in training is UNKNOWN.
    """

    texts: tuple[tuple[str, Mapping[Any, float]], ...]
    numbers: tuple[str, ...]
    _numbers_of: Callable[[Mapping[str, Any]], tuple[Any, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_numbers_of", picked(self.numbers))

    def matrix(self, rows: Rows) -> npt.NDArray[np.float64]:
        """One row each; a missing number is NaN."""
        numeric = np.empty((len(rows), len(self.texts) + len(self.numbers)))
        lines: Sequence[Any] = rows
        keys: Sequence[Any] = [name for name, _ in self.texts]
        numbers_of: Callable[[Any], tuple[Any, ...]] = self._numbers_of
        if isinstance(rows, Placed):
            lines, keys = rows.values, [rows.names.index(name) for name in keys]
            numbers_of = _picked_by_place(self.numbers, rows.names)
        for at, (key, (_, numbers)) in enumerate(zip(keys, self.texts, strict=True)):
            numeric[:, at] = [numbers.get(line[key], UNKNOWN) for line in lines]
        # numpy reads None as NaN where it is told to make floats.
        values = np.fromiter(chain.from_iterable(map(numbers_of, lines)), np.float64)
        numeric[:, len(self.texts) :] = values.reshape(len(rows), len(self.numbers))
        return numeric

    def line(self, row: Mapping[str, Any]) -> list[float]:
        """One row as a list, without numpy."""
        texts = [numbers.get(row[name], UNKNOWN) for name, numbers in self.texts]
        return texts + [math.nan if value is None else value for value in self._numbers_of(row)]


def picked(keys: Sequence[str] | Sequence[int]) -> Callable[[Any], tuple[Any, ...]]:
    """Takes the values of these names out of a mapping, or of these places out of a tuple."""
    if len(keys) > 1:
        return itemgetter(*keys)
    return lambda row: tuple(row[key] for key in keys)


@cache
def _picked_by_place(chosen: tuple[str, ...], names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    return picked([names.index(name) for name in chosen])


def ordinal_rows(transformer: Any) -> OrdinalRows:
    """The encoder of a fitted ColumnTransformer whose texts are ordinally encoded and whose numbers pass.

    Raises:
        ValueError: It is another one.
    """
    (encoder, texts), (passed, numbers) = texts_and_numbers(transformer)
    if type(encoder).__name__ != "OrdinalEncoder" or not _passes(passed, numbers):
        raise ValueError(f"texts go through {type(encoder).__name__}, numbers through {passed}")
    categories = encoder.categories_ if len(texts) else []
    # None met in training is a category like any other; only NaN is encoded as missing.
    tables = [{value: float(at) for at, value in enumerate(of_text) if not _is_nan(value)} for of_text in categories]
    return OrdinalRows(tuple(zip(texts, tables, strict=True)), tuple(numbers))


def texts_and_numbers(transformer: Any) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """The two steps of a fitted ColumnTransformer, each with its columns.

    Raises:
        ValueError: It has a third: a column that is read by its words.
    """
    texts, numbers, *others = [item for item in transformer.transformers_ if item[0] != "remainder"]
    if others:
        raise ValueError(f"{others[0][2]} is a text column, read by its words")
    return texts[1:], numbers[1:]


def described(rows: OrdinalRows) -> dict[str, Any]:
    """As JSON holds it; `from_described` reads it again."""
    texts = [[name, [[_plain(value), number] for value, number in table.items()]] for name, table in rows.texts]
    return {"texts": texts, "numbers": list(rows.numbers)}


def from_described(content: Mapping[str, Any]) -> OrdinalRows:
    """What `described` wrote."""
    texts: Iterable[tuple[str, list[tuple[Any, float]]]] = content["texts"]
    return OrdinalRows(tuple((name, dict(map(tuple, table))) for name, table in texts), tuple(content["numbers"]))


def _plain(value: Any) -> Any:
    """A category as JSON can hold it.

    Raises:
        ValueError: It cannot, exactly.
    """
    value = value.item() if isinstance(value, np.generic) else value
    if value is None or isinstance(value, str | bool):
        return value
    raise ValueError(f"category {value!r} is neither text nor flag")


def _passes(step: Any, numbers: Sequence[str]) -> bool:
    return not len(numbers) or step == "passthrough" or type(step).__name__ == "FunctionTransformer"


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)
