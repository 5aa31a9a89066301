"""What a person is shown about a prediction, and the form it answers in."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pyarrow.dataset as ds

from airloop.config import Pipeline
from airloop.data import quarantine
from airloop.records import Window
from airloop.serving.outcomes import outcome_feed
from airloop.settings import Settings
from airloop.stores import lake

_BINARY = ["0", "1"]


def form_fields(pipeline: Pipeline) -> list[dict[str, Any]]:
    """The outcome feed's columns that say what came: those that neither key nor time give.

    Raises:
        Refused: There is no outcome feed to land in.
    """
    _, feed = outcome_feed(pipeline)
    known = {pipeline.prediction.entity_key, feed.event_time, feed.known_at}
    return [
        {"name": name, "kind": kind, **_choices(pipeline, kind)}
        for name, kind in feed.columns.items()
        if name not in known
    ]


def _choices(pipeline: Pipeline, kind: str) -> dict[str, Any]:
    if kind == "boolean":
        return {"choices": ["true", "false"]}
    if kind == "string" and pipeline.prediction.classes:
        return {"choices": list(pipeline.prediction.classes)}
    if kind == "integer" and pipeline.prediction.task == "binary":
        return {"choices": _BINARY}
    return {}


def rows_about(
    pipeline: Pipeline, entities: Sequence[str], window: Window, settings: Settings
) -> dict[str, dict[str, dict[str, str | None]]]:
    """Entity -> feed -> its newest row about it, as texts; of the feeds that have the entity's key, outcomes apart."""
    key, by_entity = pipeline.prediction.entity_key, dict[str, dict[str, dict[str, str | None]]]()
    lookback = timedelta(days=pipeline.features.lookback_days)
    for name, feed in pipeline.feeds.items():
        uri = lake.table_uri(settings, pipeline.name, "clean", name)
        if feed.outcome or key not in feed.columns or not entities or lake.open_table(uri, settings) is None:
            continue
        where = ds.field(key).isin(list(dict.fromkeys(entities)))
        if feed.event_time is not None:
            # What is predicted may be about a time after the decision.
            where &= lake.between(feed.event_time, Window(window.start - lookback, window.end + lookback))
        for row in lake.read(uri, settings, where=where).sort_by("known_at").to_pylist():
            by_entity.setdefault(str(row[key]), {})[name] = quarantine.as_landed(feed, row)
    return by_entity
