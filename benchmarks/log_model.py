"""Logging a fitted model to MLflow: the way `train` does it against `log_model` as it comes."""

import itertools
import logging
from collections.abc import Callable
from typing import Any, cast

import mlflow
import numpy as np
import pandas as pd

from airloop.errors import DataContractError
from airloop.features.examples import feature_frame
from airloop.features.feature_store import feature_names
from airloop.models.estimators import fitted_model, trusted_types
from airloop.models.registration import Origin, log_model
from airloop.records import Snapshot
from airloop.stores.mlflow import tracking
from benchmarks.flights import Flights
from benchmarks.row import Row, Trial, interleaved
from benchmarks.session import Session

NAME = "log a model to MLflow / log_model as it comes"
BOUND = 0.2
UNIT = "s"

_CANDIDATE = "gradient_boosting"
_ROWS = 5000

Log = Callable[[str], str]


def measure(session: Session) -> Row:
    """Every trial logs the same fitted model to a run of its own; both have to load and predict the same."""
    # It says once per model that it found no pip.
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    flights = session.flights
    model, rows = _fitted(flights)
    log_ours, log_peer = _ours(flights, model, rows), _as_it_comes(model, rows)
    new_run = _runs(flights)
    predicted = [_predictions(log(next(new_run)), rows) for log in (log_ours, log_peer)]
    if not np.array_equal(*predicted):
        raise DataContractError("the model logged by airloop and the one logged as it comes predict differently")
    seconds = interleaved(lambda: _trial(log_ours, next(new_run)), lambda: _trial(log_peer, next(new_run)))
    note = (
        "the same gradient boosting, which loads and predicts the same. The peer infers its requirements in a process "
        "of its own; airloop names them, and logs parameters and a score too. Fitting is not in it"
    )
    return Row(NAME, *seconds, bound=BOUND, unit=UNIT, note=note)


def _fitted(flights: Flights) -> tuple[Any, pd.DataFrame]:
    frame = feature_frame(flights.pipeline, flights.windows[0], flights.settings).dropna(subset=["label"])
    names = list(feature_names(flights.pipeline, flights.settings))
    rows = frame.tail(_ROWS)
    return fitted_model(flights.pipeline, _CANDIDATE, {}, rows, names), rows[names]


def _runs(flights: Flights) -> Any:
    for number in itertools.count():
        name = f"benchmark {number}"
        yield tracking.run_of(flights.pipeline, flights.settings, key=name, name=name, tags={}).info.run_id


def _ours(flights: Flights, model: Any, rows: pd.DataFrame) -> Log:
    # Only what it was made from is logged here; the snapshot is sealed beside it later.
    origin = Origin(cast("Snapshot", None), _CANDIDATE, params={}, record={}, tags={})
    return lambda run_id: log_model(flights.pipeline, model, rows, origin, flights.settings, run_id=run_id)


def _as_it_comes(model: Any, rows: pd.DataFrame) -> Log:
    def log(run_id: str) -> str:
        with mlflow.start_run(run_id=run_id):
            # MLflow's default format loads no other model of this kind.
            trusted = trusted_types(model)
            logged = mlflow.sklearn.log_model(
                model, name="model", input_example=rows.tail(5), skops_trusted_types=trusted
            )
        return str(logged.model_uri)

    return log


def _trial(log: Log, run_id: str) -> Trial:
    return lambda: log(run_id)


def _predictions(uri: str, rows: pd.DataFrame) -> np.ndarray:
    return np.asarray(mlflow.sklearn.load_model(uri).predict_proba(rows))
