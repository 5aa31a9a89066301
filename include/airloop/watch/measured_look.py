"""The record of a look, filled in as it is measured, and what drift is measured between."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from airloop import reports
from airloop.config import Pipeline
from airloop.features import feature_store
from airloop.models import own_features
from airloop.problems import PREDICTION, task_of
from airloop.records import Monitored, Window
from airloop.settings import Settings
from airloop.watch import after_promotion, alarm_rate, drift_report, monitor_report, performance, rhythm
from airloop.watch.drift import Drift, Sides
from airloop.watch.kept_reference import KeptReference
from airloop.watch.performance import Look
from airloop.watch.scored_rows import QUALITY


def record(
    pipeline: Pipeline, window: Window, settings: Settings, *, version: int, origin: str, **measured: Any
) -> Monitored:
    """A record whose numbers are None unless given."""
    place = (pipeline.name, "monitoring")
    nothing: dict[str, Any] = {
        "rows_window": rhythm.rows_window(pipeline, window),
        "labelled_rows": 0,
        "live": performance.unmeasured(task_of(pipeline)),
        "probe": (),
        "drifted_share": None,
        "drifted_features": (),
        "prediction_psi": None,
        "calibration_gap": None,
        "quality": dict.fromkeys(QUALITY),
    }
    return Monitored(
        window=window,
        model_name=pipeline.name,
        version=version,
        origin=origin,
        report_uri=reports.report_uri(settings, *place, window=window, suffix=".html"),
        metrics_uri=reports.report_uri(settings, *place, window=window, suffix=".json"),
        **{**nothing, **measured},
    )


def measured(pipeline: Pipeline, look: Look, rows: pd.DataFrame, settings: Settings) -> Monitored:
    """The record with what is measured on rows that have both a label and a prediction."""
    judged = rows.dropna(subset=["label", PREDICTION])
    # A training would learn from today's features: a refit on the champion's own says nothing about it.
    evidence, refits = ((), ()) if look.unfit else performance.probe(pipeline, look, judged, settings)
    task = task_of(pipeline)
    return record(
        pipeline,
        look.window,
        settings,
        version=look.champion.version,
        origin=look.origin,
        rows_window=rhythm.rows_window(pipeline, look.evidence.window),
        labelled_rows=len(judged),
        live=performance.live(pipeline, judged),
        probe=evidence,
        refits=refits,
        calibration_gap=performance.calibration_gap(pipeline, judged),
        excluded=look.evidence.excluded,
        classes=task.class_names,
        confusion=performance.confusion(pipeline, judged),
        alarm_rate=alarm_rate.alarm_rate(pipeline, rows),
        by_pinned_features=bool(look.unfit),
        after_promotion=after_promotion.measure(pipeline, look.promotion, judged, settings),
    )


def with_drift(monitored: Monitored, drifted: Drift, counted: Mapping[str, float | None]) -> Monitored:
    """The record with what drift and the counts of `quality` say."""
    return replace(
        monitored,
        drifted_share=drifted.share,
        drifted_features=drifted.drifted,
        prediction_psi=drifted.prediction.score,
        quality=dict(counted),
    )


def categories(pipeline: Pipeline, look: Look, settings: Settings) -> frozenset[str]:
    """The features that hold no numbers, of those that the champion is fed."""
    today = feature_store.categorical_features
    return own_features.categories(look.champion) if look.unfit else today(pipeline, settings)


def sides(
    pipeline: Pipeline, look: Look, rows: pd.DataFrame, known: KeptReference, kinds: Collection[str]
) -> tuple[Sides, Sides]:
    """A sample of the champion's training rows beside its holdout predictions, and the window's rows beside its live.

    Args:
        kinds: See `categories`.
    """
    champion, task = look.champion, task_of(pipeline)
    held_out = champion.holdout_predictions
    before = held_out[PREDICTION] if PREDICTION in held_out else pd.Series(dtype="object")
    return (
        Sides(known.learned, task.for_drift(before), kinds, pipeline.training.text),
        Sides(rows[list(champion.features)], task.for_drift(rows[PREDICTION]), kinds, pipeline.training.text),
    )


def page(
    pipeline: Pipeline, monitored: Monitored, drifted: Drift, compared: tuple[Sides, Sides], settings: Settings
) -> str:
    """The HTML of the drift report."""
    return drift_report.page(
        drifted,
        compared,
        ignore=feature_store.ignored_in_drift(pipeline, settings),
        threshold=pipeline.monitoring.psi_threshold,
        sample_rows=pipeline.monitoring.sample_rows,
        seed=pipeline.training.seed,
        headline=monitor_report.headline(monitored, task_of(pipeline)),
    )
