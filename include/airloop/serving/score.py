"""score: the champion in force at the window's start predicts the window, before its outcomes are known."""

import logging
from collections.abc import Mapping
from typing import Any, Literal

import pandas as pd
import pyarrow as pa

from airloop.config import Pipeline
from airloop.errors import GuardRefused
from airloop.features import examples, feature_store, sections
from airloop.models import model_version, own_features, recorded_digest
from airloop.models.model_version import ModelVersion
from airloop.problems import PREDICTION, task_of
from airloop.records import Scored, Window
from airloop.settings import Settings
from airloop.stores import lake, ledger
from airloop.stores.append_once import append_once
from airloop.stores.mlflow import registry

logger = logging.getLogger(__name__)

Mode = Literal["live", "backtest"]
CHAMPION = "champion"


def inputs(
    pipeline: Pipeline, window: Window, _upstream: Any, settings: Settings, *, mode: Mode = "live"
) -> dict[str, Any]:
    """Scoring depends on the model and on what the feature tables hold of the window."""
    views = {view: predictions_source(pipeline, view, settings) for view in sections.view_names(pipeline, settings)}
    tables = {view: lake.files_digest(uri, settings, window=window) for view, uri in views.items()}
    version = serving_version(pipeline, window, settings, mode=mode)
    return {"tables": tables, "version": version, **_clean_rows(pipeline, window, version, settings)}


def _clean_rows(pipeline: Pipeline, window: Window, version: int | None, settings: Settings) -> dict[str, Any]:
    """What scoring by pinned features depends on instead of today's feature tables; nothing where those fit."""
    known = registry.fingerprint_tag(settings, pipeline.name, version) if version else ""
    if not known or known == feature_store.fingerprint_like(known, pipeline, settings):
        return {}
    uris = {
        name: lake.table_uri(settings, pipeline.name, "clean", name)
        for name, feed in pipeline.feeds.items()
        if not feed.outcome
    }
    return {"clean": {name: lake.files_digest(uri, settings, window=window) for name, uri in uris.items()}}


def predictions_source(pipeline: Pipeline, view: str, settings: Settings) -> str:
    """The lake table behind a view."""
    return lake.table_uri(settings, pipeline.name, "features", view)


def predictions_uri(pipeline: Pipeline, settings: Settings) -> str:
    """The table of predictions.

    Columns: entity key, decision_time (UTC us), model_version (int64), role (`champion`), mode (`live` or `backtest`),
    prediction (float64; a list of K float64 for K classes, see airloop.problems), window_start (UTC us). Unique by
    entity key, decision_time, model_version, role, mode.
    """
    return lake.table_uri(settings, pipeline.name, "predictions", "predictions")


def serving_version(pipeline: Pipeline, window: Window, settings: Settings, *, mode: Mode) -> int | None:
    """The version that scores: in force at window.start by the ledger; for a backtest the newest champion."""
    history = ledger.intact_history(settings, pipeline.name)
    return history.champion(None if mode == "backtest" else window.start)


def score(
    pipeline: Pipeline,
    window: Window,
    _upstream: Any,
    settings: Settings,
    *,
    mode: Mode = "live",
    reads: Mapping[str, Any] | None = None,
) -> Scored:
    """Predict every example whose decision time lies in the window; append what was not predicted before.

    Without a champion in force nothing is scored: an outcome (rows 0), not an error.

    Raises:
        GuardRefused: The model was trained with a cutoff after the window's start and the mode is not `backtest`, or
            its features' definitions have changed since it was trained and cannot be computed as they were then, or it
            predicts what is not a prediction of the task.
        UpstreamUnavailable: The window's features are not built and validated.
    """
    version = serving_version(pipeline, window, settings, mode=mode) if reads is None else reads["version"]
    if version is None:
        return Scored(window=window, version=0, role=CHAMPION, mode=mode, rows=0, appended=0, table_version=-1)
    model = model_version.load_serving(pipeline, version, settings)
    recorded_digest.record_digest(pipeline, model, settings)
    refuse_future(model, window, mode=mode)
    unfit = model.unfit_for(pipeline, settings)
    if unfit:
        frame = _pinned_frame(pipeline, window, model, unfit[0], settings)
    else:
        frame = examples.feature_frame(pipeline, window, settings, with_labels=False)
    rows = _rows(pipeline, frame, model=model, mode=mode, window=window)
    appended, table_version = _append(pipeline, rows, window, settings)
    return Scored(
        window=window,
        version=version,
        role=CHAMPION,
        mode=mode,
        rows=len(frame),
        appended=appended,
        table_version=table_version,
        by_pinned_features=bool(unfit),
    )


def _pinned_frame(
    pipeline: Pipeline, window: Window, model: ModelVersion, unfit: str, settings: Settings
) -> pd.DataFrame:
    """The features as the model's training had them, computed from what the lake has."""
    frame = own_features.frame(pipeline, window, model, unfit, settings)
    logger.warning(
        "%s %s: %s: scored by its own, on clean rows; train a model on today's", pipeline.name, window, unfit
    )
    return frame


def refuse_future(model: ModelVersion, window: Window, *, mode: Mode) -> None:
    """Refuse a model that could have seen the window.

    Raises:
        GuardRefused: See score.
    """
    cutoff = model.snapshot.cutoff
    if mode != "backtest" and cutoff > window.start:
        raise GuardRefused(
            f"version {model.version} was trained up to {cutoff:%Y-%m-%dT%H:%MZ}, after {window} starts: "
            f"its scores would look better than they are; use mode=backtest, whose rows never enter live metrics"
        )


def _rows(pipeline: Pipeline, frame: pd.DataFrame, *, model: ModelVersion, mode: Mode, window: Window) -> pa.Table:
    key, count, task = pipeline.prediction.entity_key, len(frame), task_of(pipeline)
    try:
        predicted = model.predict(pipeline, frame)
    except GuardRefused as error:
        raise GuardRefused(f"{window}: {error}: nothing is written") from error
    return pa.table(
        {
            key: pa.array(frame[key], pa.string()),
            "decision_time": pa.array(frame["decision_time"], lake.INSTANT),
            "model_version": pa.array([model.version] * count, pa.int64()),
            "role": pa.array([CHAMPION] * count, pa.string()),
            "mode": pa.array([mode] * count, pa.string()),
            PREDICTION: task.to_arrow(predicted),
            "window_start": pa.array([window.start] * count, lake.INSTANT),
        }
    )


def _append(pipeline: Pipeline, rows: pa.Table, window: Window, settings: Settings) -> tuple[int, int]:
    uri = predictions_uri(pipeline, settings)
    if not rows.num_rows:
        table = lake.open_table(uri, settings)
        return 0, table.version() if table else -1
    key = (pipeline.prediction.entity_key, "decision_time", "model_version", "role", "mode")
    return append_once(uri, rows, settings, time_column="decision_time", key=key, window=window)
