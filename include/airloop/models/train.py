"""train: fit the best tuned candidate on the whole training part and register it, unjudged."""

import json
import tempfile
from collections.abc import Sequence
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.models import infer_signature

from airloop.config import Pipeline
from airloop.features import feature_store, pinned
from airloop.models import model_version
from airloop.models.estimators import fitted_model, trusted_types
from airloop.models.training_key import training_key
from airloop.models.training_set import labelled_part, read_snapshot
from airloop.problems import Task, task_of
from airloop.records import Snapshot, TrainedModel, TunedCandidate, Window
from airloop.settings import Settings
from airloop.stores.mlflow import model_files, registry, tracking
from airloop.stores.mlflow.border import answering

_REQUIREMENTS = ("scikit-learn", "pandas", "numpy", "skops")


def train(pipeline: Pipeline, _window: Window, upstream: dict[str, Any], settings: Settings) -> TrainedModel:
    """Fit the candidate with the best tuning score; it alone will meet the holdout, and as fitted here.

    The version is registered under the training's input key: a retry finds it, or the model that was logged and not
    yet registered, and does not fit again. Ties go to the candidate declared first. The model is saved with skops, its
    types checked against the allow-list; the SHA-256 of its files is in the record and in the version's tags.

    Raises:
        DataContractError: Labels do not fit the task, or a classifier has one class only to learn from.
        GuardRefused: The fitted model holds a type that is not on the allow-list.
    """
    snapshot: Snapshot = upstream["snapshot"]
    best = choose(upstream["tune"])
    key = training_key(pipeline, snapshot)
    tags = {**tracking.provenance(settings), "airloop.reason": snapshot.reason}
    run = tracking.run_of(pipeline, settings, key=key, name=f"training {snapshot.cutoff:%Y-%m-%d}", tags=tags)
    run_id = str(run.info.run_id)
    tracking.fail_half_logged_models(pipeline, settings, run_id=run_id)
    version = tracking.version_of_key(pipeline, settings, key)
    if version is None:
        uri = tracking.logged_model_uri(run, settings) or _fit(pipeline, best, snapshot, settings, run_id=run_id)
        tags = _version_tags(settings, snapshot, best) | {
            model_version.DIGEST: _seal(pipeline, snapshot, uri, settings)
        }
        version = tracking.register(pipeline, settings, model_uri=uri, run_id=run_id, key=key, tags=tags)
    registered = registry.version_of(settings, pipeline.name, version)
    registry.set_alias(settings, pipeline.name, registry.CANDIDATE, version)
    tracking.end_run(settings, run_id)
    return TrainedModel(
        candidate=best.candidate,
        model_name=pipeline.name,
        version=version,
        run_id=run_id,
        model_uri=registered.source,
        params=best.params,
        snapshot_digest=snapshot.digest,
        input_key=key,
        experiment_id=str(run.info.experiment_id),
        model_digest=registered.tags.get(model_version.DIGEST, ""),
    )


def choose(tuned: Sequence[TunedCandidate]) -> TunedCandidate:
    """The candidate that is trained: the best score on the folds, ties to the one declared first."""
    return max(tuned, key=lambda each: each.score)


def _fit(pipeline: Pipeline, best: TunedCandidate, snapshot: Snapshot, settings: Settings, *, run_id: str) -> str:
    rows = labelled_part(read_snapshot(snapshot, settings), "train")
    features = list(snapshot.features)
    model = fitted_model(pipeline, best.candidate, best.params, rows, features)
    return _log_model(task_of(pipeline), model, rows[features], best, settings, run_id=run_id)


def _seal(pipeline: Pipeline, snapshot: Snapshot, model_uri: str, settings: Settings) -> str:
    """Put what the model was made from beside its files, and hash them all; a second call changes nothing."""
    model_id = model_uri.removeprefix("models:/")
    with tempfile.TemporaryDirectory(prefix="airloop-model-") as folder:
        record = Path(folder) / model_files.RECORD
        made_of = {"snapshot": snapshot.to_json(), **_pinned(pipeline, snapshot, settings)}
        record.write_text(json.dumps(made_of, sort_keys=True), encoding="utf-8")
        tracker = tracking.client(settings)
        with answering(settings, f"log the record of {model_uri}"):
            tracker.log_model_artifact(model_id, str(record))
    return model_files.digest(model_version.files_at(model_uri, settings, of=f"model {model_id}"))


def _pinned(pipeline: Pipeline, snapshot: Snapshot, settings: Settings) -> dict[str, Any]:
    """The features' definitions, where they still are those of the snapshot."""
    if feature_store.fingerprint(pipeline, settings) != snapshot.feature_fingerprint:
        return {}
    return {model_version.PINNED: pinned.pin(pipeline, settings).to_json()}


def _log_model(
    task: Task, model: Any, rows: pd.DataFrame, best: TunedCandidate, settings: Settings, *, run_id: str
) -> str:
    sample = rows.head(300)
    with tracking.resumed(settings, run_id):
        mlflow.log_params(
            {"candidate": best.candidate, **{f"best_{name}": value for name, value in best.params.items()}}
        )
        mlflow.log_metric("cv_score", best.score)
        # pip_requirements given: inferring them starts a process and takes ten seconds.
        logged = mlflow.sklearn.log_model(
            model,
            name="model",
            signature=infer_signature(sample, getattr(model, task.method)(sample)),
            input_example=rows.tail(5),
            pip_requirements=[f"{name}=={installed(name)}" for name in _REQUIREMENTS],
            skops_trusted_types=trusted_types(model),
            pyfunc_predict_fn=task.method,
        )
    return str(logged.model_uri)


def _version_tags(settings: Settings, snapshot: Snapshot, best: TunedCandidate) -> dict[str, str]:
    return {
        **tracking.provenance(settings),
        "airloop.candidate": best.candidate,
        "airloop.params": json.dumps(best.params),
        "airloop.cutoff": snapshot.cutoff.isoformat(),
        "airloop.reason": snapshot.reason,
        "airloop.reason_key": snapshot.reason_key,
        "airloop.feature_service": snapshot.feature_service,
        "airloop.feature_fingerprint": snapshot.feature_fingerprint,
    }
