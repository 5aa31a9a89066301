"""The probe's refits, kept between the looks they serve: `<lake>/<pipeline>/probes/`.

A file's name says version, cutoff, rows and a key: `v3_20130301T000000Z_24951_<key>.skops`. The key holds all that a
refit depends on, and a file that does not load is made again: nothing but time is lost with it.
"""

import logging
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import fsspec

from airloop.config import Pipeline
from airloop.errors import GuardRefused
from airloop.features import examples
from airloop.models import estimators
from airloop.models.history import evenly, learned_since
from airloop.models.model_version import ModelVersion
from airloop.models.reserve import learnable
from airloop.models.training_set import learned_rows
from airloop.problems import task_of
from airloop.records import ProbeRefit, Window
from airloop.records.digests import digest
from airloop.settings import Settings
from airloop.stores import files, state
from airloop.stores.mlflow import model_files

logger = logging.getLogger(__name__)

_KEY_LENGTH = 16
_STAMP = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"v\d+_\d{8}T\d{6}Z_\d+_[0-9a-f]{16}\.skops")


@dataclass(frozen=True)
class Probe:
    """A refit, loaded, and what the record says of it."""

    refit: ProbeRefit
    model: Any


def probe(
    pipeline: Pipeline, champion: ModelVersion, cutoff: datetime, settings: Settings, *, keep_from: datetime | None
) -> Probe | None:
    """The champion's candidate and parameters, fitted on all labelled rows decided before `cutoff` - label delay.

    Strictly before: a row at the boundary is judged, not learnt from. Labels are those known before the cutoff; windows
    whose features were never built are left out, as they are of the rows that are judged.

    Args:
        keep_from: The oldest cutoff a later look needs; older files go. None: no look needs this refit again.

    Returns:
        None with fewer than training.min_train_rows rows, or with labels of one class.

    Raises:
        ConfigError: The candidate is not declared any more.
    """
    folder = f"{settings.lake_uri}/{pipeline.name}/probes"
    name, key = f"v{champion.version}_{cutoff:{_STAMP}}_", _key(pipeline, champion, cutoff, settings)
    stored = _kept(folder, name, key, settings, reviewed=pipeline.training.reviewed_types)
    if stored is not None:
        rows = int(stored[0].rsplit("_", 2)[-2])
        return Probe(ProbeRefit(cutoff, rows, stored[0]), stored[1])
    end = cutoff - pipeline.prediction.label_delay
    span = Window(learned_since(pipeline, end), end)
    known = learned_rows(pipeline, examples.validated_frame(pipeline, span, settings, as_of=cutoff), champion.params)
    known = learnable(known, pipeline.training.reserve_days)
    known = known.iloc[evenly(len(known), pipeline.training.max_train_rows)]
    labels = known["label"] if task_of(pipeline).learns_without_labels else known["label"].dropna()
    if len(labels) < pipeline.training.min_train_rows or not task_of(pipeline).can_learn(labels):
        return None
    model = estimators.fitted_model(pipeline, champion.candidate, champion.params, known, list(champion.features))
    logger.info("%s: probe of version %d refitted at %s: %d rows", pipeline.name, champion.version, cutoff, len(known))
    if keep_from is None:
        return Probe(ProbeRefit(cutoff, len(known), ""), model)
    uri = f"{folder}/{name}{len(known)}_{key}.skops"
    _keep(uri, model, settings, keep_from=keep_from)
    return Probe(ProbeRefit(cutoff, len(known), uri), model)


def _key(pipeline: Pipeline, champion: ModelVersion, cutoff: datetime, settings: Settings) -> str:
    """Digest of what a refit is made of: the champion's making, and the newest data run that touched what it learns."""
    candidate = pipeline.training.candidates.get(champion.candidate)
    data = state.newest_id(settings, pipeline.name, "validate_features", starting_before=cutoff)
    origin = {
        "candidate": candidate and candidate.model_dump(mode="json"),
        "params": champion.params,
        "features": [champion.snapshot.feature_fingerprint, *champion.features],
        "prediction": pipeline.prediction.model_dump(mode="json"),
        "coverage": pipeline.coverage.start.isoformat(),
        "seed": pipeline.training.seed,
        "unlabelled": pipeline.training.unlabelled.model_dump(mode="json"),
        "history": [getattr(pipeline.training, name) for name in ("history_days", "max_train_rows", "half_life_days")],
        "data": data,
    }
    if pipeline.training.reserve_days is not None:
        origin["reserve_days"] = pipeline.training.reserve_days
    return digest(origin)[:_KEY_LENGTH]


def _kept(folder: str, name: str, key: str, settings: Settings, *, reviewed: frozenset[str]) -> tuple[str, Any] | None:
    """URI and model of a refit that is there and loads."""
    system, path = fsspec.core.url_to_fs(folder, **settings.storage_options)
    try:
        for file in _listed(system, path):
            if file.startswith(name) and file.endswith(f"_{key}.skops"):
                return f"{folder}/{file}", model_files.loaded(system.cat_file(f"{path}/{file}"), reviewed)
    except (OSError, GuardRefused) as error:
        logger.warning("a kept probe is made again: %s", error)
    return None


def _keep(uri: str, model: Any, settings: Settings, *, keep_from: datetime) -> None:
    """Write a refit, and remove those that this one replaces or no look needs any more."""
    folder, new = uri.rsplit("/", 1)
    files.publish(uri, model_files.dumped(model), settings.storage_options)
    system, path = fsspec.core.url_to_fs(folder, **settings.storage_options)
    for file in _listed(system, path):
        parts = file.split("_")
        if file != new and (parts[:2] == new.split("_")[:2] or parts[1] < f"{keep_from:{_STAMP}}"):
            with suppress(FileNotFoundError):  # another look was faster
                system.rm_file(f"{path}/{file}")


def _listed(system: fsspec.AbstractFileSystem, path: str) -> list[str]:
    try:
        system.invalidate_cache()
        names = [info["name"].rsplit("/", 1)[-1] for info in system.ls(path, detail=True)]
    except FileNotFoundError:
        return []
    return sorted(name for name in names if _NAME.fullmatch(name))
