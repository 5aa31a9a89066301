"""The pipeline's Feast store, with its definitions applied."""

import copy
import json
import string
from collections.abc import Iterator
from contextlib import contextmanager

import yaml
from feast import FeatureStore, RepoConfig
from sqlalchemy.engine import make_url

from airloop.config import Pipeline
from airloop.errors import UpstreamUnavailable
from airloop.feast_stores import sqlite_files
from airloop.features import feast_registry
from airloop.features.feature_store.definitions import definitions
from airloop.settings import Settings


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
        online_is_there = sqlite_files.make_missing(settings.feast_registry_url, settings.online_store)
        store = FeatureStore(config=RepoConfig(**yaml.safe_load(filled), repo_path=settings.feature_repo_dir))
        if not (online_is_there and feast_registry.is_applied(store, digest)):
            # Feast completes what it applies; the fingerprint is of what was declared.
            store.apply(copy.deepcopy(list(declared)))
            feast_registry.remember_applied(store, digest)
    return store
