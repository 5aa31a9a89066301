"""MLflow tracking: one parent run per training, nested candidates, versions; all found again by their input key."""

import functools
import hashlib
import json
import logging
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec
import mlflow
import pandas as pd
from mlflow.entities import LoggedModelStatus, Run
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from sqlalchemy.exc import OperationalError

from airloop import tracking_tables
from airloop.config import Pipeline
from airloop.digests import digest
from airloop.errors import GuardRefused, UpstreamUnavailable
from airloop.publishing import publish
from airloop.records import Snapshot
from airloop.settings import Settings
from airloop.stage_run import code_digest

logger = logging.getLogger(__name__)

INPUT_KEY = "airloop.input_key"
_ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")


@dataclass(frozen=True)
class LoadedVersion:
    """A registered model version, loaded, with what it was made from.

    Attributes:
        model: scikit-learn pipeline; airloop.tasks predicts with it on a frame of `features`.
        holdout_predictions: Entity key, decision_time, label, prediction of its holdout; empty before evaluation.
    """

    version: int
    model: Any
    features: tuple[str, ...]
    candidate: str
    params: dict[str, Any]
    snapshot: Snapshot
    holdout_predictions: pd.DataFrame


def client(settings: Settings) -> MlflowClient:
    """A client of the tracking server and registry; also sets the URI for mlflow's fluent calls.

    Raises UpstreamUnavailable when its database does not answer; a server is asked only by the calls that follow.
    """
    mlflow.set_tracking_uri(settings.mlflow_tracking_uri)
    mlflow.set_registry_uri(settings.mlflow_tracking_uri)
    try:
        tracking_tables.make(settings.mlflow_tracking_uri)
        return MlflowClient(settings.mlflow_tracking_uri, settings.mlflow_tracking_uri)
    except (MlflowException, OperationalError, OSError) as error:
        raise _no_answer(settings, error) from error


def _no_answer(settings: Settings, error: Exception) -> UpstreamUnavailable:
    """The error without the password of the URI, which MLflow repeats in its own message."""
    says = str(getattr(error, "orig", error)).strip().splitlines()[0]
    return UpstreamUnavailable(re.sub(r"//[^/@\s]+@", "//", f"MLflow at {settings.mlflow_tracking_uri}: {says}"))


def experiment_id(pipeline: Pipeline, settings: Settings) -> str:
    """The pipeline's experiment, made when it is missing.

    Raises:
        UpstreamUnavailable: MLflow does not answer.
    """
    tracker = client(settings)
    try:
        found = tracker.get_experiment_by_name(pipeline.name)
        if found is not None:
            return str(found.experiment_id)
        root = f"{settings.mlflow_artifact_uri}/{pipeline.name}"
        location = root if "://" in root else Path(root).as_uri()
        # The kind opens MLflow's page on training runs; its default is the page for language models.
        tags = {"mlflow.experimentKind": "custom_model_development", "mlflow.note.content": pipeline.description}
        return str(tracker.create_experiment(pipeline.name, artifact_location=location, tags=tags))
    except MlflowException as error:
        made = tracker.get_experiment_by_name(pipeline.name) if "already exists" in str(error) else None
        if made is None:
            raise _no_answer(settings, error) from error
        return str(made.experiment_id)


def run_of(
    pipeline: Pipeline, settings: Settings, *, key: str, name: str, tags: dict[str, str], parent: str | None = None
) -> Run:
    """The run that carries this input key, resumed, or a new one; nested below `parent` when given."""
    tracker, experiment = client(settings), experiment_id(pipeline, settings)
    found = tracker.search_runs([experiment], f"tags.`{INPUT_KEY}` = '{key}'", max_results=1)
    if found:
        run: Run = found[0]
        tracker.update_run(run.info.run_id, status="RUNNING")
        return run
    nested = {"mlflow.parentRunId": parent} if parent else {}
    return tracker.create_run(experiment, run_name=name, tags={INPUT_KEY: key, **tags, **nested})


def end_run(settings: Settings, run_id: str, *, status: str = "FINISHED") -> None:
    """End a run; ending it again changes nothing."""
    client(settings).set_terminated(run_id, status=status)


def end_abandoned_runs(pipeline: Pipeline, settings: Settings, *, keep: str) -> int:
    """End runs left RUNNING by tasks that are gone; called when a training starts (one at a time per pipeline).

    Runs that carry no input key are somebody else's and are left alone.

    Args:
        keep: The input key of the training that starts: its own runs are resumed, not ended.
    """
    tracker = client(settings)
    abandoned = [
        run
        for run in tracker.search_runs([experiment_id(pipeline, settings)], "attributes.status = 'RUNNING'")
        if not run.data.tags.get(INPUT_KEY, keep).startswith(keep)
    ]
    for run in abandoned:
        logger.warning("ending MLflow run %s: its task is gone", run.info.run_id)
        tracker.set_terminated(run.info.run_id, status="KILLED")
    return len(abandoned)


def training_key(pipeline: Pipeline, snapshot: Snapshot) -> str:
    """What identifies one training: its data, what the features mean, what asked, how it is declared, and the code."""
    declared = pipeline.training.model_dump(mode="json")
    data = [snapshot.digest, snapshot.feature_fingerprint, snapshot.cutoff.isoformat(), snapshot.reason_key]
    return digest([*data, declared, code_digest()])[:32]


def provenance(settings: Settings) -> dict[str, str]:
    """Tags that say which code and libraries made a run: the git commit (with `-dirty`) and the lock file's digest."""
    lock = settings.project_dir / "requirements" / "base.lock"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest() if lock.is_file() else "unlocked"
    return {"airloop.code_commit": code_commit(settings.project_dir), "airloop.lock_sha256": digest}


@functools.cache
def code_commit(project_dir: Path) -> str:
    """The commit of the checkout, `-dirty` with uncommitted changes, `unknown` outside git."""
    command = ["git", "-C", str(project_dir), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def version_of_key(pipeline: Pipeline, settings: Settings, key: str) -> int | None:
    """The version registered under an input key, or None."""
    found = client(settings).search_model_versions(f"name = '{pipeline.name}' and tags.`{INPUT_KEY}` = '{key}'")
    return min(int(version.version) for version in found) if found else None


def logged_model_uri(run: Run, settings: Settings) -> str | None:
    """The model a run of before logged completely, or None: a killed task's half-written one does not count."""
    for output in run.outputs.model_outputs if run.outputs else ():
        model = client(settings).get_logged_model(output.model_id)
        if model.status == LoggedModelStatus.READY:
            return str(model.model_uri)
    return None


def register(
    pipeline: Pipeline, settings: Settings, *, model_uri: str, run_id: str, key: str, tags: dict[str, str]
) -> int:
    """Register a model once: the version that carries the input key when there is one, else a new one."""
    existing = version_of_key(pipeline, settings, key)
    if existing is not None:
        return existing
    tracker = client(settings)
    try:
        tracker.create_registered_model(pipeline.name, description=pipeline.description)
    except MlflowException as error:
        if "already exists" not in str(error):
            raise
    made = tracker.create_model_version(pipeline.name, model_uri, run_id=run_id, tags={**tags, INPUT_KEY: key})
    return int(made.version)


def version_snapshot(pipeline: Pipeline, version: int, settings: Settings) -> Snapshot:
    """The snapshot a version was trained on.

    Raises:
        GuardRefused: The version was not registered by airloop.
    """
    return Snapshot.from_json(json.loads(_tag(_version_tags(pipeline, version, settings), "airloop.snapshot", version)))


def load_version(pipeline: Pipeline, version: int, settings: Settings) -> LoadedVersion:
    """Load a version: its model from skops (MLflow refuses types that were not allowed when it was saved).

    Raises:
        GuardRefused: Not registered by airloop, or the model does not load.
        UpstreamUnavailable: MLflow does not answer.
    """
    tags = _version_tags(pipeline, version, settings)
    snapshot = Snapshot.from_json(json.loads(_tag(tags, "airloop.snapshot", version)))
    try:
        model = mlflow.sklearn.load_model(f"models:/{pipeline.name}/{version}")
    except Exception as error:  # whatever a broken artifact raises: a model that does not load is refused, not retried
        raise GuardRefused(f"{pipeline.name} version {version} does not load: {error}") from error
    uri = tags.get("airloop.holdout_uri")
    return LoadedVersion(
        version=version,
        model=model,
        features=snapshot.features,
        candidate=_tag(tags, "airloop.candidate", version),
        params=json.loads(_tag(tags, "airloop.params", version)),
        snapshot=snapshot,
        holdout_predictions=read_parquet(uri, settings) if uri else pd.DataFrame(),
    )


def _version_tags(pipeline: Pipeline, version: int, settings: Settings) -> dict[str, str]:
    try:
        return dict(client(settings).get_model_version(pipeline.name, str(version)).tags)
    except MlflowException as error:
        if error.error_code not in _ABSENT:
            raise _no_answer(settings, error) from error
        raise GuardRefused(f"{pipeline.name} has no version {version} in the registry: {error}") from error


def _tag(tags: dict[str, str], name: str, version: int) -> str:
    if name not in tags:
        raise GuardRefused(f"version {version} has no tag {name}: it was not registered by airloop")
    return tags[name]


def read_parquet(uri: str, settings: Settings) -> pd.DataFrame:
    """Read one parquet file at an fsspec URI."""
    with fsspec.open(uri, "rb", **settings.storage_options) as handle:
        return pd.read_parquet(handle)


def write_parquet(frame: pd.DataFrame, uri: str, settings: Settings) -> None:
    """Write one parquet file, whole or not at all; UpstreamUnavailable when the place cannot be written."""
    content = frame.to_parquet(index=False, coerce_timestamps="us", allow_truncated_timestamps=True)
    try:
        publish(uri, content, settings.storage_options)
    except OSError as error:
        raise UpstreamUnavailable(f"{uri} cannot be written: {error}") from error
