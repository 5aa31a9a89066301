"""build_features: run features.sql for a window into features/<view>, keyed by what each view describes."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pyarrow as pa

from airloop import lake, sections
from airloop.config import Pipeline
from airloop.errors import ConfigError, DataContractError
from airloop.feature_store import view_keys
from airloop.records import BuiltFeatures, TableVersion, Window
from airloop.settings import Settings


def inputs(pipeline: Pipeline, window: Window, _upstream: Any, settings: Settings) -> dict[str, Any]:
    """Besides its upstream, a window's features depend on the clean rows of the lookback before it.

    Without them a window could not be built again after rows before it were corrected.
    """
    # One day more: a row is filed by the month of its event, and becomes known later.
    since = window.start - timedelta(days=pipeline.features.lookback_days + 1)
    uris = {name: lake.table_uri(settings, pipeline.name, "clean", name) for name in pipeline.feeds}
    return {name: lake.files_digest(uri, settings, window=Window(since, window.end)) for name, uri in uris.items()}


def build_features(pipeline: Pipeline, window: Window, _upstream: Any, settings: Settings) -> BuiltFeatures:
    """Replace the rows of features/<view> whose known_at lies in the window.

    Every view is computed before the first is written. Numbers become float64 (null stays null), so that a column's
    type does not depend on whether a window happens to hold a null.

    Raises:
        ConfigError: The SQL does not run, a view lacks known_at or created_at, or Feast does not know the view.
        DataContractError: Two rows of a view share key and known_at.
    """
    feeds = sections.load_feeds(pipeline, window, settings, read_by=sections.feature_sections(pipeline, settings))
    views = compute_views(pipeline, window, feeds, settings)
    return BuiltFeatures(
        window=window,
        views=tuple(_write(pipeline, name, rows, window=window, settings=settings) for name, rows in views.items()),
    )


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


def _write(pipeline: Pipeline, view: str, rows: pa.Table, *, window: Window, settings: Settings) -> TableVersion:
    uri = lake.table_uri(settings, pipeline.name, "features", view)
    keys = [*view_keys(pipeline, settings)[view], "known_at"]
    return lake.replace_window(uri, rows, settings, time_column="known_at", window=window, sort_by=keys)
