"""One version as it is served: loaded, checked against the ledger, warmed; exchanged as a whole.

A version that was registered with a serving form, whose features are defined by the same files as then, is loaded from
that form alone. Any other is loaded with all that made it: MLflow, scikit-learn, Feast, which takes seconds and memory.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from airloop.config import Pipeline
from airloop.errors import GuardRefused
from airloop.features import definition_files, online_views
from airloop.features.online_views import OnlineView
from airloop.models import asked_problem, decision_threshold, recorded_digest, serving_form
from airloop.models.forms.choose import Form
from airloop.problems import Floats, Task, task_of
from airloop.serving import freshness, version_files
from airloop.serving.freshness import Rule
from airloop.serving.in_force import decision_of
from airloop.serving.inputs import Inputs, inputs_of, read_inputs
from airloop.serving.online_features import OnlineFeatures, open_online
from airloop.serving.refused import Refused
from airloop.serving.whole_rows import WholeRows
from airloop.settings import Settings
from airloop.stores.ledger import Entry

logger = logging.getLogger(__name__)

_WARMED_ROWS = 100


@dataclass(frozen=True)
class Served:
    """A version that answers.

    Attributes:
        decision: Number in the ledger of the decision, or the rollback, that put it in force.
        since: Data time from which it is in force.
        digest: SHA-256 of its files, equal to the ledger's.
        example: A row of features it can be asked with.
        threshold: From which probability on a prediction is acted on; None where none was chosen.
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
    threshold: float | None = None
    whole_rows: WholeRows = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "whole_rows", WholeRows(self.inputs))

    def predict(self, rows: Sequence[Mapping[str, Any]]) -> Floats:
        """Predictions of rows by the model's columns.

        Raises:
            Refused: The model cannot compute with a value.
            GuardRefused: What it predicts is not what the task says.
        """
        try:
            predicted = self.form.predict(rows)
        except ValueError as error:
            says = f"version {self.version} cannot predict these values: {error}"
            raise Refused(422, "not_predictable", says) from error
        problem = self.task.prediction_problem(predicted)
        if problem:
            raise GuardRefused(f"version {self.version}: {problem}")
        return predicted


@dataclass(frozen=True)
class _Parts:
    """What differs between the two ways to load a version."""

    digest: str
    inputs: Inputs
    form: Form
    views: Sequence[OnlineView]
    example: Mapping[str, Any]
    threshold: float | None


def load_served(pipeline: Pipeline, in_force: Entry, settings: Settings) -> Served:
    """Load, check and warm the version that an entry `done` put in force.

    Raises:
        GuardRefused: It does not load, its files are not those that were judged, its features mean something else now,
            or it does not predict.
        ConfigError: The declaration and the feature definitions do not fit each other.
        UpstreamUnavailable: A store does not answer.
    """
    version = int(in_force.payload["version"])
    parts = _by_form(pipeline, version, settings) or _by_pipeline(pipeline, version, settings)
    online = open_online(pipeline, parts.views, settings)
    served = Served(
        pipeline=pipeline,
        version=version,
        decision=decision_of(in_force),
        since=in_force.effective_at,
        digest=parts.digest,
        inputs=parts.inputs,
        form=parts.form,
        task=task_of(pipeline),
        online=online,
        rules=freshness.rules(pipeline, online, parts.inputs),
        example=parts.example,
        threshold=parts.threshold,
    )
    for count in (1, _WARMED_ROWS):  # warmed: the first request costs what all cost
        served.predict([parts.inputs.row(parts.example)] * count)
    logger.info("%s: version %d answers, by its %s form", pipeline.name, version, served.form.name)
    return served


def _by_form(pipeline: Pipeline, version: int, settings: Settings) -> _Parts | None:
    """From the form that was kept with the version; None where it has none, or its features may mean something else."""
    today = definition_files.files_digest(pipeline, settings)
    if not recorded_digest.ledger_digest(settings, pipeline.name, version):
        return None  # promoted by an older airloop: nothing says that its form is what was judged
    files = version_files.files(pipeline.name, version, settings)
    serving_form_kept = serving_form.read(files)
    if (
        serving_form_kept is None
        or serving_form_kept.form is None
        or not today
        or serving_form_kept.definitions != today
    ):
        return None
    digest = recorded_digest.refuse_changed(pipeline.name, version, files, settings)
    asked_problem.refuse_other(pipeline, version, files)
    inputs = inputs_of(serving_form_kept.features, serving_form_kept.columns)
    example, threshold = _by_feature(inputs, serving_form_kept.example), decision_threshold.of_files(files)
    return _Parts(digest, inputs, serving_form_kept.form, serving_form_kept.views, example, threshold)


def _by_pipeline(pipeline: Pipeline, version: int, settings: Settings) -> _Parts:
    """From the model itself, compared with a fast form here."""
    from airloop.models import model_version
    from airloop.models.forms import choose

    model = model_version.load_champion(pipeline, version, settings)
    inputs = read_inputs(pipeline, model.features, settings)
    files = model_version.version_files(pipeline.name, version, settings)
    example = serving_form.example_row(files, model.features)
    rows = [*serving_form.real_rows(model.snapshot, model.features, settings), example]
    form_kept = serving_form.read(files)
    if form_kept is not None and form_kept.form is None:  # compared at registration
        form = choose.pipeline_form(model.model, inputs.of_model, task_of(pipeline), form_kept.why)
    else:
        form = choose.chosen_form(model.model, inputs.of_model, task_of(pipeline), rows)
    views = online_views.online_views(pipeline, settings)
    threshold = decision_threshold.of_files(files)
    return _Parts(model.digest, inputs, form, views, _by_feature(inputs, example), threshold)


def _by_feature(inputs: Inputs, columns: Mapping[str, Any]) -> dict[str, Any]:
    by_name: dict[str, Any] = {}
    for feature in inputs.features:
        values = [columns.get(name) for name in feature.columns]
        by_name[feature.name] = values if feature.kind == "array" else values[0]
    return by_name
