"""What a request and a model know of the features of a pipeline's service, as plain data that can be kept."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airloop.config import Pipeline
from airloop.errors import ConfigError
from airloop.records import Record
from airloop.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

KEY_TYPES: dict[str, type] = {"STRING": str, "INT64": int, "INT32": int}
"""Feast's value types that a key may have -> what a request sends."""


@dataclass(frozen=True)
class ServedFeature(Record):
    """One feature as its view declares it.

    Attributes:
        kind: `number`, `text`, `flag` or `array`.
        columns: What a model takes of it: itself, or an array's elements.
    """

    name: str
    view: str
    kind: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class OnlineView(Record):
    """A view as requests read it.

    Attributes:
        features: Those that the service projects.
        keys: Key column -> its type, one of KEY_TYPES.
        asked_as: Key column -> its name in a request.
    """

    name: str
    features: tuple[str, ...]
    keys: dict[str, str]
    asked_as: dict[str, str]
    ttl_seconds: float


def served_features(pipeline: Pipeline, settings: Settings) -> tuple[ServedFeature, ...]:
    """The features that the service projects, in its order."""
    from airloop.features import feature_store

    types = {view.name: feature_store.view_types(view) for view in feature_store.views(pipeline, settings)}
    arrays = feature_store.array_features(pipeline, settings)
    return tuple(
        ServedFeature(name, view, _kind(types[view][name]), arrays[name].columns if name in arrays else (name,))
        for view, names in feature_store.view_features(pipeline, settings).items()
        for name in names
    )


def online_views(pipeline: Pipeline, settings: Settings) -> tuple[OnlineView, ...]:
    """The views that the service projects.

    Raises:
        ConfigError: A view's key is neither text nor whole number.
    """
    from airloop.features import feature_store

    declared = {view.name: view for view in feature_store.views(pipeline, settings)}
    mapped = feature_store.key_names(pipeline, settings)
    return tuple(
        _view(declared[name], features, mapped[name])
        for name, features in feature_store.view_features(pipeline, settings).items()
    )


def _view(declared: Any, features: tuple[str, ...], mapped: dict[str, str]) -> OnlineView:
    keys = {}
    for column in declared.entity_columns:
        kind = column.dtype.to_value_type().name
        if kind not in KEY_TYPES:
            raise ConfigError(
                f"feature view {declared.name}: key {column.name!r} is {column.dtype}; a key is String or Int64"
            )
        keys[column.name] = kind
    asked_as = {name: mapped.get(name, name) for name in keys}
    return OnlineView(declared.name, features, keys, asked_as, declared.ttl.total_seconds())


def _kind(declared: "pa.DataType") -> str:
    import pyarrow as pa

    if pa.types.is_string(declared) or pa.types.is_large_string(declared):
        return "text"
    if pa.types.is_boolean(declared):
        return "flag"
    return "array" if pa.types.is_list(declared) else "number"
