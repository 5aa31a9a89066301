"""MLflow tracking: one parent run per training, nested candidates, versions; all found again by their input key."""

import json
import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities import LoggedModel, LoggedModelStatus, Run
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from airloop.config import Pipeline
from airloop.settings import Settings
from airloop.stores.mlflow import tracking_tables
from airloop.stores.mlflow.border import answering

logger = logging.getLogger(__name__)

INPUT_KEY = "airloop.input_key"


def client(settings: Settings) -> MlflowClient:
    """A client of the tracking server and registry; also sets the URI for mlflow's fluent calls.

    Raises UpstreamUnavailable when its database does not answer; a server is asked only by the calls that follow.
    """
    mlflow.set_tracking_uri(settings.mlflow_tracking_uri)
    mlflow.set_registry_uri(settings.mlflow_tracking_uri)
    with answering(settings, "open it"):
        tracking_tables.make(settings.mlflow_tracking_uri)
        return MlflowClient(settings.mlflow_tracking_uri, settings.mlflow_tracking_uri)


@contextmanager
def resumed(settings: Settings, run_id: str) -> Iterator[None]:
    """Mlflow's fluent calls inside write to this run, which ends with the block.

    Raises:
        GuardRefused: There is no such run.
        UpstreamUnavailable: MLflow does not answer.
    """
    client(settings)
    with answering(settings, f"write to run {run_id}"), mlflow.start_run(run_id=run_id):
        yield


def write_json(settings: Settings, run_id: str, name: str, content: dict[str, Any]) -> None:
    """Write an artifact of a run, in place of one of that name: tags are cut off at 8,000 characters, artifacts not."""
    tracker = client(settings)
    with answering(settings, f"write {name} of run {run_id}"):
        tracker.log_dict(run_id, content, name)


def write_text(settings: Settings, run_id: str, name: str, content: str) -> None:
    """Write a text as an artifact of a run, in place of one of that name."""
    tracker = client(settings)
    with answering(settings, f"write {name} of run {run_id}"):
        tracker.log_text(run_id, content, name)


def read_artifact(settings: Settings, run_id: str, name: str) -> str | None:
    """The text of an artifact of a run; None when it has none of that name."""
    tracker = client(settings)
    with answering(settings, f"read {name} of run {run_id}"), tempfile.TemporaryDirectory() as folder:
        if name not in [item.path for item in tracker.list_artifacts(run_id)]:
            return None
        return Path(tracker.download_artifacts(run_id, name, folder)).read_text(encoding="utf-8")


def read_json(settings: Settings, run_id: str, name: str) -> dict[str, Any] | None:
    """The object that `write_json` wrote; None when there is none, or when it was half written."""
    try:
        content = json.loads(read_artifact(settings, run_id, name) or "null")
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def experiment_id(pipeline: Pipeline, settings: Settings) -> str:
    """The pipeline's experiment, made when it is missing.

    Raises:
        UpstreamUnavailable: MLflow does not answer.
    """
    tracker, doing = client(settings), f"find experiment {pipeline.name}"
    with answering(settings, doing):
        experiment = tracker.get_experiment_by_name(pipeline.name)
        if experiment is not None:
            return str(experiment.experiment_id)
        root = f"{settings.mlflow_artifact_uri}/{pipeline.name}"
        location = root if "://" in root else Path(root).as_uri()
        # The kind opens MLflow's page on training runs; its default is the page for language models.
        tags = {"mlflow.experimentKind": "custom_model_development", "mlflow.note.content": pipeline.description}
        try:
            return str(tracker.create_experiment(pipeline.name, artifact_location=location, tags=tags))
        except MlflowException as error:
            if "already exists" not in str(error):
                raise
        # Another task made it between the two calls.
        return str(tracker.get_experiment_by_name(pipeline.name).experiment_id)


def run_of(
    pipeline: Pipeline, settings: Settings, *, key: str, name: str, tags: dict[str, str], parent: str | None = None
) -> Run:
    """The run that carries this input key, resumed, or a new one; nested below `parent` when given."""
    tracker, experiment = client(settings), experiment_id(pipeline, settings)
    with answering(settings, f"open run {name!r} of {pipeline.name}"):
        runs = tracker.search_runs([experiment], f"tags.`{INPUT_KEY}` = '{key}'", max_results=1)
        if runs:
            run: Run = runs[0]
            tracker.update_run(run.info.run_id, status="RUNNING")
            return run
        nested = {"mlflow.parentRunId": parent} if parent else {}
        return tracker.create_run(experiment, run_name=name, tags={INPUT_KEY: key, **tags, **nested})


def end_run(settings: Settings, run_id: str, *, status: str = "FINISHED") -> None:
    """End a run; ending it again changes nothing."""
    tracker = client(settings)
    with answering(settings, f"end run {run_id}"):
        tracker.set_terminated(run_id, status=status)


def reopen_run(settings: Settings, run_id: str) -> None:
    """Mark a run as RUNNING again; a later stage ends it."""
    tracker = client(settings)
    with answering(settings, f"reopen run {run_id}"):
        tracker.update_run(run_id, status="RUNNING")


def end_abandoned_runs(pipeline: Pipeline, settings: Settings, *, keep: str) -> int:
    """End runs left RUNNING by tasks that are gone; called when a training starts (one at a time per pipeline).

    Runs that carry no input key are somebody else's and are left alone.

    Args:
        keep: The input key of the training that starts: its own runs are resumed, not ended.
    """
    tracker, experiment = client(settings), experiment_id(pipeline, settings)
    with answering(settings, f"end abandoned runs of {pipeline.name}"):
        abandoned = [
            run
            for run in tracker.search_runs([experiment], "attributes.status = 'RUNNING'")
            if not run.data.tags.get(INPUT_KEY, keep).startswith(keep)
        ]
        for run in abandoned:
            logger.warning("ending MLflow run %s: its task is gone", run.info.run_id)
            tracker.set_terminated(run.info.run_id, status="KILLED")
    fail_half_logged_models(pipeline, settings)
    return len(abandoned)


def fail_half_logged_models(pipeline: Pipeline, settings: Settings, *, run_id: str | None = None) -> int:
    """Mark as FAILED what a killed task left PENDING: a model whose files may be missing. Returns how many.

    Args:
        run_id: Only models of this run. Default: of all runs that airloop started and that are not RUNNING; a model of
            a run without input key is somebody else's and is left alone.
    """
    tracker, experiment = client(settings), experiment_id(pipeline, settings)
    with answering(settings, f"end half-logged models of {pipeline.name}"):
        pending = [
            model
            for model in _logged_models(tracker, experiment)
            if model.status == LoggedModelStatus.PENDING
            and (model.source_run_id == run_id if run_id else _is_gone(tracker, model.source_run_id))
        ]
        for model in pending:
            logger.warning("marking MLflow model %s as failed: its task is gone", model.model_id)
            tracker.finalize_logged_model(model.model_id, LoggedModelStatus.FAILED)
    return len(pending)


def _logged_models(tracker: MlflowClient, experiment: str) -> Iterator[LoggedModel]:
    """All of an experiment: a filter by status finds none on a SQL database, which holds numbers."""
    token = None
    while True:
        page = tracker.search_logged_models([experiment], page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _is_gone(tracker: MlflowClient, source_run: str | None) -> bool:
    """Whether airloop started this run and it has ended."""
    if not source_run:
        return False
    run = tracker.get_run(source_run)
    return INPUT_KEY in run.data.tags and run.info.status != "RUNNING"


def version_of_key(pipeline: Pipeline, settings: Settings, key: str) -> int | None:
    """The version registered under an input key, or None."""
    tracker = client(settings)
    with answering(settings, f"look for a version of {pipeline.name}"):
        versions = tracker.search_model_versions(f"name = '{pipeline.name}' and tags.`{INPUT_KEY}` = '{key}'")
    return min(int(version.version) for version in versions) if versions else None


def logged_model_uri(run: Run, settings: Settings) -> str | None:
    """The model that an earlier task logged completely, or None: a killed task's half-written one does not count."""
    tracker = client(settings)
    with answering(settings, f"look for models of run {run.info.run_id}"):
        for output in run.outputs.model_outputs if run.outputs else ():
            model = tracker.get_logged_model(output.model_id)
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
    with answering(settings, f"register a version of {pipeline.name}"):
        try:
            tracker.create_registered_model(pipeline.name, description=pipeline.description)
        except MlflowException as error:
            if "already exists" not in str(error):
                raise
        version = tracker.create_model_version(pipeline.name, model_uri, run_id=run_id, tags={**tags, INPUT_KEY: key})
    return int(version.version)
