"""evaluate: the candidate and the champion meet the same holdout rows, each with its own preprocessing."""

import json
from dataclasses import dataclass, field
from typing import Any

import mlflow
import pandas as pd

from airloop.config import Pipeline
from airloop.deployment import Deployment
from airloop.errors import DataContractError, GuardRefused
from airloop.features import feature_store
from airloop.models import evidence, gate_evidence, looks, model_version, reserve, rules_measured, without_labels
from airloop.models.evaluation_plots import log_pictures
from airloop.models.holdout import Whole, holdout_of
from airloop.models.model_version import ModelVersion
from airloop.models.training_set import labelled_part, learned_part, read_snapshot
from airloop.problems import PREDICTION, Floats, Task, refuse_unfit_labels, task_of
from airloop.records import Evaluated, Evidence, Record, Snapshot, TrainedModel, Window
from airloop.settings import Settings
from airloop.stores import frames, ledger
from airloop.stores.ledger import History
from airloop.stores.mlflow import registry, tracking


@dataclass(frozen=True)
class Standing(Record):
    """What an evaluation depends on besides its upstream.

    Attributes:
        champion: The version in force at the cutoff that the candidate has to beat: never itself, so that judging again
            judges the same.
        looks: How often the holdout was looked at before.
        rules: SHA-256 of the source of each of the gate's rules.
    """

    champion: int | None
    looks: int
    rules: tuple[str, ...] = ()


def inputs(at: Deployment, window: Window, *, snapshot: Snapshot, trained: TrainedModel) -> Standing:
    """Who is champion, and how often the holdout was looked at."""
    history = ledger.intact_history(at.settings, at.pipeline.name)
    return Standing(
        champion=incumbent(history, window, version=trained.version),
        looks=looks.earlier_looks(history, at.pipeline, snapshot.holdout, version=trained.version),
        rules=tuple(rules_measured.rules_code(at.pipeline)),
    )


def incumbent(history: History, window: Window, *, version: int) -> int | None:
    """The champion at the cutoff that `version` has to beat; see Standing."""
    return history.champion(window.end, but_not=version)


def evaluate(
    at: Deployment, window: Window, reads: Standing, *, snapshot: Snapshot, trained: TrainedModel
) -> Evaluated:
    """Score the holdout with the registered candidate, loaded from the registry, and with the champion in force.

    What another training would mend is listed in `problems`, and each problem makes the gate refuse: the feature
    definitions changed since the snapshot, the champion was trained on rows of this holdout, the holdout is too small
    or one-sided for a metric. What no training of this pipeline can mend is said in `not_comparable`: the champion's
    version or files are gone or changed, it does not load or predict, or its features mean something else now. It is
    then not scored on values it never learned; the candidate is judged by floors only, as a first model. Evidence holds
    each metric of the task, bootstrapped over UTC days.

    Raises:
        DataContractError: Labels of the snapshot do not fit the task.
        GuardRefused: The candidate does not load, or its predictions are not what the task asks for.
        UpstreamUnavailable: MLflow does not answer.
    """
    pipeline, settings = at.pipeline, at.settings
    frame = read_snapshot(snapshot, settings)
    whole = learned_part(pipeline, frame, "holdout")
    refuse_unfit_labels(pipeline, whole["label"])
    candidate = model_version.load_version(pipeline, trained.version, settings, digest=trained.model_digest)
    every = candidate.predict(pipeline, whole)
    labelled = whole["label"].notna().to_numpy()
    rows, predicted = whole[labelled].reset_index(drop=True), every[labelled]
    unlabelled = without_labels.reason(pipeline, rows)
    champion_version, seen = reads.champion, reads.looks
    compared = _Compared()
    if not unlabelled:
        compared = _against_champion(
            pipeline, champion_version, snapshot, settings, rows=rows, predicted=predicted, seen=seen
        )
    changed = _fingerprint_problems(pipeline, snapshot, settings)
    values = metrics(task_of(pipeline), rows["label"], predicted)
    _keep_predictions(pipeline, snapshot, trained, rows=whole, predicted=every, settings=settings)
    _log(trained, values, compared, settings)
    with tracking.resumed(settings, trained.run_id):
        log_pictures(task_of(pipeline), candidate, rows, predicted)
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
        unlabelled=unlabelled,
        cutoff=snapshot.cutoff,
        reason=snapshot.reason,
        reason_key=snapshot.reason_key,
        problems=(*changed, *compared.problems),
        not_comparable=compared.not_comparable,
        model_digest=candidate.digest,
        looks=seen,
        measured=_rules(
            pipeline,
            candidate,
            frame,
            predicted,
            compared,
            seen=seen,
            settings=settings,
            whole=without_labels.whole(pipeline, candidate, frame, every),
        ),
        compared_version=compared.version,
    )


@dataclass(frozen=True)
class _Compared:
    """The champion's metrics, the evidence against it, and what kept either from being made (see Evaluated).

    Attributes:
        version: The judged version that was compared in place of its refit; None: the champion itself.
        model: What was compared.
    """

    metrics: dict[str, float | None] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    problems: tuple[str, ...] = ()
    not_comparable: str = ""
    predicted: Floats | None = None
    version: int | None = None
    model: ModelVersion | None = None


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


def _fingerprint_problems(pipeline: Pipeline, snapshot: Snapshot, settings: Settings) -> list[str]:
    now = feature_store.fingerprint_like(snapshot.feature_fingerprint, pipeline, settings)
    if now == snapshot.feature_fingerprint:
        return []
    return [f"feature definitions changed since the snapshot: {snapshot.feature_fingerprint[:12]}, now {now[:12]}"]


def _against_champion(
    pipeline: Pipeline,
    version: int | None,
    snapshot: Snapshot,
    settings: Settings,
    *,
    rows: pd.DataFrame,
    predicted: Floats,
    seen: int,
) -> _Compared:
    if version is None:
        return _Compared()
    try:
        champion = model_version.load_unseen(pipeline, version, settings, start=snapshot.holdout.start)
        unfit = champion.unfit_for(pipeline, settings)
        if unfit:
            return _Compared(not_comparable=unfit[0])
        if problem := _overlap(champion, snapshot):
            return _Compared(problems=(problem,))
        said = champion.predict(pipeline, rows)
    except GuardRefused as error:
        return _Compared(not_comparable=str(error))
    found, problems = gate_evidence.compare(pipeline, rows, said, predicted, seen=seen)
    values = metrics(task_of(pipeline), rows["label"], said)
    instead = None if champion.version == version else champion.version
    return _Compared(values, found, problems, predicted=said, version=instead, model=champion)


def _overlap(champion: ModelVersion, snapshot: Snapshot) -> str:
    """Why the champion's predictions of this holdout are not a test of it; empty when they are."""
    if champion.learned_until <= snapshot.holdout.start:
        return ""
    return (
        f"overlapping holdout: champion version {champion.version} was trained on rows up to "
        f"{champion.learned_until:%Y-%m-%d}, the holdout starts at {snapshot.holdout.start:%Y-%m-%d}: "
        "take a later cutoff"
    )


def _rules(
    pipeline: Pipeline,
    candidate: ModelVersion,
    frame: pd.DataFrame,
    predicted: Floats,
    compared: _Compared,
    *,
    seen: int,
    settings: Settings,
    whole: Whole | None,
) -> dict[str, dict[str, Any]]:
    """What gate.rules ask for."""
    if not pipeline.gate.rules:
        return {}
    files, champion = model_version.version_files(pipeline.name, candidate.version, settings), compared.model
    sides = None if champion is None else (champion.as_learned(pipeline), candidate.as_learned(pipeline))
    holdout = holdout_of(
        pipeline,
        labelled_part(frame, "holdout"),
        candidate=predicted,
        champion=compared.predicted,
        predict=lambda changed: candidate.predict(pipeline, changed),
        features=candidate.features,
        model_bytes=sum(map(len, files.values())),
        seen=seen,
        reserve=None if sides is None else reserve.of_frame(frame, *sides),
        whole=whole,
    )
    return rules_measured.measure_rules(pipeline, holdout)


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
    frames.write(frame, uri, settings)
    registry.tag_version(settings, pipeline.name, trained.version, {"airloop.holdout_uri": uri})


def _log(trained: TrainedModel, values: dict[str, float | None], compared: _Compared, settings: Settings) -> None:
    with tracking.resumed(settings, trained.run_id):
        for whose, measured in (("holdout", values), ("champion", compared.metrics)):
            mlflow.log_metrics({f"{whose}_{name}": value for name, value in measured.items() if value is not None})
        for item in compared.evidence:
            bounds = {"gain": item.gain, "gain_lower": item.lower, "gain_upper": item.upper}
            mlflow.log_metrics({f"{item.metric}_{name}": value for name, value in bounds.items()})
        mlflow.set_tag("airloop.evidence", json.dumps([item.to_json() for item in compared.evidence]))
