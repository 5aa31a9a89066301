"""Whether `serving` of a declaration fits the pipeline's views and feeds: `airloop pipelines check` asks."""

from airloop.config import Pipeline
from airloop.config.nearest import nearest
from airloop.errors import ConfigError
from airloop.features import feature_store
from airloop.serving.freshness import refuse_unknown
from airloop.serving.inputs import read_inputs
from airloop.settings import Settings


def check(pipeline: Pipeline, settings: Settings) -> None:
    """Refuse what the prediction service would refuse once it loads a champion.

    Raises:
        ConfigError: `freshness` names a view or feature there is not, or a default of another kind; `feedback` names no
            outcome feed.
    """
    names, wanted = pipeline.outcome_feeds, pipeline.serving.feedback
    if wanted is not None and wanted not in names:
        says = f"{pipeline.name}/pipeline.yaml: serving.feedback: no outcome feed {wanted!r}{nearest(wanted, names)}"
        raise ConfigError(f"{says} (outcome feeds: {', '.join(names) or 'none'})")
    inputs = read_inputs(pipeline, feature_store.feature_names(pipeline, settings), settings)
    refuse_unknown(pipeline, feature_store.view_features(pipeline, settings), inputs)
