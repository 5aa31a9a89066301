"""A registered model version: its files as they were judged, what it was made from, and the guards on using it.

Whatever predicts with a version - scoring, evaluation, monitoring, reviews, the check before a promotion - takes it
from here: downloaded (an outage may be retried), its digest compared with the ledger's, then loaded by airloop's own
list of types (a version that does not load is refused).
"""

import json
import logging
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import fsspec
import mlflow.artifacts
import pandas as pd

from airloop.config import Pipeline
from airloop.errors import GuardRefused, UpstreamUnavailable
from airloop.features import feature_store
from airloop.features.pinned import Pinned
from airloop.models.recorded_digest import refuse_changed
from airloop.models.reserve import Learned, learnable
from airloop.problems import Floats, task_of
from airloop.records import Snapshot
from airloop.settings import Settings
from airloop.stores import frames
from airloop.stores.mlflow import model_files, registry, tracking
from airloop.stores.mlflow.border import answering, in_one_line
from airloop.stores.mlflow.model_files import Files

logger = logging.getLogger(__name__)

DIGEST = "airloop.model_digest"
PINNED = "features"
"""Key of a version's pinned features in its record."""

_SNAPSHOT = "airloop.snapshot"
_SHOWN = 3
WAY_OUT = (
    "run a training, whose model the gate then judges by floors only, and promote it, or go back (`airloop rollback`)"
)
_OURS = "it was not registered by airloop"


@dataclass(frozen=True)
class ModelVersion:
    """A registered model version, loaded, with what it was made from.

    Attributes:
        model: scikit-learn pipeline; airloop.problems predicts with it on a frame of `features`.
        digest: SHA-256 over its files (model_files.digest), as they were loaded.
        pinned: Its features as they were defined; None of a version of an older airloop.
        holdout_predictions: Entity key, decision_time, label, prediction of its holdout; empty before evaluation. Of a
            refit those of the judged version: its own would be of rows it has learned from.
        refit_of: The judged version that it is the refit of; None for a version that was judged itself.
    """

    version: int
    model: Any
    features: tuple[str, ...]
    candidate: str
    params: dict[str, Any]
    snapshot: Snapshot
    holdout_predictions: pd.DataFrame
    digest: str = ""
    pinned: Pinned | None = None
    refit_of: int | None = None

    @property
    def learned_until(self) -> datetime:
        """The end (exclusive) of the decision times it learned from."""
        return self.snapshot.train.end if self.refit_of is None else self.snapshot.holdout.end

    def learned(self, frozen: pd.DataFrame) -> pd.DataFrame:
        """The rows of its snapshot's frame that it learned from."""
        every = self.snapshot.reserve_days
        return frozen[frozen["part"] == "train"] if self.refit_of is None else learnable(frozen, every)

    def predict(self, pipeline: Pipeline, rows: pd.DataFrame) -> Floats:
        """What it predicts for rows that hold its features, as the pipeline's task says (airloop.problems).

        Raises:
            GuardRefused: It is not a model of the task, a feature is missing, or a prediction is not valid.
        """
        missing = [name for name in self.features if name not in rows.columns]
        if missing:
            raise GuardRefused(f"version {self.version} needs feature {missing[0]!r}, which the rows do not have")
        task = task_of(pipeline)
        predicted = task.predict(self.model, rows[list(self.features)])
        problem = task.prediction_problem(predicted)
        if problem:
            raise GuardRefused(f"version {self.version}: {problem}")
        return predicted

    def as_learned(self, pipeline: Pipeline) -> Learned:
        """What it says of rows, beside what it has learned from."""
        return Learned(lambda rows: self.predict(pipeline, rows), self.learned_until, self.snapshot.reserve_days)

    def unfit_for(self, pipeline: Pipeline, settings: Settings) -> tuple[str, ...]:
        """Why today's features are not what it learned from; empty when they are."""
        fingerprint = feature_store.fingerprint_like(self.snapshot.feature_fingerprint, pipeline, settings)
        if fingerprint == self.snapshot.feature_fingerprint:
            return ()
        today = feature_store.feature_names(pipeline, settings)
        gone = [f"feature {name!r} is gone" for name in self.features if name not in today]
        changed = [f"definitions {self.snapshot.feature_fingerprint[:12]}, now {fingerprint[:12]}", *gone]
        service = f"feature service {pipeline.features.service}"
        return (f"{service} is not what version {self.version} was trained on ({', '.join(changed[:_SHOWN])})",)


def load_version(pipeline: Pipeline, version: int, settings: Settings, *, digest: str = "") -> ModelVersion:
    """Download a version, compare its digest, load it.

    Args:
        digest: What its files must hash to besides what the ledger says, for a version no decision names yet.

    Raises:
        GuardRefused: Not registered by airloop, its files are gone or were changed since they were judged, or the model
            does not load.
        UpstreamUnavailable: MLflow, its file store or the state database does not answer.
    """
    tags = registry.version_of(settings, pipeline.name, version).tags
    candidate, params = _tag(tags, "airloop.candidate", version), json.loads(_tag(tags, "airloop.params", version))
    files = version_files(pipeline.name, version, settings)
    own_digest = refuse_changed(pipeline.name, version, files, settings, digest=digest or tags.get(DIGEST, ""))
    try:
        model = model_files.load(files, pipeline.training.reviewed_types)
    except GuardRefused as error:
        raise GuardRefused(f"{pipeline.name} version {version} does not load: {error}") from error
    if other := task_of(pipeline).other_outputs(model):
        raise GuardRefused(f"{pipeline.name} version {version}: {other}")
    snapshot = _snapshot(tags, files, version)
    return ModelVersion(
        version=version,
        model=model,
        features=snapshot.features,
        candidate=candidate,
        params=params,
        snapshot=snapshot,
        holdout_predictions=_holdout_predictions(tags.get("airloop.holdout_uri"), settings),
        digest=own_digest,
        pinned=_pinned(files),
        refit_of=_refit_of(files),
    )


def load_unseen(pipeline: Pipeline, version: int, settings: Settings, *, start: datetime) -> ModelVersion:
    """A version to be compared on rows decided from `start` on; the judged one where its refit has learned from them.

    Raises:
        GuardRefused: See load_version.
        UpstreamUnavailable: See load_version.
    """
    found = load_version(pipeline, version, settings)
    if found.refit_of is None or found.learned_until <= start:
        return found
    return load_version(pipeline, found.refit_of, settings)


def load_champion(pipeline: Pipeline, version: int, settings: Settings) -> ModelVersion:
    """The version in force, fit for today's features.

    Raises:
        GuardRefused: It does not load (see load_version), or its features mean something else now; names the way out.
        UpstreamUnavailable: See load_version.
    """
    champion = load_serving(pipeline, version, settings)
    if unfit := champion.unfit_for(pipeline, settings):
        raise GuardRefused(f"{unfit[0]}; restore the definitions, or {WAY_OUT}")
    return champion


def load_serving(pipeline: Pipeline, version: int, settings: Settings) -> ModelVersion:
    """The version in force, whether or not today's features are those it learned from.

    Raises:
        GuardRefused: It does not load (see load_version); names the way out.
        UpstreamUnavailable: See load_version.
    """
    try:
        return load_version(pipeline, version, settings)
    except GuardRefused as error:
        raise GuardRefused(f"{error}; {WAY_OUT}") from error


def version_files(model_name: str, version: int, settings: Settings) -> dict[str, bytes]:
    """The files of a registered version, read once.

    Raises:
        GuardRefused: It is not registered, or its files are gone.
        UpstreamUnavailable: MLflow or its file store does not answer.
    """
    registry.version_of(settings, model_name, version)
    return files_at(f"models:/{model_name}/{version}", settings, of=f"version {version} of {model_name}")


def files_at(model_uri: str, settings: Settings, *, of: str) -> dict[str, bytes]:
    """The files of a logged model, read once.

    Raises:
        GuardRefused: There are none.
        UpstreamUnavailable: They cannot be read, or the place that holds all models is not there.
    """
    tracking.client(settings)
    with tempfile.TemporaryDirectory(prefix="airloop-model-") as folder:
        # Whatever the file store's own library raises means the same: it did not answer.
        try:
            with answering(settings, f"download {of}"):
                # A models:/ URI is looked up in the global registry, whatever this call is given; `client` set it.
                path = mlflow.artifacts.download_artifacts(model_uri, dst_path=folder)
                files = model_files.read(Path(path))
        except (GuardRefused, UpstreamUnavailable):
            raise
        except Exception as error:
            raise UpstreamUnavailable(f"files of {of} cannot be read: {in_one_line(error)}") from error
    if not files:
        _refuse_missing_root(settings, of)
        raise GuardRefused(f"the files of {of} are gone from MLflow's file store")
    return files


def version_snapshot(pipeline: Pipeline, version: int, settings: Settings) -> Snapshot:
    """The snapshot a version was trained on.

    Raises:
        GuardRefused: The version was not registered by airloop.
    """
    tags = registry.version_of(settings, pipeline.name, version).tags
    _tag(tags, "airloop.candidate", version)
    files = {} if _SNAPSHOT in tags else version_files(pipeline.name, version, settings)
    return _snapshot(tags, files, version)


def _snapshot(tags: dict[str, str], files: Files, version: int) -> Snapshot:
    """From the model's own folder; versions of an older airloop carry it in a tag."""
    if model_files.RECORD in files:
        return Snapshot.from_json(json.loads(files[model_files.RECORD])["snapshot"])
    return Snapshot.from_json(json.loads(_tag(tags, _SNAPSHOT, version)))


def _pinned(files: Files) -> Pinned | None:
    kept = json.loads(files[model_files.RECORD]).get(PINNED) if model_files.RECORD in files else None
    return Pinned.from_json(kept) if kept else None


def _refit_of(files: Files) -> int | None:
    record = json.loads(files[model_files.RECORD]) if model_files.RECORD in files else {}
    return record["refit"]["of"] if "refit" in record else None


def _tag(tags: dict[str, str], name: str, version: int) -> str:
    if name not in tags:
        raise GuardRefused(f"version {version} has no tag {name}: {_OURS}")
    return tags[name]


def _holdout_predictions(uri: str | None, settings: Settings) -> pd.DataFrame:
    if not uri:
        return pd.DataFrame()
    try:
        return frames.read(uri, settings)
    except GuardRefused as error:  # only monitoring compares with them, and does without
        logger.warning("holdout predictions: %s", error)
        return pd.DataFrame()


def _refuse_missing_root(settings: Settings, of: str) -> None:
    """An empty download means deleted files only where the place of all models is there."""
    root = settings.mlflow_artifact_uri
    if root.startswith("mlflow-artifacts:"):
        return
    try:
        system, path = fsspec.core.url_to_fs(root, **settings.storage_options)
        there = system.exists(path)
    except Exception as error:  # each file system raises its own
        raise UpstreamUnavailable(f"MLflow's file store {root} does not answer: {in_one_line(error)}") from error
    if not there:
        raise UpstreamUnavailable(f"files of {of} cannot be read: MLflow's file store {root} is not there")
