"""What a version takes: its features by the names and types of their views, and values checked against them."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from math import isfinite
from typing import Any

from airloop.config import Pipeline
from airloop.config.nearest import nearest
from airloop.features import online_views
from airloop.features.online_views import ServedFeature
from airloop.models.forms.columns import Columns, model_columns
from airloop.models.forms.encoder import picked
from airloop.serving.refused import Refused, refuse_strange_text
from airloop.settings import Settings

KINDS: dict[str, str] = {
    "number": "a number or null",
    "text": "a text or null",
    "flag": "true, false or null",
    "array": "a list of numbers, or null",
}
"""Kind of feature -> what a request may send for it, in words."""


@dataclass(frozen=True)
class Feature(ServedFeature):
    """One feature as its view declares it, and the values that a request may send for it."""

    def value(self, sent: Any) -> Any:
        """A value as the model takes it: None, float, str, bool, or a list of float and None.

        Raises:
            Refused: It is of another kind; names the field and the value.
        """
        if sent is None:
            return None
        if self.kind == "number":
            return number(self.name, sent)
        if self.kind == "array":
            return self._array(sent)
        if isinstance(sent, str if self.kind == "text" else bool):
            if isinstance(sent, str):
                refuse_strange_text(self.name, sent)
            return sent
        raise wrong_kind(self.name, sent, KINDS[self.kind])

    def _array(self, sent: Any) -> list[float | None]:
        if not isinstance(sent, list):
            raise wrong_kind(self.name, sent, KINDS["array"])
        if len(sent) != len(self.columns):
            says = f"{self.name!r} is an array of {len(self.columns)} numbers, and {len(sent)} were sent"
            raise Refused(422, "wrong_length", says, field=self.name, value=len(sent))
        return [None if item is None else number(f"{self.name}[{at}]", item) for at, item in enumerate(sent)]


@dataclass(frozen=True)
class Inputs:
    """The features of a version, in the order of its model's columns.

    Attributes:
        columns: The model's, in its order.
        of_model: The columns with what they hold.
        plain: Whether each feature is one column of its name.
    """

    features: tuple[Feature, ...]
    columns: tuple[str, ...]
    by_name: Mapping[str, Feature] = field(init=False)
    of_model: Columns = field(init=False)
    plain: bool = field(init=False)
    _numbers: Callable[[Mapping[str, Any]], tuple[Any, ...]] = field(init=False, repr=False, compare=False)
    _texts: Callable[[Mapping[str, Any]], tuple[Any, ...]] = field(init=False, repr=False, compare=False)
    _only_those: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        numbers, texts = ([item.name for item in self.features if item.kind == kind] for kind in ("number", "text"))
        object.__setattr__(self, "_numbers", picked(numbers))
        object.__setattr__(self, "_texts", picked(texts))
        object.__setattr__(self, "_only_those", len(numbers) + len(texts) == len(self.features))
        object.__setattr__(self, "by_name", {feature.name: feature for feature in self.features})
        object.__setattr__(self, "plain", all(item.columns == (item.name,) for item in self.features))
        object.__setattr__(self, "of_model", model_columns(self.features, self.columns))

    def checked(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Explicit features by name, each of its kind.

        Raises:
            Refused: An unknown name (with the nearest), or a value of another kind.
        """
        if usual := self.usual([dict(sent)]):
            return usual[0]
        values, by_name = {}, self.by_name
        for name, value in sent.items():
            feature = by_name.get(name)
            if feature is None:
                says = f"{name!r} is not a feature of this model{nearest(name, self.by_name)}"
                raise Refused(422, "unknown_feature", f"{says} (features: {', '.join(self.by_name)})", field=name)
            values[name] = value if value is None or _usual(feature.kind, value) else feature.value(value)
        return values

    def usual(self, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows as the model takes them where surely each holds all features, each of its kind; else none of them.

        Most requests are such, and are checked at a tenth of the time: what is wrong with another one, `checked` says.
        """
        if not self._only_those or not {len(self.by_name)}.issuperset(map(len, rows)):
            return []
        try:
            numbers = [*chain.from_iterable(map(self._numbers, rows))]
            texts = [*chain.from_iterable(map(self._texts, rows))]
            # A sum that is not finite may be that of finite numbers: then each is looked at.
            kinds = set(map(type, numbers))
            finite = kinds <= _NUMBERS and isfinite(sum(filter(None, numbers)))
            plain = _TEXTS.issuperset(map(type, texts)) and _usual("text", "".join(filter(None, texts)))
            if not finite or not plain:
                return []
            return [*map(_with_floats, rows)] if int in kinds else [*rows]
        except (KeyError, OverflowError):
            return []

    def rows(self, features: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        """Rows by the model's columns; see row."""
        whole = self.plain and {len(self.by_name)}.issuperset(map(len, features))
        return features if whole else [self.row(each) for each in features]

    def row(self, features: Mapping[str, Any]) -> Mapping[str, Any]:
        """Values by the model's columns; a feature that is not there is missing.

        Args:
            features: By name; where no feature is an array and none is missing, it is the answer.
        """
        if self.plain and len(features) == len(self.by_name):
            return features
        values: dict[str, Any] = {}
        for feature in self.features:
            value = features.get(feature.name)
            if feature.kind == "array":
                values.update(zip(feature.columns, value or [None] * len(feature.columns), strict=True))
            else:
                values[feature.name] = value
        return values


_NUMBERS, _TEXTS = frozenset({float, int, type(None)}), frozenset({str, type(None)})


def _with_floats(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: float(value) if type(value) is int else value for name, value in row.items()}


def _usual(kind: str, value: Any) -> bool:
    """Whether a value surely is what the kind wants; most are, and the whole check costs three times as much."""
    if kind == "number":
        return type(value) is float and isfinite(value)
    return kind == "text" and type(value) is str and is_plain_text(value)


def is_plain_text(text: str) -> bool:
    """Whether a text surely is none that is refused."""
    return text.isascii() and text.isprintable()


def read_inputs(pipeline: Pipeline, columns: Sequence[str], settings: Settings) -> Inputs:
    """The features that the pipeline's service projects, for a model of these columns."""
    return inputs_of(online_views.served_features(pipeline, settings), columns)


def inputs_of(features: Sequence[ServedFeature], columns: Sequence[str]) -> Inputs:
    """Those of the features that a model of these columns takes."""
    names = set(columns)
    own = (Feature(item.name, item.view, item.kind, item.columns) for item in features)
    return Inputs(tuple(item for item in own if names.intersection(item.columns)), tuple(columns))


def number(name: str, sent: Any) -> float:
    """A finite number.

    Raises:
        Refused: It is none.
    """
    if isinstance(sent, bool) or not isinstance(sent, (int, float)):
        raise wrong_kind(name, sent, KINDS["number"])
    try:
        value = float(sent)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise Refused(
            422,
            "not_finite",
            f"{name!r} has to be finite; send null for a missing number",
            field=name,
            value=str(sent),
        )
    return value


def wrong_kind(name: str, sent: Any, kind_words: str) -> Refused:
    """What is said to a value of another kind than declared."""
    says = f"{name!r} has to be {kind_words}, not {type(sent).__name__}"
    return Refused(422, "wrong_type", says, field=name, value=sent)
