"""From when on a value of the online store is of no use to anybody: it has outlived its view's ttl.

Whoever asks about an instant of the newest materialized window, or a later one, is answered as if it were not there.
"""

from datetime import UTC, datetime

from airloop.config import Pipeline
from airloop.config.serving import ViewFreshness
from airloop.features import feature_store
from airloop.records import Materialized, Window
from airloop.settings import Settings
from airloop.stores import state


def expired_by_now(pipeline: Pipeline, settings: Settings) -> dict[str, datetime]:
    """`expired_before` of the newest window on record; empty before the first.

    Raises:
        UpstreamUnavailable: The state database does not answer.
    """
    end_of_time = datetime.max.replace(tzinfo=UTC)
    records = state.records_before(settings, pipeline.name, "materialize", end=end_of_time, limit=1)
    return expired_before(pipeline, settings, Materialized.from_json(records[0]).window) if records else {}


def expired_before(pipeline: Pipeline, settings: Settings, newest: Window) -> dict[str, datetime]:
    """View -> instant; a value known before it was too old when the newest materialized window began.

    Views whose declaration uses a stale value, or tells it from an absent one (`serving.freshness`), are left out.
    """
    rules = pipeline.serving.freshness
    return {
        view.name: newest.start - view.ttl
        for view in feature_store.views(pipeline, settings)
        if view.ttl is not None and _alike(rules.get(view.name, ViewFreshness()))
    }


def _alike(rule: ViewFreshness) -> bool:
    return rule.when_stale == "default" and rule.when_absent == "default"
