"""evaluate: the candidate and the champion meet the same holdout rows, each with its own preprocessing."""

import json
from dataclasses import dataclass, replace
from typing import Any

import mlflow
import pandas as pd

from airloop.deployment import Deployment
from airloop.features import feature_store
from airloop.models import looks, model_version, reserve, rules_measured, without_labels
from airloop.models.against_champion import AgainstChampion, against_champion
from airloop.models.decision_threshold import threshold_of
from airloop.models.evaluation_plots import log_pictures
from airloop.models.holdout import JudgedModel, holdout_of
from airloop.models.metric_values import metric_values
from airloop.models.model_version import ModelVersion
from airloop.models.training_set import labelled_part, learned_part, read_snapshot
from airloop.problems import PREDICTION, Floats, refuse_unfit_labels, task_of
from airloop.records import Evaluated, Record, Snapshot, TrainedModel, Window
from airloop.stores import frames, ledger
from airloop.stores.ledger import History
from airloop.stores.mlflow import registry, tag_names, tracking


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
    scored = _scored(at, snapshot, trained)
    unlabelled = without_labels.reason(at.pipeline, scored.rows)
    compared = AgainstChampion()
    if not unlabelled:
        compared = against_champion(
            at, reads.champion, snapshot, rows=scored.rows, predicted=scored.predicted, looks=reads.looks
        )
    changed = _fingerprint_problems(at, snapshot)
    values = metric_values(task_of(at.pipeline), scored.rows["label"], scored.predicted)
    _keep_predictions(at, snapshot, trained, scored)
    _log(at, trained, scored, values, compared)
    return Evaluated(
        model_name=trained.model_name,
        version=trained.version,
        champion_version=reads.champion,
        metrics=values,
        champion_metrics=compared.metrics,
        evidence=compared.evidence,
        holdout=snapshot.holdout,
        holdout_rows=len(scored.rows),
        unlabelled=unlabelled,
        cutoff=snapshot.cutoff,
        reason=snapshot.reason,
        reason_key=snapshot.reason_key,
        problems=(*changed, *compared.problems),
        not_comparable=compared.not_comparable,
        model_digest=scored.candidate.digest,
        looks=reads.looks,
        measured=_rules(at, scored, compared, looks_before=reads.looks),
        compared_version=compared.version,
    )


@dataclass(frozen=True)
class _Scored:
    """The holdout with what the candidate predicts for it.

    Attributes:
        frame: All parts of the snapshot.
        whole: The holdout's rows that the task learns from; `all_predicted` is in their order.
        rows: Those of them that have a label; `predicted` is in their order.
    """

    candidate: ModelVersion
    frame: pd.DataFrame
    whole: pd.DataFrame
    all_predicted: Floats
    rows: pd.DataFrame
    predicted: Floats


def _scored(at: Deployment, snapshot: Snapshot, trained: TrainedModel) -> _Scored:
    frame = read_snapshot(snapshot, at.settings)
    whole = learned_part(at.pipeline, frame, "holdout")
    refuse_unfit_labels(at.pipeline, whole["label"])
    candidate = model_version.load_version(at.pipeline, trained.version, at.settings, digest=trained.model_digest)
    predicted = candidate.predict(at.pipeline, whole)
    labelled = whole["label"].notna().to_numpy()
    return _Scored(candidate, frame, whole, predicted, whole[labelled].reset_index(drop=True), predicted[labelled])


def _fingerprint_problems(at: Deployment, snapshot: Snapshot) -> list[str]:
    now = feature_store.fingerprint_like(snapshot.feature_fingerprint, at.pipeline, at.settings)
    if now == snapshot.feature_fingerprint:
        return []
    return [f"feature definitions changed since the snapshot: {snapshot.feature_fingerprint[:12]}, now {now[:12]}"]


def _rules(
    at: Deployment, scored: _Scored, compared: AgainstChampion, *, looks_before: int
) -> dict[str, dict[str, Any]]:
    """What gate.rules ask for."""
    pipeline, candidate, champion = at.pipeline, scored.candidate, compared.model
    if not pipeline.gate.rules:
        return {}
    files = model_version.version_files(pipeline.name, candidate.version, at.settings)
    sides = None if champion is None else (champion.as_learned(pipeline), candidate.as_learned(pipeline))
    size = sum(map(len, files.values()))
    model = JudgedModel(scored.predicted, lambda rows: candidate.predict(pipeline, rows), candidate.features, size)
    labelled = labelled_part(scored.frame, "holdout")
    holdout = replace(
        holdout_of(pipeline, labelled, model, compared.predicted, looks_before=looks_before),
        reserve=None if sides is None else reserve.of_frame(scored.frame, *sides),
        whole=without_labels.whole(pipeline, candidate, scored.frame, scored.all_predicted),
        thresholds=(threshold_of(candidate.params), threshold_of(champion.params if champion else {})),
    )
    return rules_measured.measure_rules(pipeline, holdout)


def _keep_predictions(at: Deployment, snapshot: Snapshot, trained: TrainedModel, scored: _Scored) -> None:
    """Holdout predictions, the reference of later monitoring: in-sample ones are sharper than any live ones can be."""
    pipeline, settings = at.pipeline, at.settings
    columns = [pipeline.prediction.entity_key, "decision_time", "label"]
    frame = scored.whole[columns].assign(**{PREDICTION: list(scored.all_predicted)})
    uri = f"{settings.lake_uri}/{pipeline.name}/snapshots/{snapshot.digest}.holdout-v{trained.version}.parquet"
    frames.write(frame, uri, settings)
    registry.tag_version(settings, pipeline.name, trained.version, {tag_names.HOLDOUT_URI: uri})


def _log(
    at: Deployment, trained: TrainedModel, scored: _Scored, values: dict[str, float | None], compared: AgainstChampion
) -> None:
    """Metrics, evidence and pictures, into the run of the training, which ends with them."""
    with tracking.resumed(at.settings, trained.run_id):
        for whose, measured in (("holdout", values), ("champion", compared.metrics)):
            mlflow.log_metrics({f"{whose}_{name}": value for name, value in measured.items() if value is not None})
        for item in compared.evidence:
            bounds = {"gain": item.gain, "gain_lower": item.lower, "gain_upper": item.upper}
            mlflow.log_metrics({f"{item.metric}_{name}": value for name, value in bounds.items()})
        mlflow.set_tag(tag_names.EVIDENCE, json.dumps([item.to_json() for item in compared.evidence]))
        log_pictures(task_of(at.pipeline), scored.candidate, scored.rows, scored.predicted)
    tracking.end_run(at.settings, trained.run_id)
