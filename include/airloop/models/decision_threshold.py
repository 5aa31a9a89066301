"""The probability from which a version's prediction is acted on, kept with it; see airloop.models.threshold_choice."""

import json
from collections.abc import Mapping
from typing import Any

from airloop.stores.mlflow import model_files

KEY = "airloop_threshold"
"""Among a version's parameters. No parameter of an estimator."""
_RECORDED = "threshold"


def threshold_of(params: Mapping[str, Any]) -> float | None:
    """The threshold among a version's parameters; None where none was chosen."""
    return params.get(KEY)


def recorded(params: Mapping[str, Any]) -> dict[str, float]:
    """What a version keeps of it beside its files, so that the digest of what was judged covers it."""
    return {_RECORDED: params[KEY]} if KEY in params else {}


def of_files(files: Mapping[str, bytes]) -> float | None:
    """What `recorded` wrote; None of a version without one, or of an older airloop."""
    record = json.loads(files[model_files.RECORD]) if model_files.RECORD in files else {}
    threshold: float | None = record.get(_RECORDED)
    return threshold


def class_of(prediction: float, threshold: float) -> int:
    """1 from the threshold on."""
    return int(prediction >= threshold)
