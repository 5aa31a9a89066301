"""From a fitted model to a registered version: logged, sealed with what it was made from, and hashed."""

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.entities import Run
from mlflow.models import infer_signature

from airloop.config import Pipeline
from airloop.features import feature_store, pinned
from airloop.models import asked_problem, decision_threshold, frameworks, model_version, serving_form
from airloop.models.estimators import trusted_types
from airloop.problems import task_of
from airloop.records import Snapshot
from airloop.settings import Settings
from airloop.stores.mlflow import model_files, provenance, tag_names, tracking
from airloop.stores.mlflow.border import answering

_REQUIREMENTS = ("scikit-learn", "pandas", "numpy", "skops")


@dataclass(frozen=True)
class Origin:
    """What a version was made from.

    Attributes:
        record: Kept beside the model's files: `snapshot`, and of a refit `refit`.
        tags: Of the version, beyond those that every version has.
    """

    snapshot: Snapshot
    candidate: str
    params: dict[str, Any]
    record: dict[str, Any]
    tags: dict[str, str]


def made_of(pipeline: Pipeline, snapshot: Snapshot, settings: Settings) -> dict[str, Any]:
    """What a version keeps beside its files: snapshot, problem, and its features as defined where they still are so."""
    origin = {"snapshot": snapshot.to_json(), asked_problem.PROBLEM: asked_problem.asked(pipeline)}
    if feature_store.fingerprint(pipeline, settings) != snapshot.feature_fingerprint:
        return origin
    return origin | {model_version.PINNED: pinned.pin(pipeline, settings).to_json()}


def registered_version(
    pipeline: Pipeline, settings: Settings, *, run: Run, key: str, origin: Origin, fit: Callable[[], str]
) -> int:
    """The version of an input key: the one there is, or of the model this run logged, or of the one that `fit` logs.

    Args:
        fit: Fits and logs (`log_model`) in the run; returns the logged model's URI.

    Raises:
        GuardRefused: The fitted model holds a type that is not on the allow-list.
    """
    run_id = str(run.info.run_id)
    tracking.fail_half_logged_models(pipeline, settings, run_id=run_id)
    version = tracking.version_of_key(pipeline, settings, key)
    if version is not None:
        return version
    uri = tracking.logged_model_uri(run, settings) or fit()
    tags = _tags(origin, settings) | {model_version.DIGEST: _seal(pipeline, origin, uri, settings)}
    return tracking.register(pipeline, settings, model_uri=uri, run_id=run_id, key=key, tags=tags)


def log_model(
    pipeline: Pipeline, model: Any, rows: pd.DataFrame, origin: Origin, settings: Settings, *, run_id: str
) -> str:
    """Log a fitted model in a run, saved with skops, its types checked; returns its URI."""
    sample, best, task = rows.head(300), origin.params, task_of(pipeline)
    with tracking.resumed(settings, run_id):
        mlflow.log_params({"candidate": origin.candidate, **{f"best_{name}": value for name, value in best.items()}})
        # pip_requirements given: inferring them starts a process and takes ten seconds.
        logged = mlflow.sklearn.log_model(
            model,
            name="model",
            signature=infer_signature(sample, getattr(model, task.method)(sample)),
            input_example=rows.tail(5),
            pip_requirements=[
                f"{name}=={installed(name)}" for name in (*_REQUIREMENTS, *frameworks.packages_of(model))
            ],
            skops_trusted_types=trusted_types(model, pipeline.training.reviewed_types),
            pyfunc_predict_fn=task.method,
        )
    return str(logged.model_uri)


def _seal(pipeline: Pipeline, origin: Origin, model_uri: str, settings: Settings) -> str:
    """Put what the model was made from, and its serving form, beside its files, and hash them all.

    A second call changes nothing.
    """
    model_id = model_uri.removeprefix("models:/")
    files = model_version.files_at(model_uri, settings, of=f"model {model_id}")
    beside = {
        model_files.RECORD: json.dumps(
            origin.record | decision_threshold.recorded(origin.params), sort_keys=True
        ).encode(),
        model_files.FORM: serving_form.of_files(pipeline, files, origin.snapshot, settings),
    }
    with tempfile.TemporaryDirectory(prefix="airloop-model-") as folder:
        tracker = tracking.client(settings)
        for name, content in beside.items():
            path = Path(folder) / name
            path.write_bytes(content)
            with answering(settings, f"log {name} of {model_uri}"):
                tracker.log_model_artifact(model_id, str(path))
    return model_files.digest(model_version.files_at(model_uri, settings, of=f"model {model_id}"))


def _tags(origin: Origin, settings: Settings) -> dict[str, str]:
    snapshot = origin.snapshot
    return {
        **provenance.provenance(settings),
        tag_names.CANDIDATE: origin.candidate,
        tag_names.PARAMS: json.dumps(origin.params),
        "airloop.cutoff": snapshot.cutoff.isoformat(),
        tag_names.REASON: snapshot.reason,
        tag_names.REASON_KEY: snapshot.reason_key,
        "airloop.feature_service": snapshot.feature_service,
        tag_names.FEATURE_FINGERPRINT: snapshot.feature_fingerprint,
        **origin.tags,
    }
