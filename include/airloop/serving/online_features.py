"""Features from the online store, with the instant each became known.

Views, key types and names are resolved once, when a version is loaded. SQLite's file is read directly, so that a
service needs no Feast; other stores through Feast's public reading interface, `OnlineStore.online_read` once a view,
which costs half of `get_online_features`.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from airloop.config import Pipeline
from airloop.config.nearest import nearest
from airloop.feast_stores.online_file import OnlineFile, entity_key
from airloop.features.online_views import KEY_TYPES, OnlineView
from airloop.serving.refused import Refused, refuse_strange_text
from airloop.settings import Settings

_INT32, _INT64 = range(-(2**31), 2**31), range(-(2**63), 2**63)
View = OnlineView


@dataclass(frozen=True)
class KnownValues:
    """What the online store holds of one key of a view; `known_at` is None where it holds nothing."""

    known_at: datetime | None
    values: Mapping[str, Any]


_NOTHING = KnownValues(None, {})
Keys = Sequence[tuple[Any, ...]]


class Reader(Protocol):
    """How keys of a view are read."""

    @property
    def local(self) -> bool:
        """Whether a read is of a file of this machine, and takes no time to wait in."""

    def read(self, view: View, keys: Keys) -> list[KnownValues]:
        """What the store holds of each key.

        Raises:
            UpstreamUnavailable: The store does not answer.
        """


@dataclass(frozen=True)
class OnlineFeatures:
    """The online store of a pipeline as one version of its feature service needs it."""

    views: tuple[View, ...]
    entity_key: str
    reader: Reader
    join_keys: Mapping[str, type] = field(init=False)
    """What a request names a row by: the entity key, then the keys of all views; each with its type."""

    def __post_init__(self) -> None:
        types: dict[str, type] = {self.entity_key: str}
        for view in self.views:
            types |= {view.asked_as[name]: KEY_TYPES[kind] for name, kind in view.keys.items()}
        object.__setattr__(self, "join_keys", types)

    @property
    def local(self) -> bool:
        """Whether a read is of a file of this machine, and takes no time to wait in."""
        return self.reader.local

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
        keys_of_rows = [tuple(entity.get(view.asked_as[name]) for name in view.keys) for entity in entities]
        keys = list({values: None for values in keys_of_rows if None not in values and _fits(view, values)})
        by_key = dict(zip(keys, self.reader.read(view, keys), strict=True)) if keys else {}
        return [by_key.get(values, _NOTHING) for values in keys_of_rows]


@dataclass(frozen=True)
class FileReader:
    """SQLite's file."""

    file: OnlineFile
    local: bool = True

    def read(self, view: View, keys: Keys) -> list[KnownValues]:
        """See Reader."""
        return [self._one(view, values) for values in keys]

    def _one(self, view: View, values: tuple[Any, ...]) -> KnownValues:
        known_at, stored = self.file.read(view.name, entity_key(view.keys, values))
        if known_at is None:
            return _NOTHING
        return KnownValues(known_at, {name: stored[name] for name in view.features if name in stored})


class FeastReader:
    """Any other store, through Feast."""

    local = False

    def __init__(self, pipeline: Pipeline, views: Sequence[View], settings: Settings) -> None:
        """Open the pipeline's store.

        Raises:
            UpstreamUnavailable: Feast's registry does not answer.
        """
        from airloop.features import feature_store

        store = feature_store.open_store(pipeline, settings)
        with feature_store.answering(settings):
            self._tables = {view.name: store.get_feature_view(view.name) for view in views}
        self._config, self._settings, self._local = store.config, settings, threading.local()

    def read(self, view: View, keys: Keys) -> list[KnownValues]:
        """See Reader."""
        from airloop.features import feature_store

        entity_keys = [_feast_key(view, values) for values in keys]
        with feature_store.answering(self._settings):
            # A fresh list each time: Redis' store appends to the one it is given.
            answers = self._store().online_read(self._config, self._tables[view.name], entity_keys, list(view.features))
        return [_known(view, *row) for row in answers]

    def _store(self) -> Any:
        from feast.infra.online_stores.helpers import get_online_store_from_config

        # A connection may belong to one thread.
        store = getattr(self._local, "store", None)
        if store is None:
            store = self._local.store = get_online_store_from_config(self._config.online_store)
        return store


def open_online(pipeline: Pipeline, views: Sequence[View], settings: Settings) -> OnlineFeatures:
    """The online store for these views.

    Raises:
        UpstreamUnavailable: Feast's registry does not answer.
    """
    return OnlineFeatures(tuple(views), pipeline.prediction.entity_key, _reader(pipeline, views, settings))


def _reader(pipeline: Pipeline, views: Sequence[View], settings: Settings) -> Reader:
    if settings.online_store.get("type") == "sqlite":
        return FileReader(OnlineFile(Path(settings.online_store["path"]), pipeline.name))
    return FeastReader(pipeline, views, settings)


def _fits(view: View, values: tuple[Any, ...]) -> bool:
    """Whether the key can be stored at all: a number too large for its type names nothing."""
    kinds = zip(view.keys.values(), values, strict=True)
    return all(kind != "INT32" or value in _INT32 for kind, value in kinds)


def _feast_key(view: View, values: tuple[Any, ...]) -> Any:
    from feast.protos.feast.types.EntityKey_pb2 import EntityKey
    from feast.protos.feast.types.Value_pb2 import Value

    fields = {"STRING": "string_val", "INT64": "int64_val", "INT32": "int32_val"}
    parts = [Value(**{fields[kind]: value}) for kind, value in zip(view.keys.values(), values, strict=True)]
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
    content = getattr(value, kind)
    return list(content.val) if kind.endswith("_list_val") else content
