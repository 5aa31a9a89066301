"""The pipeline's Feast store, with its definitions applied."""

import copy
import json
import string
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import yaml
from feast import FeatureStore, RepoConfig
from sqlalchemy.engine import make_url

from airloop.config import Pipeline, text_file
from airloop.errors import ConfigError, UpstreamUnavailable
from airloop.feast_stores import sqlite_files
from airloop.features import feast_registry
from airloop.features.feature_store.definitions import definitions
from airloop.settings import Settings

_FILE = "feature_store.yaml"
_AS_WRITTEN = "compare it with the one that `airloop init` writes"
_SHOWN_CHARACTERS = 300


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
        first_line = str(getattr(error, "orig", None) or error).strip().splitlines()[:1]
        raise UpstreamUnavailable(
            f"Feast's registry {make_url(settings.feast_registry_url)!r} or its online store "
            f"({settings.online_store.get('type')}): {' '.join(first_line)}"
        ) from error


def stores(pipeline: Pipeline, settings: Settings) -> dict[str, Any]:
    """What feature_repo/feature_store.yaml says, its variables filled from the settings.

    Raises:
        ConfigError: It is missing, names a variable that airloop does not fill, or is not a YAML mapping.
    """
    path = settings.feature_repo_dir / _FILE
    known = {
        "AIRLOOP_PIPELINE": pipeline.name,
        "AIRLOOP_FEAST_REGISTRY_URL": settings.feast_registry_url,
        "AIRLOOP_LAKE_URI": settings.lake_uri,
        "AIRLOOP_ONLINE_STORE": json.dumps(settings.online_store),
    }
    try:
        declared = yaml.safe_load(string.Template(text_file.read(path)).substitute(known))
    except KeyError as error:
        raise ConfigError(f"{path}: ${{{error.args[0]}}} is not filled (filled: {', '.join(known)})") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: {' '.join(str(error).split())}") from error
    if not isinstance(declared, dict):
        raise ConfigError(f"{path}: is empty or not a mapping; {_AS_WRITTEN}")
    return declared


def _config(pipeline: Pipeline, settings: Settings) -> RepoConfig:
    declared = stores(pipeline, settings)
    try:
        config = RepoConfig(**declared, repo_path=settings.feature_repo_dir)
        # Each is read, and its class imported, when it is asked for.
        _ = (config.registry, config.offline_store, config.online_store, config.batch_engine)
    except Exception as error:  # Feast's own, pydantic's, or what importing a store raises
        says = " ".join(f"{type(error).__name__}: {error}".split())[:_SHOWN_CHARACTERS]
        raise ConfigError(f"{settings.feature_repo_dir / _FILE}: {says}; {_AS_WRITTEN}") from error
    return config


def open_store(pipeline: Pipeline, settings: Settings) -> FeatureStore:
    """The pipeline's store with its definitions applied, once each; one Feast project per pipeline.

    Raises:
        ConfigError: feature_store.yaml cannot be read, or Feast does not take it; see definitions, too.
        UpstreamUnavailable: The registry does not answer.
    """
    config = _config(pipeline, settings)
    declared = definitions(pipeline, settings)
    digest = feast_registry.definitions_digest(declared)
    with answering(settings):
        settings.home.mkdir(parents=True, exist_ok=True)
        online_is_there = sqlite_files.make_missing(settings.feast_registry_url, settings.online_store)
        store = FeatureStore(config=config)
        # Unless it is said, Feast imports the drivers of all its stores at the first read, to see which reads versions.
        store._get_provider().online_store._versioned_read_supported = False
        if not (online_is_there and feast_registry.is_applied(store, digest)):
            # Feast completes what it applies; the fingerprint is of what was declared.
            store.apply(copy.deepcopy(list(declared)))
            feast_registry.remember_applied(store, digest)
    return store
