"""Whether `serving` of a declaration fits the pipeline's views and feeds: `airloop pipelines check` asks."""

from airloop.config import Pipeline
from airloop.config.nearest import nearest
from airloop.errors import ConfigError
from airloop.features import feature_store, online_views
from airloop.serving.freshness import refuse_unknown
from airloop.serving.inputs import read_inputs
from airloop.settings import Settings


def check(pipeline: Pipeline, settings: Settings) -> None:
    """Refuse what the prediction service would refuse once it loads a champion.

    Raises:
        ConfigError: `freshness` names a view or feature there is not, or a default of another kind; `feedback` names no
            outcome feed; `canary.by` names no key.
    """
    names, feed = pipeline.outcome_feeds, pipeline.serving.feedback
    if feed is not None and feed not in names:
        says = f"{pipeline.name}/pipeline.yaml: serving.feedback: no outcome feed {feed!r}{nearest(feed, names)}"
        raise ConfigError(f"{says} (outcome feeds: {', '.join(names) or 'none'})")
    _check_canary(pipeline, settings)
    inputs = read_inputs(pipeline, feature_store.feature_names(pipeline, settings), settings)
    refuse_unknown(pipeline, feature_store.view_features(pipeline, settings), inputs)


def _check_canary(pipeline: Pipeline, settings: Settings) -> None:
    canary = pipeline.serving.canary
    if canary is None or canary.by is None:
        return
    views = online_views.online_views(pipeline, settings)
    keys = dict.fromkeys(
        [pipeline.prediction.entity_key, *(view.asked_as[name] for view in views for name in view.keys)]
    )
    if canary.by not in keys:
        says = f"{pipeline.name}/pipeline.yaml: serving.canary.by: no key {canary.by!r}{nearest(canary.by, keys)}"
        raise ConfigError(f"{says} (keys of a request: {', '.join(keys)})")
