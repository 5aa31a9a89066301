"""Feature rows as Feast's online stores hold them: serialized keys and values, each distinct value converted once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
from feast import FeatureView, RepoConfig
from feast.infra.key_encoding_utils import serialize_entity_key
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from feast.type_map import python_values_to_proto_values
from feast.value_type import ValueType

from airloop.errors import DataContractError
from airloop.feast_stores.asof_join import INSTANT
from airloop.feast_stores.delta_source import batch_source
from airloop.feast_stores.online_file import entity_key

_Stored = TypeVar("_Stored")

_SCALARS = {ValueType.INT32, ValueType.INT64, ValueType.FLOAT, ValueType.DOUBLE, ValueType.STRING, ValueType.BOOL}

_KEY_VERSION = 3
_PLAIN_KEYS = {
    ValueType.STRING: (pa.string(), pa.large_string()),
    ValueType.INT32: (pa.int32(),),
    ValueType.INT64: (pa.int64(),),
}
"""Columns of keys that are serialized without a message each, which takes five times as long."""


@dataclass(frozen=True)
class Values:
    """A column: its distinct values and, for each row, the number of its value."""

    distinct: Sequence[Value]
    numbers: Sequence[int]

    def each(self, convert: Callable[[Value], _Stored]) -> list[_Stored]:
        """Convert every distinct value once and answer one result per row."""
        converted = [convert(value) for value in self.distinct]
        return [converted[number] for number in self.numbers]


@dataclass(frozen=True)
class RowHeads:
    """What tells rows of one feature view from those that are stored; every list has one entry per row.

    Attributes:
        keys: Entity keys as Feast serializes them.
        moments: Event timestamp in microseconds since 1970, UTC.
        created: Created timestamp likewise; None where it is null or the view has none.
    """

    keys: Sequence[bytes]
    moments: Sequence[int]
    created: Sequence[int | None]


def join_key_types(view: FeatureView) -> dict[str, ValueType]:
    """Answer the value type of each join key column."""
    return {field.name: field.dtype.to_value_type() for field in view.entity_columns}


def row_heads(batch: pa.RecordBatch, view: FeatureView, config: RepoConfig) -> RowHeads:
    """The heads of a view's rows; columns bear the names of the view, not of its source.

    Raises:
        DataContractError: A join key is null: no reader could ask for the row.
    """
    source = batch_source(view)
    created = source.created_timestamp_column
    return RowHeads(
        keys=_keys(batch, view, config.entity_key_serialization_version),
        moments=_microseconds(batch[source.timestamp_field]),
        created=_microseconds(batch[created]) if created else [None] * batch.num_rows,
    )


def encode(batch: pa.RecordBatch, view: FeatureView) -> dict[str, Values]:
    """Feature -> its values in the rows of a view; columns bear the names of the view."""
    return {field.name: _values(batch[field.name], field.dtype.to_value_type()) for field in view.features}


def _keys(batch: pa.RecordBatch, view: FeatureView, version: int) -> list[bytes]:
    types = join_key_types(view)
    if unnamed := [name for name in types if batch[name].null_count]:
        raise DataContractError(
            f"{view.name} has rows whose key {', '.join(unnamed)} is null: give them a name instead"
        )
    if version == _KEY_VERSION and all(batch[name].type in _PLAIN_KEYS.get(kind, ()) for name, kind in types.items()):
        kinds, plain = {name: kind.name for name, kind in types.items()}, (batch[name].to_pylist() for name in types)
        return [entity_key(kinds, values) for values in zip(*plain, strict=True)]
    names = list(types)
    columns = [_values(batch[name], kind).each(lambda value: value) for name, kind in types.items()]
    return [
        serialize_entity_key(EntityKey(join_keys=names, entity_values=values), version)
        for values in zip(*columns, strict=True)
    ]


def _values(column: pa.Array, kind: ValueType) -> Values:
    if kind not in _SCALARS or pa.types.is_nested(column.type) or pa.types.is_temporal(column.type):
        converted = python_values_to_proto_values(column.to_numpy(zero_copy_only=False), kind)
        return Values(converted, range(len(converted)))
    encoded = pc.dictionary_encode(column)
    distinct = python_values_to_proto_values(encoded.dictionary.to_pylist(), kind)
    # Nulls are kept out of the conversion, which would make floats of the integers beside them.
    return Values([*distinct, Value()], pc.fill_null(encoded.indices, len(distinct)).to_pylist())


def _microseconds(column: pa.Array) -> list[Any]:
    return list(column.cast(INSTANT, safe=False).cast(pa.int64()).to_pylist())
