"""Train a version again from what it was made of, in a fresh process, and say whether the same comes out, bit for bit.

Taken are its frozen snapshot, its candidate and parameters, and the seed of the declaration. What it was made by - the
code's commit, the lock file's digest - is in its tags; where today's differ, another result would say nothing.
"""

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from airloop.config import Pipeline
from airloop.errors import GuardRefused
from airloop.models import model_version
from airloop.models.estimators import fitted_model
from airloop.models.metric_values import metric_values
from airloop.models.model_version import ModelVersion
from airloop.models.training_set import learned_part, learned_rows, read_snapshot
from airloop.problems import Floats, task_of
from airloop.settings import Settings
from airloop.stores.mlflow import provenance, registry, tag_names

_PROVENANCE = {tag_names.CODE_COMMIT: "commit", tag_names.LOCK_SHA256: "lock file"}


@dataclass(frozen=True)
class Reproduced:
    """What came out the second time.

    Attributes:
        rows: Holdout rows that both predicted: the probe set.
        differing: Of these, how many predictions differ in any bit; `largest` is the largest distance.
        metrics: Metric -> (recorded predictions' value, the new ones'), where they differ.
    """

    version: int
    rows: int
    differing: int
    largest: float
    metrics: dict[str, tuple[float | None, float | None]]

    @property
    def identical(self) -> bool:
        """Whether every bit is the same."""
        return not self.differing and not self.metrics


def made_by_others(pipeline: Pipeline, version: int, settings: Settings) -> str:
    """What made a version and is not here, with the way to it; empty when commit and lock file are the same.

    Raises:
        GuardRefused: The version is not registered.
    """
    tags, here = registry.version_of(settings, pipeline.name, version).tags, provenance.provenance(settings)
    other = {tag: tags.get(tag, "unknown") for tag in _PROVENANCE if tags.get(tag, "unknown") != here[tag]}
    if not other:
        return ""
    differing = ", ".join(f"{_PROVENANCE[tag]} {was[:12]}, here {here[tag][:12]}" for tag, was in other.items())
    commit = tags.get(tag_names.CODE_COMMIT, "unknown")
    says = f"version {version} of {pipeline.name} was trained by other code: {differing}"
    if commit == "unknown" or commit.endswith("-dirty"):
        return f"{says}; that code was not committed, so that nobody can go back to it (--anyway trains with today's)"
    return (
        f"{says}; go to it: git worktree add ../{pipeline.name}-v{version} {commit[:12]}, install its lock file there "
        f"and run this there with AIRLOOP_HOME={settings.home} (--anyway trains with today's)"
    )


def reproduce(pipeline: Pipeline, version: int, settings: Settings) -> Reproduced:
    """Fit a version's candidate again on its snapshot, in a fresh process, and compare on every holdout row.

    Nothing is registered or recorded.

    Raises:
        GuardRefused: The version does not load, its candidate is not declared any more, or the training fails.
        DataContractError: The snapshot's file is not what its record says.
    """
    model = model_version.load_version(pipeline, version, settings)
    if model.candidate not in pipeline.training.candidates:
        raise GuardRefused(
            f"version {version} is a {model.candidate}, which training.candidates of {pipeline.name} lacks now"
        )
    rows = learned_part(pipeline, read_snapshot(model.snapshot, settings), "holdout")
    task = task_of(pipeline)
    recorded, file = model.predict(pipeline, rows), _in_a_fresh_process(pipeline, version, settings)
    again = task.from_column(pd.Series(list(file)))  # a file of numbers does not say of which quantiles they are
    values = [metric_values(task, rows["label"], predicted) for predicted in (recorded, again)]
    unequal = recorded != again
    return Reproduced(
        version=version,
        rows=len(rows),
        differing=int(unequal.reshape(len(rows), -1).any(axis=1).sum()),
        largest=float(np.abs(recorded - again).max(initial=0.0)),
        metrics={name: (one, values[1][name]) for name, one in values[0].items() if one != values[1][name]},
    )


def predict_again(pipeline: Pipeline, version: ModelVersion, settings: Settings) -> Floats:
    """The holdout predictions of a model fitted again as `version` was."""
    frame = read_snapshot(version.snapshot, settings)
    learned, holdout = version.learned(frame), learned_part(pipeline, frame, "holdout")
    train, features = learned_rows(pipeline, learned, version.params), list(version.features)
    model = fitted_model(pipeline, version.candidate, version.params, train, features)
    return task_of(pipeline).predict(model, holdout[features])


def _in_a_fresh_process(pipeline: Pipeline, version: int, settings: Settings) -> Floats:
    with tempfile.TemporaryDirectory(prefix="airloop-reproduce-") as folder:
        path = Path(folder) / "predictions.npy"
        settings_file = Path(folder) / "settings.json"
        settings_file.write_text(settings.model_dump_json())
        command = [
            sys.executable,
            "-m",
            "airloop.authoring.reproduce_process",
            str(settings_file),
            pipeline.name,
            str(version),
        ]
        root = Path(__file__).parents[2]
        result = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False, cwd=root)
        if result.returncode != 0:
            last_line = (result.stderr.strip().splitlines() or [f"exit code {result.returncode}"])[-1]
            raise GuardRefused(f"version {version} cannot be trained again: {last_line}")
        predictions: Floats = np.load(path)
        return predictions
