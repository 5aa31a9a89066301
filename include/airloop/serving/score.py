"""score: the champion in force at the window's start predicts the window, before its outcomes are known."""

import logging
from dataclasses import dataclass
from typing import Literal

import pandas as pd
import pyarrow as pa

from airloop.config import Pipeline
from airloop.deployment import Deployment
from airloop.errors import GuardRefused
from airloop.features import examples, feature_store, sections
from airloop.models import model_version, own_features, prediction_tables, recorded_digest
from airloop.models.model_version import ModelVersion
from airloop.problems import PREDICTION, task_of
from airloop.records import Record, Scored, Window
from airloop.settings import Settings
from airloop.stores import lake, ledger, ledger_witness, tables_read
from airloop.stores.append_once import append_once
from airloop.stores.mlflow import registry
from airloop.stores.tables_read import TablesRead

logger = logging.getLogger(__name__)

Mode = Literal["live", "backtest"]
CHAMPION_ROLE = "champion"


@dataclass(frozen=True)
class ModelAndTables(Record):
    """What scoring depends on.

    Attributes:
        version: Who scores; None without a champion in force.
        tables: What the window holds of the feature tables, by view, and of the clean rows that make its examples, by
            `clean/<feed>`; of all clean rows where the version scores by features of its own, computed from them.
    """

    version: int | None
    tables: TablesRead


def inputs(at: Deployment, window: Window, *, mode: Mode = "live") -> ModelAndTables:
    """The model, and what it predicts from."""
    pipeline, settings = at.pipeline, at.settings
    views = sections.view_names(pipeline, settings)
    uris = {view: lake.table_uri(settings, pipeline.name, "features", view) for view in views}
    version = serving_version(pipeline, window, settings, mode=mode)
    for name in _clean_read(pipeline, version, settings):
        uris[f"clean/{name}"] = lake.table_uri(settings, pipeline.name, "clean", name)
    return ModelAndTables(version, tables_read.look_at(uris, settings, window=window))


def _clean_read(pipeline: Pipeline, version: int | None, settings: Settings) -> list[str]:
    """The feeds of the examples; those of pinned features too where today's feature tables do not fit."""
    known = registry.fingerprint_tag(settings, pipeline.name, version) if version else ""
    if not known or known == feature_store.fingerprint_like(known, pipeline, settings):
        return list(examples.feeds_read(pipeline, settings))
    return [name for name, feed in pipeline.feeds.items() if not feed.outcome]


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
    ledger_witness.refuse_forgotten(settings, pipeline.name)
    return history.champion(None if mode == "backtest" else window.start)


def score(at: Deployment, window: Window, reads: ModelAndTables, *, mode: Mode = "live") -> Scored:
    """Predict every example whose decision time lies in the window; append what was not predicted before.

    Without a champion in force nothing is scored: an outcome (rows 0), not an error.

    Raises:
        GuardRefused: The model was trained with a cutoff after the window's start and the mode is not `backtest`, or
            its features' definitions have changed since it was trained and cannot be computed as they were then, or it
            predicts what is not a prediction of the task.
        UpstreamUnavailable: The window's features are not built and validated.
    """
    pipeline, settings, version = at.pipeline, at.settings, reads.version
    if version is None:
        return Scored(window=window, version=0, role=CHAMPION_ROLE, mode=mode, rows=0, appended=0, table_version=-1)
    model = model_version.load_serving(pipeline, version, settings)
    recorded_digest.record_digest(pipeline, model, settings)
    refuse_future(model, window, mode=mode)
    unfit = model.unfit_for(pipeline, settings)
    with reads.tables.as_they_stood():
        if unfit:
            frame = _pinned_frame(pipeline, window, model, unfit[0], settings)
        else:
            frame = examples.feature_frame(pipeline, window, settings, with_labels=False)
    rows = _rows(pipeline, frame, model=model, mode=mode, window=window)
    appended, table_version = _append(pipeline, rows, window, settings)
    return Scored(
        window=window,
        version=version,
        role=CHAMPION_ROLE,
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
            "role": pa.array([CHAMPION_ROLE] * count, pa.string()),
            "mode": pa.array([mode] * count, pa.string()),
            PREDICTION: task.to_arrow(predicted),
            "window_start": pa.array([window.start] * count, lake.INSTANT),
        }
    )


def _append(pipeline: Pipeline, rows: pa.Table, window: Window, settings: Settings) -> tuple[int, int]:
    uri = predictions_uri(pipeline, settings)
    table = prediction_tables.opened(uri, pipeline, settings)
    if not rows.num_rows:
        return 0, table.version() if table else -1
    key = (pipeline.prediction.entity_key, "decision_time", "model_version", "role", "mode")
    return append_once(uri, rows, settings, time_column="decision_time", key=key, window=window)
