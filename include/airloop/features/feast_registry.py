"""What Feast's registry holds of a pipeline, kept small: applied once per definition, spans merged.

Feast rewrites every view at each `apply` of a materialized one, because its equality counts the spans materialized
so far, and keeps one span per materialization for ever: after a year of hours, seconds at every opening.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from importlib import metadata
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:  # else Feast would be imported before its boot
    from feast import FeatureStore

_APPLIED = "airloop_definitions"
"""Metadata of the Feast project: the digest of the definitions applied last."""


def definitions_digest(declared: Sequence[Any]) -> str:
    """SHA-256 of entities, views and services as they are declared, and of Feast's version, which reads them."""
    specs = [["feast", metadata.version("feast")]]
    for item in declared:
        proto = item.to_proto()
        for source in ("batch_source", "stream_source"):
            if hasattr(proto.spec, source) and proto.spec.HasField(source):
                getattr(proto.spec, source).ClearField("meta")  # the time at which this process made the object
        specs.append([type(item).__name__, proto.spec.SerializeToString(deterministic=True).hex()])
    return hashlib.sha256(json.dumps(sorted(specs)).encode()).hexdigest()


def is_applied(store: "FeatureStore", digest: str) -> bool:
    """Whether the registry holds exactly these definitions as the ones applied last."""
    return bool(store.registry.get_project_metadata(store.project, _APPLIED) == digest)


def remember_applied(store: "FeatureStore", digest: str) -> None:
    """Note that these definitions were applied; killed before, they are applied once more."""
    # The first of two that note something at once inserts it, and the database refuses the second.
    with suppress(sa.exc.IntegrityError):
        store.registry.set_project_metadata(store.project, _APPLIED, digest)


def merge_spans(store: "FeatureStore", views: Iterable[str]) -> None:
    """Put the spans each view was materialized over together where they touch or overlap."""
    for name in views:
        view = store.registry.get_feature_view(name, store.project, allow_cache=False)
        merged = touching(view.materialization_intervals)
        if len(merged) < len(view.materialization_intervals):
            view.materialization_intervals = merged
            store.registry.apply_feature_view(view, store.project)


def touching(spans: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """The union of half-open spans as few, in time order."""
    merged: list[tuple[datetime, datetime]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
