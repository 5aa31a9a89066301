"""What feature_repo/<pipeline>.py defines: entities, views with a key, a ttl and a created timestamp, services."""

import runpy
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
from feast import Entity, FeatureService, FeatureView
from feast.types import from_feast_to_pyarrow_type

from airloop.config import Pipeline, text_file
from airloop.config.nearest import nearest
from airloop.errors import ConfigError
from airloop.features import python_lines
from airloop.features.arrays import ArrayFeature, array_feature
from airloop.settings import Settings


@cache
def _definitions(path: Path, _text: str) -> tuple[Any, ...]:
    try:
        # Not imported: byte code is found by second and size, so an edit of the same length could be missed.
        namespace = runpy.run_path(str(path), run_name=f"feature_repo_{path.stem}")
    except (Exception, SystemExit) as error:
        line = python_lines.line_of(error, path)
        raise ConfigError(f"{path}:{line}: cannot be loaded: {python_lines.brief(error)}") from error
    kinds = (Entity, FeatureView, FeatureService)
    return tuple(value for value in namespace.values() if isinstance(value, kinds))


def definitions(pipeline: Pipeline, settings: Settings) -> tuple[Any, ...]:
    """Entities, views and services of feature_repo/<pipeline>.py.

    Raises:
        ConfigError: The file is missing, does not run, or has no service of the declared name.
    """
    path = settings.feature_repo_dir / f"{pipeline.name}.py"
    if not path.is_file():
        raise ConfigError(f"{path}: missing; it tells Feast the entities, views and services of {pipeline.name}")
    defined = _definitions(path, text_file.read(path))
    services = [item.name for item in defined if isinstance(item, FeatureService)]
    if pipeline.features.service not in services:
        line = python_lines.line_naming(path, *services)
        raise ConfigError(
            f"{path}:{line}: no feature service {pipeline.features.service!r}"
            f"{nearest(pipeline.features.service, services)} (services: {services}); features.service of pipeline.yaml "
            "names it"
        )
    return defined


def views(pipeline: Pipeline, settings: Settings) -> tuple[FeatureView, ...]:
    """The feature views; each needs a ttl, a created_timestamp_column, and its key among the fields of its schema.

    Raises:
        ConfigError: A view without ttl (the leak check rebuilds as far back as values may be used), created timestamp
            column or key; an array feature without its length, or of something else than Float64 or Float32.
    """
    declared = tuple(item for item in definitions(pipeline, settings) if isinstance(item, FeatureView))
    for item in declared:
        if item.ttl and item.ttl < timedelta(0):
            raise ConfigError(
                f"{place(pipeline, settings, item.name)}: feature view {item.name!r} has the ttl {item.ttl}: no value "
                "would ever be young enough"
            )
        if not item.ttl or item.batch_source is None or not item.batch_source.created_timestamp_column:
            raise ConfigError(
                f"{place(pipeline, settings, item.name)}: feature view {item.name!r} needs a ttl and a "
                "created_timestamp_column"
            )
        if not item.entity_columns:
            raise ConfigError(
                f"{place(pipeline, settings, item.name)}: the schema of feature view {item.name!r} lacks its key "
                f"{item.entities}"
            )
        for field in item.features:
            try:
                array_feature(item.name, field)
            except ConfigError as error:
                raise ConfigError(f"{place(pipeline, settings, field.name, item.name)}: {error}") from error
    return declared


def place(pipeline: Pipeline, settings: Settings, *names: str) -> str:
    """`<path of feature_repo/NAME.py>:<line>` of the first of the names that stands in it as a text."""
    path = settings.feature_repo_dir / f"{pipeline.name}.py"
    return f"{path}:{python_lines.line_naming(path, *names)}"


def view_arrays(view: FeatureView) -> tuple[ArrayFeature, ...]:
    """The array features among a view's fields.

    Raises:
        ConfigError: One has no length, or other elements than Float64 or Float32.
    """
    return tuple(array for field in view.features if (array := array_feature(view.name, field)))


def view_keys(pipeline: Pipeline, settings: Settings) -> dict[str, tuple[str, ...]]:
    """View name -> its key columns."""
    return {item.name: tuple(column.name for column in item.entity_columns) for item in views(pipeline, settings)}


def view_types(view: FeatureView) -> dict[str, pa.DataType]:
    """The Arrow type of each feature as it is declared: float for Float32, list<double> for Array(Float64)."""
    return {field.name: from_feast_to_pyarrow_type(field.dtype) for field in view.features}
