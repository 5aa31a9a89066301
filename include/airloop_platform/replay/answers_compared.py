"""What was answered over the API beside what batch scoring said of the same rows: equal, or how far apart."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np

from airloop.config import Pipeline
from airloop.errors import AirloopError
from airloop.problems import PREDICTION
from airloop.serving import score
from airloop.serving.collect import online_uri
from airloop.settings import Settings
from airloop.stores import lake
from airloop_platform.replay.questions import CALLER, Asked

_Predictions = dict[tuple[str, datetime], Any]


def largest_difference(pipeline: Pipeline, question: Asked, settings: Settings) -> float | None:
    """The largest difference between an answer and the batch prediction of its row; None where no row has both.

    Both are read from the lake, the answers as the service logged them.

    Raises:
        UpstreamUnavailable: The lake does not answer.
    """
    batch = _predictions(pipeline, score.predictions_uri(pipeline, settings), question, settings, of=("mode", "live"))
    online = _predictions(pipeline, online_uri(pipeline, settings), question, settings, of=("caller", CALLER))
    apart = [float(np.abs(np.subtract(batch[row], online[row])).max()) for row in batch.keys() & online.keys()]
    return max(apart, default=None)


def _predictions(
    pipeline: Pipeline, uri: str, question: Asked, settings: Settings, *, of: tuple[str, str]
) -> _Predictions:
    """The rows of the version whose column begins with a word."""
    if lake.open_table(uri, settings) is None:
        return {}
    key, (column, word) = pipeline.prediction.entity_key, of
    columns = [key, "decision_time", "model_version", PREDICTION, column]
    rows = lake.read(uri, settings, where=lake.between("decision_time", question.window), columns=columns).to_pylist()
    mine = (row for row in rows if row["model_version"] == question.version and row[column].startswith(word))
    return {(row[key], row["decision_time"]): row[PREDICTION] for row in mine}


def line(pipeline: Pipeline, questions: Sequence[Asked], settings: Settings) -> str:
    """What was asked over the API in all windows; empty where nothing was."""
    if not questions:
        return ""
    requests, errors = sum(item.requests for item in questions), sum(item.errors for item in questions)
    summary = f"API: {requests:,} requests before their rows were scored, {errors} errors"
    try:
        apart = [largest_difference(pipeline, item, settings) for item in questions]
    except AirloopError as error:
        return f"{summary}; not compared with the batch predictions: {error}"
    compared = [value for value in apart if value is not None]
    return (
        f"{summary}; at most {max(compared):.1g} from the batch prediction"
        if compared
        else f"{summary}; none was scored"
    )
