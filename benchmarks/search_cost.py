"""A trial of the search: `tune`'s own function against scikit-learn's parts in a plain loop, on the same folds."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import brier_score_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from airloop.config import Pipeline
from airloop.errors import DataContractError
from airloop.features.examples import feature_frame
from airloop.models.estimators import feature_columns
from airloop.models.folds import folds
from airloop.models.tune import search_of
from benchmarks.flights import Flights
from benchmarks.row import Row, Trial, interleaved
from benchmarks.session import Session

NAME = "a search of four trials / scikit-learn in a plain loop"
BOUND = 1.2
UNIT = "s"

_CANDIDATE = "gradient_boosting"
_PARAMS = {"max_iter": 100, "learning_rate": 0.1, "max_leaf_nodes": 31, "min_samples_leaf": 100}
"""The only values that the search may draw: both sides fit the same models."""


def measure(session: Session) -> Row:
    """Both have to come to the same score."""
    pipeline, rows = _of_one_setting(session.flights), _rows(session.flights)
    scores = search_of(pipeline, _CANDIDATE, rows)["score"], _plain(pipeline, rows)
    if not np.isclose(*scores, rtol=1e-9):
        raise DataContractError(f"the search scores {scores[0]}, the plain loop {scores[1]}")

    def ours() -> Trial:
        return lambda: search_of(pipeline, _CANDIDATE, rows)

    def peer() -> Trial:
        return lambda: _plain(pipeline, rows)

    note = (
        f"{len(rows):,} flights, {pipeline.training.budget.trials} trials on {pipeline.training.budget.folds} folds "
        "of at most 30,000 rows: the same models and the same score. The peer is given the folds and draws nothing"
    )
    return Row(NAME, *interleaved(ours, peer), bound=BOUND, unit=UNIT, note=note)


def _of_one_setting(flights: Flights) -> Pipeline:
    training = flights.pipeline.training
    search = {name: (value,) for name, value in _PARAMS.items()}
    candidate = training.candidates[_CANDIDATE].model_copy(update={"search": search})
    return flights.pipeline.model_copy(
        update={"training": training.model_copy(update={"candidates": {_CANDIDATE: candidate}})}
    )


def _rows(flights: Flights) -> pd.DataFrame:
    frame = pd.concat([feature_frame(flights.pipeline, window, flights.settings) for window in flights.windows[:2]])
    return frame.dropna(subset=["label"]).reset_index(drop=True)


def _plain(pipeline: Pipeline, rows: pd.DataFrame) -> float:
    cut, trials = folds(pipeline, rows), pipeline.training.budget.trials
    return float(np.mean([np.mean([*_scores(pipeline, cut)]) for _ in range(trials)]))


def _scores(pipeline: Pipeline, cut: list[tuple[pd.DataFrame, pd.DataFrame]]) -> Iterator[float]:
    for fit, check in cut:
        names = feature_columns(pipeline, fit)
        texts = [name for name in names if not pd.api.types.is_numeric_dtype(fit[name])]
        numbers = [name for name in names if name not in texts]
        ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1)
        estimator = HistGradientBoostingClassifier(early_stopping=False, random_state=pipeline.training.seed, **_PARAMS)
        encoder = ColumnTransformer([("texts", ordinal, texts), ("numbers", "passthrough", numbers)])
        model = make_pipeline(encoder, estimator).fit(fit[names], fit["label"])
        yield -brier_score_loss(check["label"], model.predict_proba(check[names])[:, 1])
