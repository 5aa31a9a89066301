"""evaluate: the candidate and the champion meet the same holdout rows, each with its own preprocessing."""

import json
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, log_loss

from airloop import evidence, feature_store, ledger, tracking
from airloop.config import Pipeline
from airloop.errors import DataContractError, GuardRefused
from airloop.evaluation_plots import log_plots
from airloop.records import Evaluated, Evidence, Snapshot, TrainedModel, Window
from airloop.settings import Settings
from airloop.tracking import LoadedVersion
from airloop.training_set import labelled_part, read_snapshot


def inputs(pipeline: Pipeline, window: Window, upstream: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Besides its upstream, an evaluation depends on who is champion."""
    return {"champion": incumbent(pipeline, window, settings, version=upstream["train"].version)}


def incumbent(pipeline: Pipeline, window: Window, settings: Settings, *, version: int) -> int | None:
    """The champion at the cutoff that `version` has to beat: never itself, so that judging again judges the same."""
    done = ledger.entries(settings, pipeline.name, kind="done")
    others = [entry for entry in done if entry.effective_at <= window.end and entry.payload["version"] != version]
    newest = max(others, key=lambda entry: (entry.effective_at, entry.sequence), default=None)
    return int(newest.payload["version"]) if newest else None


def evaluate(pipeline: Pipeline, window: Window, upstream: dict[str, Any], settings: Settings) -> Evaluated:
    """Score the holdout with the registered candidate, loaded from the registry, and with the champion in force.

    What keeps the comparison from being made is listed in `problems`, and each problem makes the gate refuse: the
    feature definitions changed since the snapshot, the champion does not load, wants features the snapshot does not
    have, or was trained on rows of this holdout, or the holdout is too small or one-sided for a metric. Evidence holds
    Brier and ROC-AUC, bootstrapped over UTC days.

    Raises:
        GuardRefused: The candidate does not load.
        UpstreamUnavailable: MLflow does not answer.
    """
    snapshot: Snapshot = upstream["snapshot"]
    trained: TrainedModel = upstream["train"]
    rows = labelled_part(read_snapshot(snapshot, settings), "holdout")
    problems = _fingerprint_problems(pipeline, snapshot, settings) + _reason_problems(pipeline, snapshot, settings)
    candidate = tracking.load_version(pipeline, trained.version, settings)
    predicted = _predict(candidate, rows)
    champion_version = incumbent(pipeline, window, settings, version=trained.version)
    champion, found = _champion(pipeline, champion_version, snapshot, settings)
    problems += found
    compared: tuple[Evidence, ...] = ()
    champion_metrics: dict[str, float | None] = {}
    if champion is not None and not found:
        champion_predicted = _predict(champion, rows)
        champion_metrics = metrics(rows["label"], champion_predicted)
        compared, without = _compare(pipeline, rows, champion_predicted, predicted)
        problems += without
    values = metrics(rows["label"], predicted)
    _keep_predictions(pipeline, snapshot, trained, rows=rows, predicted=predicted, settings=settings)
    _log(trained, candidate, values, champion_metrics, compared, rows=rows, predicted=predicted)
    tracking.end_run(settings, trained.run_id)
    return Evaluated(
        model_name=trained.model_name,
        version=trained.version,
        champion_version=champion_version,
        metrics=values,
        champion_metrics=champion_metrics,
        evidence=compared,
        holdout=snapshot.holdout,
        holdout_rows=len(rows),
        cutoff=snapshot.cutoff,
        reason=snapshot.reason,
        reason_key=snapshot.reason_key,
        problems=tuple(problems),
    )


def metrics(labels: pd.Series, predicted: np.ndarray) -> dict[str, float | None]:
    """ROC-AUC, Brier, average precision, log loss, calibration gap (mean prediction - label rate), label rate.

    None where rows are too few for a metric or all of one class: the gate refuses what is missing.
    """
    two_classes = labels.nunique() == 2
    return {
        "roc_auc": _metric("roc_auc", labels, predicted),
        "brier": _metric("brier", labels, predicted),
        "average_precision": float(average_precision_score(labels, predicted)) if two_classes else None,
        "log_loss": float(log_loss(labels, predicted, labels=[0, 1])),
        "calibration_gap": float(np.mean(predicted) - labels.mean()),
        "label_rate": float(labels.mean()),
    }


def _metric(name: str, labels: pd.Series, predicted: np.ndarray) -> float | None:
    try:
        return evidence.metric_value(name, labels, predicted)
    except DataContractError:
        return None


def _predict(version: LoadedVersion, rows: pd.DataFrame) -> np.ndarray:
    return np.asarray(version.model.predict_proba(rows[list(version.features)])[:, 1])


def _fingerprint_problems(pipeline: Pipeline, snapshot: Snapshot, settings: Settings) -> list[str]:
    now = feature_store.fingerprint(pipeline, settings)
    if now == snapshot.feature_fingerprint:
        return []
    return [f"feature definitions changed since the snapshot: {snapshot.feature_fingerprint[:12]}, now {now[:12]}"]


def _reason_problems(pipeline: Pipeline, snapshot: Snapshot, settings: Settings) -> list[str]:
    """`probe` opens the milder rule of the gate, so it needs the triage decision that it claims."""
    if snapshot.reason != "probe":
        return []
    asked = ledger.entries(settings, pipeline.name, kind="triage")
    if any(entry.payload.get("reason_key") == snapshot.reason_key for entry in asked):
        return []
    return [f"reason probe, but no triage in the ledger asked for {snapshot.reason_key!r}: train by reason hand"]


def _champion(
    pipeline: Pipeline, version: int | None, snapshot: Snapshot, settings: Settings
) -> tuple[LoadedVersion | None, list[str]]:
    if version is None:
        return None, []
    try:
        champion = tracking.load_version(pipeline, version, settings)
    except GuardRefused as error:
        return None, [f"champion version {version} does not load: {error}"]
    problems = []
    missing = sorted(set(champion.features) - set(snapshot.features))
    if missing:
        problems.append(f"champion version {version} needs feature {missing[0]!r}, which the snapshot does not have")
    if champion.snapshot.train.end > snapshot.holdout.start:
        problems.append(
            f"overlapping holdout: champion version {version} was trained on rows up to "
            f"{champion.snapshot.train.end:%Y-%m-%d}, the holdout starts at {snapshot.holdout.start:%Y-%m-%d}"
        )
    return champion, problems


def _compare(
    pipeline: Pipeline, rows: pd.DataFrame, champion: np.ndarray, candidate: np.ndarray
) -> tuple[tuple[Evidence, ...], list[str]]:
    rule = pipeline.gate.compare
    days = evidence.utc_days(rows["decision_time"])
    found, problems = [], []
    for metric in ("brier", "roc_auc"):
        try:
            found.append(
                evidence.compare(
                    rows["label"],
                    champion,
                    candidate,
                    days,
                    metric=metric,
                    confidence=rule.confidence,
                    resamples=rule.resamples,
                    seed=pipeline.training.seed,
                )
            )
        except DataContractError as error:
            problems.append(f"no evidence on {metric}: {error}")
    return tuple(found), problems


def _keep_predictions(
    pipeline: Pipeline,
    snapshot: Snapshot,
    trained: TrainedModel,
    *,
    rows: pd.DataFrame,
    predicted: np.ndarray,
    settings: Settings,
) -> None:
    """Holdout predictions, the reference of later monitoring: in-sample ones are sharper than any live ones can be."""
    key = pipeline.prediction.entity_key
    frame = rows[[key, "decision_time", "label"]].assign(probability=predicted)
    uri = f"{settings.lake_uri}/{pipeline.name}/snapshots/{snapshot.digest}.holdout-v{trained.version}.parquet"
    tracking.write_parquet(frame, uri, settings)
    tracking.client(settings).set_model_version_tag(pipeline.name, str(trained.version), "airloop.holdout_uri", uri)


def _log(
    trained: TrainedModel,
    candidate: LoadedVersion,
    values: dict[str, float | None],
    champion_values: dict[str, float | None],
    compared: tuple[Evidence, ...],
    *,
    rows: pd.DataFrame,
    predicted: np.ndarray,
) -> None:
    with mlflow.start_run(run_id=trained.run_id):
        mlflow.log_metrics({f"holdout_{name}": value for name, value in values.items() if value is not None})
        mlflow.log_metrics({f"champion_{name}": value for name, value in champion_values.items() if value is not None})
        for item in compared:
            bounds = {"gain": item.gain, "gain_lower": item.lower, "gain_upper": item.upper}
            mlflow.log_metrics({f"{item.metric}_{name}": value for name, value in bounds.items()})
        mlflow.set_tag("airloop.evidence", json.dumps([item.to_json() for item in compared]))
        log_plots(candidate, rows, predicted)
