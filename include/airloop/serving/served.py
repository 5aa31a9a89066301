"""One version as it is served: loaded, checked against the ledger, compiled, warmed; exchanged as a whole."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from airloop.config import Pipeline
from airloop.errors import AirloopError, GuardRefused
from airloop.models import model_version
from airloop.models.model_version import ModelVersion
from airloop.problems import Floats, Task, task_of
from airloop.serving import freshness
from airloop.serving.champions import decision_of
from airloop.serving.forms import Form, chosen_form
from airloop.serving.freshness import Rule
from airloop.serving.inputs import Inputs, read_inputs
from airloop.serving.online_features import OnlineFeatures, open_online
from airloop.serving.refused import Refused
from airloop.settings import Settings
from airloop.stores.ledger import Entry
from airloop.stores.mlflow import model_files

logger = logging.getLogger(__name__)

_REAL_ROWS = 2000


@dataclass(frozen=True)
class Served:
    """A version that answers.

    Attributes:
        decision: Number in the ledger of the decision, or the rollback, that put it in force.
        since: Data time from which it is in force.
        digest: SHA-256 of its files, equal to the ledger's.
        example: A row of features it can be asked with.
        settings: Of the installation, for what its online store is called in errors.
    """

    pipeline: Pipeline
    version: int
    decision: int
    since: datetime
    digest: str
    inputs: Inputs
    form: Form
    task: Task
    online: OnlineFeatures
    rules: Mapping[str, Rule]
    example: Mapping[str, Any]
    settings: Settings

    def predict(self, rows: Sequence[Mapping[str, Any]]) -> Floats:
        """Predictions of rows by the model's columns.

        Raises:
            Refused: The model cannot compute with a value.
            GuardRefused: What it predicts is not what the task says.
        """
        try:
            found = self.form.predict(rows)
        except ValueError as error:
            says = f"version {self.version} cannot predict these values: {error}"
            raise Refused(422, "not_predictable", says) from error
        problem = self.task.prediction_problem(found)
        if problem:
            raise GuardRefused(f"version {self.version}: {problem}")
        return found


def load_served(pipeline: Pipeline, in_force: Entry, settings: Settings) -> Served:
    """Load, check, compile and warm the version that an entry `done` put in force.

    Raises:
        GuardRefused: It does not load, its files are not those that were judged, its features mean something else now,
            or it does not predict.
        ConfigError: The declaration and the feature definitions do not fit each other.
        UpstreamUnavailable: A store does not answer.
    """
    version = int(in_force.payload["version"])
    model = model_version.load_champion(pipeline, version, settings)
    inputs = read_inputs(pipeline, model.features, settings)
    online = open_online(pipeline, settings)
    example = _example(pipeline, model, inputs, settings)
    real = [*_real_rows(model, inputs, settings), inputs.row(example)]
    served = Served(
        pipeline=pipeline,
        version=version,
        decision=decision_of(in_force),
        since=in_force.effective_at,
        digest=model.digest,
        inputs=inputs,
        form=chosen_form(model, inputs, task_of(pipeline), real),
        task=task_of(pipeline),
        online=online,
        rules=freshness.rules(pipeline, online, inputs),
        example=example,
        settings=settings,
    )
    for count in (1, min(100, len(real))):  # warmed: the first request costs what all cost
        served.predict(real[:count])
    logger.info("%s: version %d answers, by its %s form", pipeline.name, version, served.form.name)
    return served


def _example(pipeline: Pipeline, model: ModelVersion, inputs: Inputs, settings: Settings) -> dict[str, Any]:
    """The first row of the model's input example by features; all missing where there is none."""
    try:
        frame = model_files.input_example(model_version.version_files(pipeline.name, model.version, settings))
        columns = _plain(frame.to_dict(orient="records")[0])
    except (AirloopError, IndexError) as error:
        logger.info("%s version %d has no input example: %s", pipeline.name, model.version, error)
        columns = {}
    return _by_feature(inputs, columns)


def _real_rows(model: ModelVersion, inputs: Inputs, settings: Settings) -> list[dict[str, Any]]:
    """Rows of the holdout that the model was judged on, as far as its file is there."""
    try:
        import fsspec

        with fsspec.open(model.snapshot.uri, "rb", **settings.storage_options) as file:
            columns = list(inputs.columns)
            found = pq.read_table(file, columns=columns, filters=[("part", "=", "holdout")]).slice(0, _REAL_ROWS)
    except Exception as error:  # the file of an old training may be gone: the probes remain
        logger.info("version %d: its holdout is not there to compare on: %s", model.version, error)
        return []
    return [_plain(row) for row in found.to_pylist()]


def _by_feature(inputs: Inputs, columns: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for feature in inputs.features:
        values = [columns.get(name) for name in feature.columns]
        found[feature.name] = values if feature.kind == "array" else values[0]
    return found


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    """NaN as None, numpy's numbers as Python's."""
    return {str(name): _one(value) for name, value in row.items()}


def _one(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    if value is None or isinstance(value, (str, bool)):
        return value
    return None if value != value else float(value)
