"""The features of a version as its training had them, where today's mean something else, or the way out."""

import pandas as pd

from airloop.config import Pipeline
from airloop.errors import GuardRefused
from airloop.features import pinned, validated
from airloop.models.model_version import WAY_OUT, ModelVersion
from airloop.records import Window
from airloop.settings import Settings


def frame(pipeline: Pipeline, window: Window, model: ModelVersion, unfit: str, settings: Settings) -> pd.DataFrame:
    """Entity key, decision_time and the version's own features of a window's examples, from what the lake has.

    Args:
        unfit: Why today's features are not what it learned from.

    Raises:
        GuardRefused: Its definitions were not kept, or cannot be computed any more; names the way out.
        UpstreamUnavailable: The window's data run has not finished.
    """
    out = f"restore the definitions, or {WAY_OUT}"
    if model.pinned is None:
        raise GuardRefused(f"{unfit}; its own definitions were not kept (an older airloop trained it); {out}")
    try:
        return pinned.frame(pipeline, window, model.pinned, settings)
    except GuardRefused as error:
        raise GuardRefused(f"{unfit}; its own cannot be computed: {error}; {out}") from error


def in_place_of_todays(
    pipeline: Pipeline, rows: pd.DataFrame, span: Window, model: ModelVersion, unfit: str, settings: Settings
) -> pd.DataFrame:
    """Rows of a span with the version's own features; their other columns, and their order, stay.

    Args:
        rows: Entity key, decision_time, today's features, and more.

    Raises:
        GuardRefused: See frame.
        UpstreamUnavailable: See frame.
    """
    parts = validated.spans(pipeline, span, settings) or (span,)
    own = pd.concat([frame(pipeline, part, model, unfit, settings) for part in parts], ignore_index=True)
    key = [pipeline.prediction.entity_key, "decision_time"]
    features = [name for name in own.columns if name not in key]
    others = rows.drop(columns=[name for name in features if name in rows.columns])
    return others.merge(own, on=key, how="left", validate="one_to_one")


def categories(model: ModelVersion) -> frozenset[str]:
    """Its own features that hold no numbers."""
    views = model.pinned.views if model.pinned else ()
    return frozenset(name for view in views for name, kind in view.types.items() if kind in ("string", "bool"))
