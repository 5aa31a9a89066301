"""A digest of what the features of the declared service mean."""

import hashlib
import json
from collections.abc import Callable

from airloop.config import Pipeline
from airloop.features import sections, sql_text, transforms
from airloop.features.feature_store.definitions import views
from airloop.features.feature_store.service import declared_service, view_features
from airloop.features.old_fingerprints import FORM, has_old_form, old_text
from airloop.settings import Settings


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
        for p in declared_service(pipeline, settings).feature_view_projections
    ]
    written = sections.feature_sections(pipeline, settings)
    queries: list[tuple[str, str | tuple[str, ...]]] = [(item.name, text(item.sql)) for item in written]
    through = [f"{item.name} through {item.through}" for item in written if item.through]
    queries += [(name, transforms.source(pipeline, settings)) for name in through]
    return hashlib.sha256(json.dumps([parts, names, queries]).encode()).hexdigest()
