"""A logged interval sent to a version again: what it would have answered to what was really asked."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from airloop.config import Pipeline
from airloop.errors import DataContractError, GuardRefused
from airloop.models import model_version
from airloop.problems import Floats
from airloop.records import Record, Window, parse_instant
from airloop.serving.collect import online_uri
from airloop.serving.inputs import read_inputs
from airloop.serving.prediction_log import read_segment, segments
from airloop.settings import Settings
from airloop.stores import lake

SAME = 1e-12
_ROWS_AT_ONCE = 20_000


@dataclass(frozen=True)
class Replayed(Record):
    """A version's answers beside the logged ones; differences are of single predictions (of the largest class).

    Attributes:
        answered_by: Version -> how many of the rows it had answered.
        equal: Rows whose two answers differ by at most 1e-12.
        mean_difference: Replayed - logged, with its sign.
    """

    window: Window
    version: int
    answered_by: dict[str, int]
    rows: int
    equal: int
    largest_difference: float
    mean_difference: float
    mean_absolute_difference: float


@dataclass(frozen=True)
class _Row:
    id: str
    version: int
    features: dict[str, Any]
    prediction: Any


def replay_log(pipeline: Pipeline, window: Window, version: int, settings: Settings) -> Replayed:
    """Ask a version what was asked in the window (wall clock of the answers), with the very features of then.

    Raises:
        DataContractError: Nothing is logged in the window.
        GuardRefused: The version does not load, takes a feature that was not logged, or is of another task than the
            one that answered.
    """
    rows = list(_logged(pipeline, window, settings))
    if not rows:
        raise DataContractError(
            f"{pipeline.name}: no answer is logged in {window}; see the table {online_uri(pipeline, settings)}"
        )
    model = model_version.load_version(pipeline, version, settings)
    inputs = read_inputs(pipeline, model.features, settings)
    for row in rows:  # each: answers of several versions, with features of their own, may lie in one window
        if missing := [name for name in inputs.by_name if name not in row.features]:
            raise GuardRefused(
                f"version {version} takes feature {missing[0]!r}, which version {row.version} did not log for its "
                f"answer {row.id}: give a window in which every answer has it"
            )
    parts = [
        model.predict(pipeline, inputs.of_model.table([inputs.row(row.features) for row in part]).to_pandas())
        for part in (rows[at : at + _ROWS_AT_ONCE] for at in range(0, len(rows), _ROWS_AT_ONCE))
    ]
    return _compared(window, version, rows, np.concatenate(parts))


def _refuse_other_shape(version: int, rows: Sequence[_Row], replayed: Floats) -> None:
    """A probability beside probabilities of classes, or of other classes, has no difference."""
    for row in rows:
        if np.shape(row.prediction) != replayed.shape[1:]:
            raise GuardRefused(
                f"version {version} answers {_shape(replayed.shape[1:])}, and version {row.version} answered "
                f"{_shape(np.shape(row.prediction))} ({row.id}): the task was another one; give a window after that"
            )


def _shape(shape: tuple[int, ...]) -> str:
    return f"{shape[0]} numbers a row" if shape else "one number a row"


def _compared(window: Window, version: int, rows: Sequence[_Row], replayed: Floats) -> Replayed:
    _refuse_other_shape(version, rows, replayed)
    logged = np.array([row.prediction for row in rows], dtype=np.float64)
    apart = replayed - logged
    if apart.ndim > 1:
        apart = apart[np.arange(len(apart)), np.abs(apart).argmax(axis=1)]
    versions, counts = np.unique([row.version for row in rows], return_counts=True)
    return Replayed(
        window=window,
        version=version,
        answered_by={str(number): int(count) for number, count in zip(versions, counts, strict=True)},
        rows=len(rows),
        equal=int((np.abs(apart) <= SAME).sum()),
        largest_difference=float(np.abs(apart).max()),
        mean_difference=float(apart.mean()),
        mean_absolute_difference=float(np.abs(apart).mean()),
    )


def _logged(pipeline: Pipeline, window: Window, settings: Settings) -> Iterator[_Row]:
    """What the lake holds and what this machine's log has not handed over yet, each answer once."""
    ids = set()
    uri = online_uri(pipeline, settings)
    if lake.open_table(uri, settings) is not None:
        columns = ["prediction_id", "model_version", "features", "prediction"]
        table = lake.read(uri, settings, where=lake.between("answered_at", window), columns=columns)
        for row in table.to_pylist():
            ids.add(row["prediction_id"])
            yield _Row(row["prediction_id"], row["model_version"], json.loads(row["features"]), row["prediction"])
    for path in segments(settings, pipeline.name):
        for record in read_segment(path):
            if window.start <= parse_instant(record.at) < window.end and record.id not in ids:
                ids.add(record.id)
                yield _Row(record.id, record.version, record.features, record.prediction)
