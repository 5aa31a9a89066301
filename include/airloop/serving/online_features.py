"""Features from the online store through Feast's public reading interface, with the instant each became known.

Views, key types and names are resolved once, when a version is loaded: a read is then `OnlineStore.online_read` once a
view, which costs half of `get_online_features`.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from airloop.config import Pipeline
from airloop.config.nearest import nearest
from airloop.errors import ConfigError
from airloop.features import feature_store
from airloop.serving.refused import Refused, refuse_strange_text
from airloop.settings import Settings

# After feature_store, which boots Feast.
from feast.infra.online_stores.helpers import get_online_store_from_config  # isort: skip
from feast.protos.feast.types.EntityKey_pb2 import EntityKey  # isort: skip
from feast.protos.feast.types.Value_pb2 import Value  # isort: skip
from feast.value_type import ValueType  # isort: skip

_KEYS = {
    ValueType.STRING: ("string_val", str),
    ValueType.INT64: ("int64_val", int),
    ValueType.INT32: ("int32_val", int),
}
_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True)
class KnownValues:
    """What the online store holds of one key of a view; `known_at` is None where it holds nothing."""

    known_at: datetime | None
    values: Mapping[str, Any]


_NOTHING = KnownValues(None, {})


@dataclass(frozen=True)
class View:
    """A view as requests read it.

    Attributes:
        keys: Key column -> (field of Feast's value, Python type).
        asked_as: Key column -> its name in a request.
    """

    name: str
    table: Any
    features: tuple[str, ...]
    keys: Mapping[str, tuple[str, type]]
    asked_as: Mapping[str, str]
    ttl_seconds: float


@dataclass(frozen=True)
class OnlineFeatures:
    """The online store of a pipeline as one version of its feature service needs it."""

    views: tuple[View, ...]
    config: Any
    entity_key: str
    _local: threading.local = field(default_factory=threading.local)

    @property
    def join_keys(self) -> dict[str, type]:
        """What a request names a row by: the entity key, then the keys of all views; each with its type."""
        found: dict[str, type] = {self.entity_key: str}
        for view in self.views:
            found |= {view.asked_as[name]: kind for name, (_, kind) in view.keys.items()}
        return found

    @property
    def local(self) -> bool:
        """Whether a read is of a file of this machine, and takes no time to wait in."""
        return bool(self.config.online_store.type == "sqlite")

    def checked(self, entity: Mapping[str, Any]) -> dict[str, Any]:
        """The keys of a row, each known and of its type; any but the pipeline's own entity key may be null.

        Raises:
            Refused: An unknown key (with the nearest), one of another type, or no entity key.
        """
        known = self.join_keys
        for name, value in entity.items():
            if name not in known:
                says = f"{name!r} is not a key of this model{nearest(name, known)} (keys: {', '.join(known)})"
                raise Refused(422, "unknown_key", says, field=name)
            kind = known[name]
            if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
                says = f"key {name!r} has to be {'a text' if kind is str else 'a whole number'}"
                raise Refused(422, "wrong_type", f"{says}, not {type(value).__name__}", field=name, value=value)
            if isinstance(value, str):
                refuse_strange_text(name, value)
            if kind is int and value is not None and value not in _INT64:
                raise Refused(422, "out_of_range", f"key {name!r} does not fit into 64 bits", field=name, value=value)
        if entity.get(self.entity_key) in (None, ""):
            says = f"a row is named by its {self.entity_key!r}; without one send all features and no entity"
            raise Refused(422, "missing_key", says, field=self.entity_key)
        return dict(entity)

    def read(self, view: View, entities: Sequence[Mapping[str, Any]]) -> list[KnownValues]:
        """What the store holds of each entity's key, in order; a key that is null has nothing.

        Raises:
            UpstreamUnavailable: The store does not answer.
        """
        keys: dict[tuple[Any, ...], EntityKey] = {}
        wanted = [tuple(entity.get(view.asked_as[name]) for name in view.keys) for entity in entities]
        for values in wanted:
            if None not in values and values not in keys:
                keys[values] = _entity_key(view, values)
        if not keys:
            return [_NOTHING] * len(wanted)
        # A fresh list each time: Redis' store appends to the one it is given.
        found = self._store().online_read(self.config, view.table, list(keys.values()), list(view.features))
        held = {values: _known(view, *row) for values, row in zip(keys, found, strict=True)}
        return [held.get(values, _NOTHING) for values in wanted]

    def _store(self) -> Any:
        # SQLite's connections belong to one thread each.
        store = getattr(self._local, "store", None)
        if store is None:
            store = self._local.store = get_online_store_from_config(self.config.online_store)
        return store


def open_online(pipeline: Pipeline, settings: Settings) -> OnlineFeatures:
    """The views that the pipeline's feature service projects.

    Raises:
        ConfigError: A view's key is neither text nor whole number.
        UpstreamUnavailable: Feast's registry does not answer.
    """
    store = feature_store.open_store(pipeline, settings)
    with feature_store.answering(settings):
        service = store.get_feature_service(pipeline.features.service)
        views = tuple(
            _view(store.get_feature_view(projection.name), projection)
            for projection in service.feature_view_projections
        )
    return OnlineFeatures(views, store.config, pipeline.prediction.entity_key)


def _view(table: Any, projection: Any) -> View:
    keys = {}
    for column in table.entity_columns:
        kind = column.dtype.to_value_type()
        if kind not in _KEYS:
            raise ConfigError(
                f"feature view {table.name}: key {column.name!r} is {column.dtype}; a key is String or Int64"
            )
        keys[column.name] = _KEYS[kind]
    mapped = projection.join_key_map or {}
    return View(
        name=table.name,
        table=table,
        features=tuple(item.name for item in projection.features),
        keys=keys,
        asked_as={name: mapped.get(name, name) for name in keys},
        ttl_seconds=table.ttl.total_seconds(),
    )


def _entity_key(view: View, values: tuple[Any, ...]) -> EntityKey:
    parts = [Value(**{kind: value}) for (kind, _), value in zip(view.keys.values(), values, strict=True)]
    return EntityKey(join_keys=list(view.keys), entity_values=parts)


def _known(view: View, known_at: datetime | None, values: Mapping[str, Any] | None) -> KnownValues:
    if known_at is None or values is None:
        return _NOTHING
    instant = known_at.replace(tzinfo=UTC) if known_at.tzinfo is None else known_at.astimezone(UTC)
    return KnownValues(instant, {name: _python(values[name]) for name in view.features if name in values})


def _python(value: Any) -> Any:
    kind = value.WhichOneof("val")
    if kind is None:
        return None
    found = getattr(value, kind)
    return list(found.val) if kind.endswith("_list_val") else found
