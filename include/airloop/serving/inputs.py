"""What a version takes: its features by the names and types of their views, and values checked against them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pyarrow as pa

from airloop.config import Pipeline
from airloop.config.nearest import nearest
from airloop.serving.refused import Refused, refuse_strange_text
from airloop.settings import Settings

Kind = Literal["number", "text", "flag", "array"]
KINDS: dict[Kind, str] = {
    "number": "a number or null",
    "text": "a text or null",
    "flag": "true, false or null",
    "array": "a list of numbers, or null",
}
"""Kind of feature -> what a request may send for it, in words."""


@dataclass(frozen=True)
class Feature:
    """One feature as its view declares it.

    Attributes:
        columns: What the model takes of it: itself, or an array's elements.
    """

    name: str
    view: str
    kind: Kind
    columns: tuple[str, ...]

    def value(self, given: Any) -> Any:
        """A value as the model takes it: None, float, str, bool, or a list of float and None.

        Raises:
            Refused: It is of another kind; names the field and the value.
        """
        if given is None:
            return None
        if self.kind == "number":
            return number(self.name, given)
        if self.kind == "array":
            return self._array(given)
        if isinstance(given, str if self.kind == "text" else bool):
            if isinstance(given, str):
                refuse_strange_text(self.name, given)
            return given
        raise wrong_kind(self.name, given, KINDS[self.kind])

    def _array(self, given: Any) -> list[float | None]:
        if not isinstance(given, list):
            raise wrong_kind(self.name, given, KINDS["array"])
        if len(given) != len(self.columns):
            says = f"{self.name!r} is an array of {len(self.columns)} numbers, and {len(given)} were sent"
            raise Refused(422, "wrong_length", says, field=self.name, value=len(given))
        return [None if item is None else number(f"{self.name}[{at}]", item) for at, item in enumerate(given)]


@dataclass(frozen=True)
class Inputs:
    """The features of a version, in the order of its model's columns.

    Attributes:
        columns: The model's, in its order.
        categorical: Those of the columns that are texts or flags.
    """

    features: tuple[Feature, ...]
    columns: tuple[str, ...]
    by_name: Mapping[str, Feature] = field(init=False)
    categorical: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {feature.name: feature for feature in self.features})
        texts = (feature for feature in self.features if feature.kind in ("text", "flag"))
        object.__setattr__(self, "categorical", frozenset(feature.name for feature in texts))

    def checked(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Explicit features by name, each of its kind.

        Raises:
            Refused: An unknown name (with the nearest), or a value of another kind.
        """
        found = {}
        for name, value in given.items():
            feature = self.by_name.get(name)
            if feature is None:
                says = f"{name!r} is not a feature of this model{nearest(name, self.by_name)}"
                raise Refused(422, "unknown_feature", f"{says} (features: {', '.join(self.by_name)})", field=name)
            found[name] = feature.value(value)
        return found

    def row(self, features: Mapping[str, Any]) -> dict[str, Any]:
        """Values by the model's columns; a feature that is not there is missing."""
        values: dict[str, Any] = {}
        for feature in self.features:
            value = features.get(feature.name)
            if feature.kind == "array":
                values.update(zip(feature.columns, value or [None] * len(feature.columns), strict=True))
            else:
                values[feature.name] = value
        return values

    def table(self, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
        """Rows as retrieval hands them to a model: numbers float64, texts and flags as they are."""
        kinds = {
            f.name: pa.string() if f.kind == "text" else pa.bool_() for f in self.features if f.kind in ("text", "flag")
        }
        return pa.table(
            {name: pa.array([row[name] for row in rows], kinds.get(name, pa.float64())) for name in self.columns}
        )


def read_inputs(pipeline: Pipeline, columns: Sequence[str], settings: Settings) -> Inputs:
    """The features that the pipeline's service projects, for a model of these columns."""
    from airloop.features import feature_store

    types = {view.name: feature_store.view_types(view) for view in feature_store.views(pipeline, settings)}
    arrays = feature_store.array_features(pipeline, settings)
    features = [
        Feature(name, view, _kind(types[view][name]), arrays[name].columns if name in arrays else (name,))
        for view, names in feature_store.view_features(pipeline, settings).items()
        for name in names
    ]
    taken = set(columns)
    return Inputs(tuple(f for f in features if taken.intersection(f.columns)), tuple(columns))


def number(name: str, given: Any) -> float:
    """A finite number.

    Raises:
        Refused: It is none.
    """
    if isinstance(given, bool) or not isinstance(given, (int, float)):
        raise wrong_kind(name, given, KINDS["number"])
    try:
        value = float(given)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise Refused(
            422,
            "not_finite",
            f"{name!r} has to be finite; send null for a missing number",
            field=name,
            value=str(given),
        )
    return value


def wrong_kind(name: str, given: Any, wanted: str) -> Refused:
    """What is said to a value of another kind than declared."""
    says = f"{name!r} has to be {wanted}, not {type(given).__name__}"
    return Refused(422, "wrong_type", says, field=name, value=given)


def _kind(declared: pa.DataType) -> Kind:
    if pa.types.is_string(declared) or pa.types.is_large_string(declared):
        return "text"
    if pa.types.is_boolean(declared):
        return "flag"
    return "array" if pa.types.is_list(declared) else "number"
