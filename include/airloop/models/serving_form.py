"""The serving form of a version: made and compared where it is registered, read where it serves.

Beside the numbers it keeps what a request has to know of the features, with the digest of the files that define them:
where those are as they were, a service needs neither Feast nor MLflow nor scikit-learn to answer.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airloop.config import Pipeline
from airloop.errors import AirloopError, GuardRefused
from airloop.features import definition_files, online_views
from airloop.features.online_views import OnlineView, ServedFeature
from airloop.models.forms import written
from airloop.models.forms.choose import PIPELINE, Form, chosen_form, fewer, plain_row
from airloop.models.forms.columns import model_columns
from airloop.problems import task_of
from airloop.records import Snapshot
from airloop.settings import Settings
from airloop.stores.mlflow import model_files
from airloop.stores.mlflow.model_files import Files

logger = logging.getLogger(__name__)

_REAL_ROWS = 2000


@dataclass(frozen=True)
class ServingForm:
    """What was kept with a version.

    Attributes:
        form: None where its pipeline serves it.
        why: Then why.
        columns: The model's, in its order.
        example: A row it can be asked with, by its columns.
        features: Of the service, as they were defined at registration; `views` likewise.
        definitions: definition_files.files_digest of then; empty where its features were other ones by then.
    """

    form: Form | None
    why: str
    columns: tuple[str, ...]
    example: Mapping[str, Any]
    features: tuple[ServedFeature, ...]
    views: tuple[OnlineView, ...]
    definitions: str


def of_files(pipeline: Pipeline, files: Files, snapshot: Snapshot, settings: Settings) -> bytes:
    """The file to be kept beside the files of a model that was logged."""
    model, columns = model_files.load(files, pipeline.training.reviewed_types), snapshot.features
    features = online_views.served_features(pipeline, settings)
    of_model, example = model_columns(features, columns), example_row(files, columns)
    rows = [*real_rows(snapshot, columns, settings), example]
    facts = {
        "columns": list(columns),
        "example": example,
        "features": [item.to_json() for item in features],
        "views": [item.to_json() for item in online_views.online_views(pipeline, settings)],
        "definitions": _definitions(pipeline, snapshot, settings),
    }
    return written.written(chosen_form(model, of_model, task_of(pipeline), rows), facts)


def read(files: Files) -> ServingForm | None:
    """What is kept among a version's files; None of a version of an older airloop, or of another one's.

    The files are those whose digest was compared: that is the reader's business.
    """
    if model_files.FORM not in files:
        return None
    try:
        description = written.read(files[model_files.FORM])
        facts = description.facts
        return ServingForm(
            form=description.form,
            why=description.why,
            columns=tuple(facts["columns"]),
            example=facts["example"],
            features=tuple(ServedFeature.from_json(item) for item in facts["features"]),
            views=tuple(OnlineView.from_json(item) for item in facts["views"]),
            definitions=facts["definitions"],
        )
    except (GuardRefused, KeyError, TypeError, ValueError) as error:
        logger.warning("the version is served by its pipeline: %s", error)
        return None


def served_by(files: Files) -> dict[str, str]:
    """What answers for a version, for its card: `form`, and `why` where that is its pipeline."""
    beside = read(files)
    if beside is None:
        return {"form": PIPELINE, "why": "no serving form lies beside its files"}
    return {"form": beside.form.name if beside.form else PIPELINE, "why": beside.why}


def real_rows(snapshot: Snapshot, columns: Sequence[str], settings: Settings) -> list[dict[str, Any]]:
    """Rows of the holdout of a training, as far as its file is there."""
    import fsspec
    import pyarrow.parquet as pq

    try:
        with fsspec.open(snapshot.uri, "rb", **settings.storage_options) as file:
            holdout = pq.read_table(file, columns=list(columns), filters=[("part", "=", "holdout")]).slice(
                0, fewer(_REAL_ROWS, len(columns))
            )
    except Exception as error:  # the file of an old training may be gone: the probes remain
        logger.info("the holdout is not there to compare on: %s", error)
        return []
    return [plain_row(row) for row in holdout.to_pylist()]


def example_row(files: Files, columns: Sequence[str]) -> dict[str, Any]:
    """The first row of the model's input example; all missing where there is none."""
    try:
        row = plain_row(model_files.input_example(files).to_dict(orient="records")[0])
        return {name: row.get(name) for name in columns}
    except (AirloopError, IndexError) as error:
        logger.info("there is no input example: %s", error)
        return dict.fromkeys(columns)


def _definitions(pipeline: Pipeline, snapshot: Snapshot, settings: Settings) -> str:
    from airloop.features import feature_store

    same = feature_store.fingerprint(pipeline, settings) == snapshot.feature_fingerprint
    return definition_files.files_digest(pipeline, settings) if same else ""
