"""A version loaded: its files compared with the ledger's digest, then read by airloop's own list of types."""

import json
import logging
from datetime import datetime
from functools import partial

import pandas as pd

from airloop.config import Pipeline
from airloop.errors import GuardRefused
from airloop.features.pinned import Pinned
from airloop.models import asked_problem
from airloop.models.model_version.files import version_files
from airloop.models.model_version.other_labels import other_labels
from airloop.models.model_version.version import ModelVersion
from airloop.models.recorded_digest import refuse_changed
from airloop.problems import task_of
from airloop.records import Snapshot
from airloop.settings import Settings
from airloop.stores import frames
from airloop.stores.mlflow import model_files, registry, tag_names
from airloop.stores.mlflow.model_files import Files

logger = logging.getLogger(__name__)

DIGEST = "airloop.model_digest"

PINNED = "features"
"""Key of a version's pinned features in its record."""


WAY_OUT = (
    "run a training, whose model the gate then judges by floors only, and promote it, or go back (`airloop rollback`)"
)

_OURS = "it was not registered by airloop"


def load_version(pipeline: Pipeline, version: int, settings: Settings, *, digest: str = "") -> ModelVersion:
    """Download a version, compare its digest, load it.

    Args:
        digest: What its files must hash to besides what the ledger says, for a version no decision names yet.

    Raises:
        GuardRefused: Not registered by airloop, its files are gone or were changed since they were judged, it was
            trained for another problem than is declared now, or the model does not load.
        UpstreamUnavailable: MLflow, its file store or the state database does not answer.
    """
    tags = registry.version_of(settings, pipeline.name, version).tags
    candidate, params = _tag(tags, tag_names.CANDIDATE, version), json.loads(_tag(tags, tag_names.PARAMS, version))
    files = version_files(pipeline.name, version, settings)
    own_digest = refuse_changed(pipeline.name, version, files, settings, digest=digest or tags.get(DIGEST, ""))
    asked_problem.refuse_other(pipeline, version, files)
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
        read_holdout_predictions=partial(_holdout_predictions, tags.get(tag_names.HOLDOUT_URI), settings),
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
    loaded = load_version(pipeline, version, settings)
    if loaded.refit_of is None or loaded.learned_until <= start:
        return loaded
    return load_version(pipeline, loaded.refit_of, settings)


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
        GuardRefused: It does not load (see load_version), or the labels mean something else now; names the way out.
        UpstreamUnavailable: See load_version.
    """
    try:
        loaded = load_version(pipeline, version, settings)
    except GuardRefused as error:
        raise GuardRefused(f"{error}; {WAY_OUT}") from error
    if other := other_labels(pipeline, loaded, settings):
        raise GuardRefused(f"{other}; restore the section `-- labels`, or {WAY_OUT}")
    return loaded


def version_snapshot(pipeline: Pipeline, version: int, settings: Settings) -> Snapshot:
    """The snapshot a version was trained on.

    Raises:
        GuardRefused: The version was not registered by airloop.
    """
    tags = registry.version_of(settings, pipeline.name, version).tags
    _tag(tags, tag_names.CANDIDATE, version)
    files = {} if tag_names.SNAPSHOT in tags else version_files(pipeline.name, version, settings)
    return _snapshot(tags, files, version)


def _snapshot(tags: dict[str, str], files: Files, version: int) -> Snapshot:
    """From the model's own folder; versions of an older airloop carry it in a tag."""
    if model_files.RECORD in files:
        return Snapshot.from_json(json.loads(files[model_files.RECORD])["snapshot"])
    return Snapshot.from_json(json.loads(_tag(tags, tag_names.SNAPSHOT, version)))


def _pinned(files: Files) -> Pinned | None:
    record = json.loads(files[model_files.RECORD]).get(PINNED) if model_files.RECORD in files else None
    return Pinned.from_json(record) if record else None


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
