"""What a model card says of a version beyond its decision: metrics with intervals, groups, calibration, importances."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from airloop.config import Pipeline
from airloop.errors import DataContractError
from airloop.models import evidence
from airloop.models.bootstrap import gate_bootstrap
from airloop.models.importance import importances
from airloop.models.model_version import ModelVersion
from airloop.problems import Floats

_BINS = 10
_MOST_VALUES = 12
_MOST_COLUMNS = 4


def measure(pipeline: Pipeline, version: ModelVersion, rows: pd.DataFrame) -> dict[str, Any]:
    """All of it as JSON, on labelled rows that the version has not learned from.

    Args:
        rows: decision_time (UTC), label, and the version's features.
    """
    predicted = version.predict(pipeline, rows)
    if pipeline.prediction.task == "anomaly" and rows["label"].nunique() < 2:
        return {"metrics": [], "slices": [], "calibration": None, "importance": []}
    ranked = importances(
        lambda changed: version.predict(pipeline, changed),
        rows,
        version.features,
        metric=pipeline.gate.compare.metric,
        seed=pipeline.training.seed,
    )
    return {
        "metrics": [_measured(pipeline, name, rows, predicted) for name in pipeline.metrics],
        "slices": list(_slices(pipeline, version, rows, predicted)),
        "calibration": _calibration(rows, predicted) if pipeline.prediction.task == "binary" and len(rows) else None,
        "importance": [dataclasses.asdict(item) for item in ranked],
    }


def _measured(pipeline: Pipeline, metric: str, rows: pd.DataFrame, predicted: Floats) -> dict[str, Any]:
    """A metric with its day-block interval; None for what is not defined on so few rows or days."""
    rule = pipeline.gate.compare
    days = evidence.utc_days(rows["decision_time"])
    nothing: dict[str, Any] = {"metric": metric, "value": None, "lower": None, "upper": None}
    nothing |= {"confidence": rule.confidence, "days": evidence.blocks(days)}
    try:
        value = evidence.metric_value(metric, rows["label"], predicted)
        draws = gate_bootstrap(pipeline)
        _, lower, upper = evidence.interval(rows["label"], predicted, days, metric=metric, bootstrap=draws)
    except DataContractError:
        return nothing
    return nothing | {"value": value, "lower": lower, "upper": upper}


def _slices(
    pipeline: Pipeline, version: ModelVersion, rows: pd.DataFrame, predicted: Floats
) -> Iterator[dict[str, Any]]:
    """The gate's metric per value of the columns of its rule `slices`; without one, of text features of few values."""
    for column in _columns(pipeline, version, rows):
        values = rows[column].astype(str).to_numpy()
        for value in sorted(set(values)):
            inside = values == value
            figures = _measured(pipeline, pipeline.gate.compare.metric, rows[inside], predicted[inside])
            means: dict[str, float | None] = {
                "label": float(rows.loc[inside, "label"].mean()),
                "prediction": float(predicted[inside].mean()),
            }
            if pipeline.prediction.task == "multiclass":  # numbers of classes have no mean
                means = {"label": None, "prediction": None}
            yield {"slice": f"{column}={value}", "rows": int(inside.sum()), **figures, **means}


def _columns(pipeline: Pipeline, version: ModelVersion, rows: pd.DataFrame) -> list[str]:
    declared = [column for rule in pipeline.gate.rules if rule.kind == "slices" for column in rule.build().columns]
    if declared:
        return [column for column in dict.fromkeys(declared) if column in rows]
    texts = [name for name in version.features if not pd.api.types.is_numeric_dtype(rows[name])]
    return [name for name in texts if 1 < rows[name].nunique() <= _MOST_VALUES][:_MOST_COLUMNS]


def _calibration(rows: pd.DataFrame, predicted: Floats) -> dict[str, Any]:
    """Mean prediction and share of positives by bins of equal size, and the mean of their distances."""
    labels = rows["label"].to_numpy(dtype="float64")
    parts = [part for part in np.array_split(np.argsort(predicted, kind="stable"), _BINS) if part.size]
    means = [float(predicted[part].mean()) for part in parts]
    came = [float(labels[part].mean()) for part in parts]
    weights = np.array([part.size for part in parts]) / len(labels)
    return {"error": float(weights @ np.abs(np.subtract(means, came))), "predicted": means, "observed": came}
