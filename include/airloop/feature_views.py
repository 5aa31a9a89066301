"""The views of features.sql, computed: typed, limited to their window, one row per key and instant."""

from collections.abc import Mapping

import pyarrow as pa

from airloop import lake, sections
from airloop.config import Pipeline
from airloop.errors import ConfigError, DataContractError
from airloop.feature_store import view_keys
from airloop.records import Window
from airloop.settings import Settings


def compute_views(
    pipeline: Pipeline, window: Window, feeds: Mapping[str, pa.Table], settings: Settings
) -> dict[str, pa.Table]:
    """Every view's rows with known_at in the window, computed from `feeds`; nothing is written."""
    keys = view_keys(pipeline, settings)
    found = sections.feature_sections(pipeline, settings)
    unknown = [section.name for section in found if section.kind == "view" and section.name not in keys]
    if unknown:
        raise ConfigError(
            f"{pipeline.name}/features.sql: view {unknown[0]!r} is not in feature_repo/{pipeline.name}.py"
        )
    with sections.connect(pipeline, window, feeds) as connection:
        sections.create_tables(connection, pipeline, found)
        return {
            section.name: _rows(sections.query(connection, pipeline, section), section.name, keys=keys, window=window)
            for section in found
            if section.kind == "view"
        }


def _rows(rows: pa.Table, view: str, *, keys: Mapping[str, tuple[str, ...]], window: Window) -> pa.Table:
    needed = [*keys[view], "known_at", "created_at"]
    missing = [name for name in needed if name not in rows.schema.names]
    if missing:
        raise ConfigError(f"features.sql, view {view}: has no column {missing[0]!r}")
    rows = rows.filter(lake.between("known_at", window)).cast(
        pa.schema([field.with_type(_plain_type(field.type)) for field in rows.schema])
    )
    distinct = rows.group_by([*keys[view], "known_at"]).aggregate([]).num_rows
    if distinct != rows.num_rows:
        raise DataContractError(
            f"view {view} {window}: {rows.num_rows - distinct} rows share key and known_at with another"
        )
    return rows


def _plain_type(kind: pa.DataType) -> pa.DataType:
    number = (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_boolean(kind)
    )
    if number:
        return pa.float64()
    return pa.string() if pa.types.is_large_string(kind) else kind
