"""Feast, used through its extension points: the pipeline's definitions, its store, and a fingerprint of both."""

import copy
import hashlib
import json
import runpy
import string
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml
from sqlalchemy.engine import make_url

from airloop.config import Pipeline
from airloop.config.nearest import nearest
from airloop.errors import ConfigError, UpstreamUnavailable
from airloop.feast_stores import feast_boot
from airloop.features import feast_registry, python_lines, sections, sql_text, transforms
from airloop.features.arrays import ArrayFeature, array_feature
from airloop.features.old_fingerprints import FORM, has_old_form, old_text
from airloop.private_files import create_private, sqlite_file
from airloop.settings import Settings

feast_boot.neutralise_typeguard()

from feast import Entity, FeatureService, FeatureStore, FeatureView, RepoConfig  # noqa: E402 (after the boot)
from feast.types import from_feast_to_pyarrow_type  # noqa: E402


@cache
def _definitions(path: Path, _text: str) -> tuple[Any, ...]:
    try:
        # Not imported: byte code is found by second and size, so an edit of the same length could be missed.
        found = runpy.run_path(str(path), run_name=f"feature_repo_{path.stem}")
    except (Exception, SystemExit) as error:
        line = python_lines.line_of(error, path)
        raise ConfigError(f"{path}:{line}: cannot be loaded: {python_lines.brief(error)}") from error
    kinds = (Entity, FeatureView, FeatureService)
    return tuple(value for value in found.values() if isinstance(value, kinds))


def definitions(pipeline: Pipeline, settings: Settings) -> tuple[Any, ...]:
    """Entities, views and services of feature_repo/<pipeline>.py.

    Raises:
        ConfigError: The file is missing, does not run, or has no service of the declared name.
    """
    path = settings.feature_repo_dir / f"{pipeline.name}.py"
    if not path.is_file():
        raise ConfigError(f"{path}: missing; it tells Feast the entities, views and services of {pipeline.name}")
    found = _definitions(path, path.read_text(encoding="utf-8"))
    services = [item.name for item in found if isinstance(item, FeatureService)]
    if pipeline.features.service not in services:
        line = python_lines.line_naming(path, *services)
        raise ConfigError(
            f"{path}:{line}: no feature service {pipeline.features.service!r}"
            f"{nearest(pipeline.features.service, services)} (services: {services}); features.service of pipeline.yaml "
            "names it"
        )
    return found


def views(pipeline: Pipeline, settings: Settings) -> tuple[FeatureView, ...]:
    """The feature views; each needs a ttl, a created_timestamp_column, and its key among the fields of its schema.

    Raises:
        ConfigError: A view without ttl (the leak check rebuilds as far back as values may be used), created timestamp
            column or key; an array feature without its length, or of something else than Float64 or Float32.
    """
    found = tuple(item for item in definitions(pipeline, settings) if isinstance(item, FeatureView))
    for item in found:
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
    return found


def place(pipeline: Pipeline, settings: Settings, *names: str) -> str:
    """`<path of feature_repo/NAME.py>:<line>` of the first of the names that stands in it as a text."""
    path = settings.feature_repo_dir / f"{pipeline.name}.py"
    return f"{path}:{python_lines.line_naming(path, *names)}"


def view_arrays(view: FeatureView) -> tuple[ArrayFeature, ...]:
    """The array features among a view's fields.

    Raises:
        ConfigError: One has no length, or other elements than Float64 or Float32.
    """
    return tuple(found for field in view.features if (found := array_feature(view.name, field)))


def view_keys(pipeline: Pipeline, settings: Settings) -> dict[str, tuple[str, ...]]:
    """View name -> its key columns."""
    return {item.name: tuple(column.name for column in item.entity_columns) for item in views(pipeline, settings)}


def view_features(pipeline: Pipeline, settings: Settings) -> dict[str, tuple[str, ...]]:
    """View name -> its features as the declared service projects them, in order."""
    return {
        projection.name: tuple(field.name for field in projection.features)
        for projection in _service(pipeline, settings).feature_view_projections
    }


def key_names(pipeline: Pipeline, settings: Settings) -> dict[str, dict[str, str]]:
    """View name -> key column -> the name that the service asks for it by, of those that it renames."""
    projections = _service(pipeline, settings).feature_view_projections
    return {projection.name: dict(projection.join_key_map or {}) for projection in projections}


def view_types(view: FeatureView) -> dict[str, pa.DataType]:
    """The Arrow type of each feature as it is declared: float for Float32, list<double> for Array(Float64)."""
    return {field.name: from_feast_to_pyarrow_type(field.dtype) for field in view.features}


def array_features(pipeline: Pipeline, settings: Settings) -> dict[str, ArrayFeature]:
    """The array features among those that the service projects, by name."""
    return {
        field.name: found
        for projection in _service(pipeline, settings).feature_view_projections
        for field in projection.features
        if (found := array_feature(projection.name, field))
    }


def feature_names(pipeline: Pipeline, settings: Settings) -> tuple[str, ...]:
    """The service's features in the order models take them; an array is as many features as it has elements.

    Raises:
        ConfigError: Two have the same name.
    """
    arrays = array_features(pipeline, settings)
    projected = [name for names in view_features(pipeline, settings).values() for name in names]
    names = tuple(flat for name in projected for flat in (arrays[name].columns if name in arrays else (name,)))
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise ConfigError(
            f"{place(pipeline, settings, twice[0], pipeline.features.service)}: feature service "
            f"{pipeline.features.service!r}: two features are named {twice[0]!r}; "
            "an array's elements are named like the array with _0, _1, ... behind it"
        )
    return names


def ignored_in_drift(pipeline: Pipeline, settings: Settings) -> tuple[str, ...]:
    """The features that features.ignore_drift names; an array's own name stands for all its elements.

    Raises:
        ConfigError: The service has no such feature.
    """
    arrays, names = array_features(pipeline, settings), feature_names(pipeline, settings)
    known = [*arrays, *names]
    for name in pipeline.features.ignore_drift:
        if name not in known:
            near = nearest(name, known)
            raise ConfigError(
                f"{pipeline.name}/pipeline.yaml: features.ignore_drift names {name!r}, which "
                f"{pipeline.features.service} lacks{near}"
            )
    ignored = pipeline.features.ignore_drift
    return tuple(flat for name in ignored for flat in (arrays[name].columns if name in arrays else (name,)))


def categorical_features(pipeline: Pipeline, settings: Settings) -> frozenset[str]:
    """The features that the service projects as text or flags; all others are numbers, whatever they look like."""
    fields = (
        field for projection in _service(pipeline, settings).feature_view_projections for field in projection.features
    )
    kinds = {field.name: from_feast_to_pyarrow_type(field.dtype) for field in fields}
    return frozenset(name for name, kind in kinds.items() if pa.types.is_string(kind) or pa.types.is_boolean(kind))


def _service(pipeline: Pipeline, settings: Settings) -> FeatureService:
    wanted = pipeline.features.service
    found = definitions(pipeline, settings)
    return next(item for item in found if isinstance(item, FeatureService) and item.name == wanted)


def fingerprint(pipeline: Pipeline, settings: Settings) -> str:
    """SHA-256 over what the service's features mean: views' specs without prose, projected names and types, their SQL.

    Stable across store objects, re-apply and materialization; changes with schema, ttl, source, query, and any code of
    transforms.py when a query goes through it (a docstring is code, a comment is not). Of a query count the tokens:
    comments and white space outside literals change nothing, every literal does.
    """
    return FORM + _digest(pipeline, settings, sql_text.tokens)


def fingerprint_like(stored: str, pipeline: Pipeline, settings: Settings) -> str:
    """The fingerprint of today's definitions in the form that a version's stored one has: equal means the same."""
    if has_old_form(stored):
        return _digest(pipeline, settings, old_text)
    return fingerprint(pipeline, settings)


def _digest(pipeline: Pipeline, settings: Settings, text: Callable[[str], str | tuple[str, ...]]) -> str:
    projected = set(view_features(pipeline, settings))
    parts = []
    for item in sorted(views(pipeline, settings), key=lambda view: view.name):
        if item.name in projected:
            spec = item.to_proto().spec
            for prose in ("owner", "description", "tags"):
                spec.ClearField(prose)
            spec.batch_source.ClearField("meta")  # holds the time at which this process made the object
            parts.append(spec.SerializeToString(deterministic=True).hex())
    names = [
        (p.name, [(f.name, str(f.dtype)) for f in p.features])
        for p in _service(pipeline, settings).feature_view_projections
    ]
    found = sections.feature_sections(pipeline, settings)
    queries: list[tuple[str, str | tuple[str, ...]]] = [(item.name, text(item.sql)) for item in found]
    through = [f"{item.name} through {item.through}" for item in found if item.through]
    queries += [(name, transforms.source(pipeline, settings)) for name in through]
    return hashlib.sha256(json.dumps([parts, names, queries]).encode()).hexdigest()


@contextmanager
def answering(settings: Settings) -> Iterator[None]:
    """Say in one line when the registry or the online store does not answer, or cannot be written.

    Drivers of Feast's stores share no base class but these names: PEP 249 has OperationalError, Redis the other two.

    Raises:
        UpstreamUnavailable: An OSError, or an error of such a name, was raised inside.
    """
    try:
        yield
    except Exception as error:
        names = {kind.__name__ for kind in type(error).__mro__}
        if names.isdisjoint({"OSError", "OperationalError", "ConnectionError", "TimeoutError"}):
            raise
        said = str(getattr(error, "orig", None) or error).strip().splitlines()[:1]
        raise UpstreamUnavailable(
            f"Feast's registry {make_url(settings.feast_registry_url)!r} or its online store "
            f"({settings.online_store.get('type')}): {' '.join(said)}"
        ) from error


def _create_databases(settings: Settings) -> bool:
    """Make what is missing of SQLite's files, 0600; whether the online store was there."""
    online = Path(settings.online_store["path"]) if settings.online_store.get("type") == "sqlite" else None
    was_there = online is None or online.exists()
    for path in filter(None, (sqlite_file(settings.feast_registry_url), online)):
        create_private(path)
    return was_there


def open_store(pipeline: Pipeline, settings: Settings) -> FeatureStore:
    """The pipeline's store with its definitions applied, once each; one Feast project per pipeline.

    Raises:
        UpstreamUnavailable: The registry does not answer.
    """
    text = (settings.feature_repo_dir / "feature_store.yaml").read_text(encoding="utf-8")
    filled = string.Template(text).substitute(
        AIRLOOP_PIPELINE=pipeline.name,
        AIRLOOP_FEAST_REGISTRY_URL=settings.feast_registry_url,
        AIRLOOP_LAKE_URI=settings.lake_uri,
        AIRLOOP_ONLINE_STORE=json.dumps(settings.online_store),
    )
    declared = definitions(pipeline, settings)
    digest = feast_registry.definitions_digest(declared)
    with answering(settings):
        settings.home.mkdir(parents=True, exist_ok=True)
        online_is_there = _create_databases(settings)
        store = FeatureStore(config=RepoConfig(**yaml.safe_load(filled), repo_path=settings.feature_repo_dir))
        if not (online_is_there and feast_registry.is_applied(store, digest)):
            # Feast completes what it applies; the fingerprint is of what was declared.
            store.apply(copy.deepcopy(list(declared)))
            feast_registry.remember_applied(store, digest)
    return store
