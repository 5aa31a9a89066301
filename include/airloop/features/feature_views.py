"""The views of features.sql, computed: typed, limited to their window, one row per key and instant."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pyarrow as pa

from airloop.config import Pipeline
from airloop.errors import ConfigError, DataContractError
from airloop.features import arrays, sections, transforms
from airloop.features.engine_session import Session
from airloop.features.feature_store import view_arrays, view_types, views
from airloop.features.sections import Section
from airloop.records import Window
from airloop.settings import Settings
from airloop.stores import lake
from airloop.stores.lake_rows import Feeds

if TYPE_CHECKING:  # else Feast would be imported before its boot
    from feast import FeatureView

_TIMES = ("known_at", "created_at")
_FLOAT32 = (pa.float32(), pa.list_(pa.float32()))


def compute_views(pipeline: Pipeline, window: Window, feeds: Feeds, settings: Settings) -> dict[str, pa.Table]:
    """Every view's rows with known_at in the window, computed from `feeds`; nothing is written.

    Numbers, also those in lists, are float64, rounded to float32 where the feature is declared so: online and offline
    values are then the same.
    """
    declared = {view.name: view for view in views(pipeline, settings)}
    every_section = sections.feature_sections(pipeline, settings)
    unknown = [section.name for section in every_section if section.kind == "view" and section.name not in declared]
    if unknown:
        raise ConfigError(
            f"{pipeline.name}/features.sql: view {unknown[0]!r} is not in feature_repo/{pipeline.name}.py"
        )
    key_columns = dict.fromkeys([*_TIMES, *(key for view in declared.values() for key in _keys(view))])

    def run(connection: Session, section: Section) -> pa.Table:
        # A function may look at its neighbours.
        within = window if section.kind == "view" and not section.through else None
        rows = sections.query(connection, pipeline, section, within=within)
        return transforms.apply(pipeline, section, rows, settings, unchanged=key_columns) if section.through else rows

    with sections.connect(pipeline, window, feeds, settings) as connection:
        for section in every_section:
            if section.kind == "table" and section.through:
                connection.put(section.name, run(connection, section))
            elif section.kind == "table":
                sections.create_table(connection, pipeline, section)
        return {
            section.name: _rows(run(connection, section), declared[section.name], window=window)
            for section in every_section
            if section.kind == "view"
        }


def _keys(view: "FeatureView") -> list[str]:
    return [column.name for column in view.entity_columns]


def _rows(rows: pa.Table, view: "FeatureView", *, window: Window) -> pa.Table:
    missing = [name for name in (*_keys(view), *_TIMES) if name not in rows.schema.names]
    if missing:
        raise ConfigError(f"features.sql, view {view.name}: has no column {missing[0]!r}")
    rows = typed(rows.filter(lake.between("known_at", window)), view_types(view))
    identity = [*_keys(view), "known_at"]
    distinct = rows.group_by(identity).aggregate([]).num_rows
    if distinct != rows.num_rows:
        raise DataContractError(
            f"view {view.name} {window}: {rows.num_rows - distinct} rows share key and known_at with another"
        )
    _refuse_undeclared_lists(rows, view)
    present = [array for array in view_arrays(view) if array.name in rows.schema.names]
    arrays.refuse_other_arrays(rows, present, key=identity)
    return rows


def _refuse_undeclared_lists(rows: pa.Table, view: "FeatureView") -> None:
    for name, declared in view_types(view).items():
        kind = rows.schema.field(name).type if name in rows.schema.names else declared
        if _is_list(kind) and not _is_list(declared):
            raise ConfigError(
                f"feature {view.name}.{name}: is declared {declared}, but its column is {kind}; declare it as "
                f'Array(Float64) with tags={{"{arrays.LENGTH}": ...}}'
            )


def typed(rows: pa.Table, declared: Mapping[str, pa.DataType]) -> pa.Table:
    """Rows as they are stored and read back: numbers float64, of the precision that their features declare.

    Args:
        declared: Feature -> its Arrow type.
    """
    # What a function returns for a window without rows often has no type.
    untyped = [field.name for field in rows.schema if field.name in declared and _is_untyped(field.type)]
    rows = _cast(rows, {name: declared[name] for name in untyped})
    plain = {field.name: _plain_type(field.type) for field in rows.schema}
    narrow = {
        name: kind for name, kind in declared.items() if kind in _FLOAT32 and plain.get(name) == _plain_type(kind)
    }
    return _cast(_cast(_cast(rows, plain), narrow), plain)


def _cast(rows: pa.Table, kinds: Mapping[str, pa.DataType]) -> pa.Table:
    return rows.cast(pa.schema([field.with_type(kinds.get(field.name, field.type)) for field in rows.schema]))


def _is_untyped(kind: pa.DataType) -> bool:
    return bool(pa.types.is_null(kind) or (_is_list(kind) and pa.types.is_null(kind.value_type)))


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _plain_type(kind: pa.DataType) -> pa.DataType:
    if _is_list(kind):
        return pa.list_(_plain_type(kind.value_type))
    number = (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_boolean(kind)
    )
    if number:
        return pa.float64()
    return pa.string() if pa.types.is_large_string(kind) else kind
