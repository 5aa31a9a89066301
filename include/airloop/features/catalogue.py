"""The feature catalogue: what Feast's registry knows of a pipeline, as a file that can be read without Feast.

Importing Feast takes seconds and 150 MB, too much for a page of the API server. So whoever has the registry open
(materialize) writes down what it holds.
"""

import json
from typing import TYPE_CHECKING, Any

import fsspec

from airloop import reports
from airloop.errors import UpstreamUnavailable
from airloop.settings import Settings

if TYPE_CHECKING:
    from feast import Entity, FeatureService, FeatureStore, FeatureView


def publish(store: "FeatureStore", pipeline: str, settings: Settings) -> None:
    """Write `<reports>/<pipeline>/catalogue.json`, whole or not at all; the same registry writes the same bytes.

    Raises:
        UpstreamUnavailable: The reports cannot be written.
    """
    text = json.dumps(describe(store), indent=1, sort_keys=True) + "\n"
    reports.publish(_uri(pipeline, settings), text, settings)


def read(pipeline: str, settings: Settings) -> dict[str, Any] | None:
    """What `describe` returned when the pipeline was last materialized; None before.

    Raises:
        UpstreamUnavailable: The reports do not answer.
    """
    try:
        with fsspec.open(_uri(pipeline, settings), "r", encoding="utf-8", **settings.storage_options) as stream:
            content: dict[str, Any] = json.load(stream)
            return content
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UpstreamUnavailable(f"the catalogue of {pipeline} cannot be read: {error}") from error


def describe(store: "FeatureStore") -> dict[str, Any]:
    """Entities, views and services of the store's project, each by name; instants in ISO, ttl in seconds."""
    return {
        "entities": [_entity(item) for item in sorted(store.list_entities(), key=lambda item: item.name)],
        "views": [_view(item) for item in sorted(store.list_feature_views(), key=lambda item: item.name)],
        "services": [_service(item) for item in sorted(store.list_feature_services(), key=lambda item: item.name)],
    }


def _entity(entity: "Entity") -> dict[str, Any]:
    return {
        "name": entity.name,
        "key": entity.join_key,
        "type": entity.value_type.name.lower(),
        "owner": entity.owner,
        "description": entity.description,
    }


def _view(view: "FeatureView") -> dict[str, Any]:
    ends = [end for _, end in view.materialization_intervals]
    return {
        "name": view.name,
        "entities": list(view.entities),
        "keys": [column.name for column in view.entity_columns],
        "owner": view.owner,
        "description": view.description,
        "tags": dict(view.tags),
        "ttl_seconds": view.ttl.total_seconds() if view.ttl else None,
        "source": {"name": view.batch_source.name, "path": view.batch_source.path},
        "online_until": max(ends).isoformat() if ends else None,
        "features": [
            {"name": field.name, "type": str(field.dtype), "description": field.description} for field in view.features
        ],
    }


def _service(service: "FeatureService") -> dict[str, Any]:
    return {
        "name": service.name,
        "owner": service.owner,
        "description": service.description,
        "features": {
            projection.name: [field.name for field in projection.features]
            for projection in service.feature_view_projections
        },
    }


def _uri(pipeline: str, settings: Settings) -> str:
    return f"{settings.reports_uri}/{pipeline}/catalogue.json"
