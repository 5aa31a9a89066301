"""`airloop trace`: everything behind one prediction, out of what is recorded; and whether it comes out again."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from airloop.authoring.trace import predicted_row, rows
from airloop.config import Pipeline
from airloop.errors import AirloopError, GuardRefused
from airloop.features import examples
from airloop.models import model_version
from airloop.problems import PREDICTION
from airloop.records import Window
from airloop.reports import card
from airloop.settings import Settings
from airloop.stores import ledger
from airloop.stores.mlflow import provenance, tag_names

_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Trace:
    """What is behind a prediction.

    Attributes:
        prediction: As it was written; `others`: how many more predictions of the entity there are.
        label: What came, as far as it is known; None otherwise.
        features: Values the model takes, computed again as they were known; empty with `not_computed` why.
        again: What the version predicts for them now; `same` whether that is what was written, None without features.
        feature_rows: Per view the row the values come from; see airloop.authoring.trace.rows.
        clean_rows: Rows of the feeds with the files they landed in; likewise.
        model: Version, candidate, cutoff, digests, and the code and lock that trained it.
        decisions: Entries of the ledger about the version: judged, approved, promoted, and by whom.
    """

    prediction: dict[str, Any]
    others: int
    label: float | None
    features: dict[str, Any]
    not_computed: str
    again: Any
    same: bool | None
    feature_rows: list[dict[str, Any]]
    clean_rows: list[dict[str, Any]]
    model: dict[str, Any]
    decisions: list[dict[str, Any]]

    def to_json(self) -> dict[str, Any]:
        """As JSON; instants in ISO."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def trace(pipeline: Pipeline, key: str, settings: Settings, *, at: datetime | None = None) -> Trace:
    """Follow the newest prediction for an entity that was decided by `at` back to the files it rests on.

    Raises:
        DataContractError: Nothing was predicted for this entity.
        UpstreamUnavailable: Nothing was predicted at all, or a store does not answer.
        GuardRefused: The ledger does not verify, or nothing is known of the version.
    """
    prediction, others = predicted_row.find(pipeline, key, settings, at=at)
    decided, version = prediction["decision_time"], int(prediction["model_version"])
    ledger.intact_history(settings, pipeline.name)
    example, label, values, not_computed = _example(pipeline, key, Window(decided, decided + _MOMENT), settings)
    again, same = _again(pipeline, version, values, prediction, settings)
    card_content = card.content(pipeline, version, settings)
    return Trace(
        prediction=prediction,
        others=others,
        label=label,
        features=values,
        not_computed=not_computed,
        again=again,
        same=same,
        feature_rows=list(rows.feature_rows(pipeline, example, decided, settings)),
        clean_rows=list(rows.clean_rows(pipeline, example, decided, settings)),
        model=_model(card_content, settings),
        decisions=card_content["history"],
    )


def _example(
    pipeline: Pipeline, key: str, window: Window, settings: Settings
) -> tuple[dict[str, Any], float | None, dict[str, Any], str]:
    """The example with its keys, its label, its feature values, and why there are none."""
    column = pipeline.prediction.entity_key

    def only(table: pa.Table) -> pa.Table:
        return table.filter(pa.compute.equal(table[column], key))

    try:
        example = only(examples.examples(pipeline, window, settings)).to_pylist()
        frame = examples.feature_frame(pipeline, window, settings, keep=only)
    except AirloopError as error:
        return {column: key}, None, {}, str(error)
    if frame.empty:
        return {column: key}, None, {}, "its rows were corrected since: there is no such example any more"
    row = {str(name): None if _missing(value) else value for name, value in frame.iloc[0].items()}
    label = row.pop("label")
    values = {name: value for name, value in row.items() if name not in (column, "decision_time")}
    return example[0], label, values, ""


def _again(
    pipeline: Pipeline, version: int, values: Mapping[str, Any], prediction: Mapping[str, Any], settings: Settings
) -> tuple[Any, bool | None]:
    """What the version predicts for the values, and whether that was written."""
    if not values:
        return None, None
    import pandas as pd

    try:
        model = model_version.load_version(pipeline, version, settings)
        numbers = {name: np.nan if value is None else value for name, value in values.items()}
        predicted = model.predict(pipeline, pd.DataFrame([numbers]))[0]
    except GuardRefused as error:
        return str(error), None
    return np.asarray(predicted).tolist(), bool(np.allclose(predicted, prediction[PREDICTION], rtol=0, atol=1e-12))


def _model(card_content: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    tags = provenance.run_tags(settings, card_content["version"]["run_id"]) if card_content["version"]["run_id"] else {}
    return {
        **card_content["version"],
        "cutoff": card_content["data"].get("cutoff"),
        "training_set": card_content["data"].get("digest"),
        "feature_fingerprint": card_content["data"].get("feature_fingerprint"),
        "code_commit": tags.get(tag_names.CODE_COMMIT, "unknown"),
        "lock_sha256": tags.get(tag_names.LOCK_SHA256, "unknown"),
    }


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.item() if isinstance(value, np.generic) else value
