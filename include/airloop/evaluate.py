"""evaluate: the candidate and the champion meet the same holdout rows, each with its own preprocessing."""

import json
from dataclasses import dataclass, field
from typing import Any

import mlflow
import pandas as pd

from airloop import ledger, tracking
from airloop.config import Pipeline
from airloop.errors import DataContractError, GuardRefused
from airloop.evaluation import evidence
from airloop.evaluation.evaluation_plots import log_pictures
from airloop.features import feature_store
from airloop.records import Evaluated, Evidence, Snapshot, TrainedModel, Window
from airloop.settings import Settings
from airloop.tasks import PREDICTION, Floats, Task, refuse_unfit_labels, task_of
from airloop.tracking import LoadedVersion
from airloop.training_set import labelled_part, read_snapshot


def inputs(pipeline: Pipeline, window: Window, upstream: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Besides its upstream, an evaluation depends on who is champion."""
    return {"champion": incumbent(pipeline, window, settings, version=upstream["train"].version)}


def incumbent(pipeline: Pipeline, window: Window, settings: Settings, *, version: int) -> int | None:
    """The champion at the cutoff that `version` has to beat: never itself, so that judging again judges the same."""
    return ledger.intact_history(settings, pipeline.name).champion(window.end, but_not=version)


def evaluate(pipeline: Pipeline, window: Window, upstream: dict[str, Any], settings: Settings) -> Evaluated:
    """Score the holdout with the registered candidate, loaded from the registry, and with the champion in force.

    What keeps the comparison from being made is listed in `problems`, and each problem makes the gate refuse: the
    feature definitions changed since the snapshot, the champion does not load or predict, wants features the snapshot
    does not have, or was trained on rows of this holdout, or the holdout is too small or one-sided for a metric.
    Evidence holds each metric of the task, bootstrapped over UTC days.

    Raises:
        DataContractError: Labels of the snapshot do not fit the task.
        GuardRefused: The candidate does not load, or its predictions are not what the task asks for.
        UpstreamUnavailable: MLflow does not answer.
    """
    snapshot: Snapshot = upstream["snapshot"]
    trained: TrainedModel = upstream["train"]
    rows = labelled_part(read_snapshot(snapshot, settings), "holdout")
    refuse_unfit_labels(pipeline, rows["label"])
    candidate = tracking.load_version(pipeline, trained.version, settings)
    predicted = _predict(pipeline, candidate, rows)
    champion_version = incumbent(pipeline, window, settings, version=trained.version)
    compared = _against_champion(pipeline, champion_version, snapshot, settings, rows=rows, predicted=predicted)
    changed = [*_fingerprint_problems(pipeline, snapshot, settings), *_reason_problems(pipeline, snapshot, settings)]
    values = metrics(task_of(pipeline), rows["label"], predicted)
    _keep_predictions(pipeline, snapshot, trained, rows=rows, predicted=predicted, settings=settings)
    _log(trained, values, compared)
    log_pictures(task_of(pipeline), candidate, rows, predicted, run_id=trained.run_id)
    tracking.end_run(settings, trained.run_id)
    return Evaluated(
        model_name=trained.model_name,
        version=trained.version,
        champion_version=champion_version,
        metrics=values,
        champion_metrics=compared.metrics,
        evidence=compared.evidence,
        holdout=snapshot.holdout,
        holdout_rows=len(rows),
        cutoff=snapshot.cutoff,
        reason=snapshot.reason,
        reason_key=snapshot.reason_key,
        problems=(*changed, *compared.problems),
    )


@dataclass(frozen=True)
class _Compared:
    """The champion's metrics, the evidence against it, and what kept either from being made."""

    metrics: dict[str, float | None] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    problems: tuple[str, ...] = ()


def metrics(task: Task, labels: pd.Series, predicted: Floats) -> dict[str, float | None]:
    """The task's metrics, and what else it tells of a holdout (Task.extra_metrics).

    None where rows are too few for a metric or, of a binary task, all of one class: the gate refuses what is missing.
    """
    values = {name: _metric(name, labels, predicted) for name in task.metrics}
    return values | task.extra_metrics(labels.to_numpy(dtype="float64"), predicted)


def _metric(name: str, labels: pd.Series, predicted: Floats) -> float | None:
    try:
        return evidence.metric_value(name, labels, predicted)
    except DataContractError:
        return None


def _predict(pipeline: Pipeline, version: LoadedVersion, rows: pd.DataFrame) -> Floats:
    task = task_of(pipeline)
    predicted = task.predict(version.model, rows[list(version.features)])
    problem = task.prediction_problem(predicted)
    if problem:
        raise GuardRefused(f"{pipeline.name} version {version.version} on the holdout: {problem}")
    return predicted


def _fingerprint_problems(pipeline: Pipeline, snapshot: Snapshot, settings: Settings) -> list[str]:
    now = feature_store.fingerprint_like(snapshot.feature_fingerprint, pipeline, settings)
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


def _against_champion(
    pipeline: Pipeline,
    version: int | None,
    snapshot: Snapshot,
    settings: Settings,
    *,
    rows: pd.DataFrame,
    predicted: Floats,
) -> _Compared:
    if version is None:
        return _Compared()
    try:
        champion = tracking.load_version(pipeline, version, settings)
    except GuardRefused as error:
        return _Compared(problems=(f"champion version {version} does not load: {error}",))
    unfit = _unfit(champion, snapshot)
    if unfit:
        return _Compared(problems=unfit)
    try:
        said = _predict(pipeline, champion, rows)
    except GuardRefused as error:
        return _Compared(problems=(f"champion version {version} does not predict: {error}",))
    found, problems = _compare(pipeline, rows, said, predicted)
    return _Compared(metrics(task_of(pipeline), rows["label"], said), found, problems)


def _unfit(champion: LoadedVersion, snapshot: Snapshot) -> tuple[str, ...]:
    """Why the champion says nothing about this holdout."""
    problems = []
    missing = sorted(set(champion.features) - set(snapshot.features))
    if missing:
        problems.append(
            f"champion version {champion.version} needs feature {missing[0]!r}, which the snapshot does not have"
        )
    if champion.snapshot.train.end > snapshot.holdout.start:
        problems.append(
            f"overlapping holdout: champion version {champion.version} was trained on rows up to "
            f"{champion.snapshot.train.end:%Y-%m-%d}, the holdout starts at {snapshot.holdout.start:%Y-%m-%d}"
        )
    return tuple(problems)


def _compare(
    pipeline: Pipeline, rows: pd.DataFrame, champion: Floats, candidate: Floats
) -> tuple[tuple[Evidence, ...], tuple[str, ...]]:
    rule, days = pipeline.gate.compare, evidence.utc_days(rows["decision_time"])
    sampled: dict[str, Any] = {
        "confidence": rule.confidence,
        "resamples": rule.resamples,
        "seed": pipeline.training.seed,
    }
    found, problems = [], []
    for metric in task_of(pipeline).metrics:
        try:
            found.append(evidence.compare(rows["label"], champion, candidate, days, metric=metric, **sampled))
        except DataContractError as error:
            problems.append(f"no evidence on {metric}: {error}")
    return tuple(found), tuple(problems)


def _keep_predictions(
    pipeline: Pipeline,
    snapshot: Snapshot,
    trained: TrainedModel,
    *,
    rows: pd.DataFrame,
    predicted: Floats,
    settings: Settings,
) -> None:
    """Holdout predictions, the reference of later monitoring: in-sample ones are sharper than any live ones can be."""
    frame = rows[[pipeline.prediction.entity_key, "decision_time", "label"]].assign(**{PREDICTION: list(predicted)})
    uri = f"{settings.lake_uri}/{pipeline.name}/snapshots/{snapshot.digest}.holdout-v{trained.version}.parquet"
    tracking.write_parquet(frame, uri, settings)
    tracking.client(settings).set_model_version_tag(pipeline.name, str(trained.version), "airloop.holdout_uri", uri)


def _log(trained: TrainedModel, values: dict[str, float | None], compared: _Compared) -> None:
    with mlflow.start_run(run_id=trained.run_id):
        for whose, measured in (("holdout", values), ("champion", compared.metrics)):
            mlflow.log_metrics({f"{whose}_{name}": value for name, value in measured.items() if value is not None})
        for item in compared.evidence:
            bounds = {"gain": item.gain, "gain_lower": item.lower, "gain_upper": item.upper}
            mlflow.log_metrics({f"{item.metric}_{name}": value for name, value in bounds.items()})
        mlflow.set_tag("airloop.evidence", json.dumps([item.to_json() for item in compared.evidence]))
