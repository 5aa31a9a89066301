"""Feature selection by stability: what matters in enough of the fits on halves of the folds' days stays.

Stability selection (Meinshausen & Bühlmann 2010, Journal of the Royal Statistical Society B 72) with complementary
halves (Shah & Samworth 2013, B 75). A feature matters in a fit when each shuffle of its values among rows that the fit
has not seen loses more than any shuffle of any feature gains: gains are luck, and say how large luck is here.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from airloop.config import Pipeline
from airloop.models import evidence, importance
from airloop.models.fold_gains import with_params
from airloop.models.folds import Fold
from airloop.problems import task_of

KEY = "airloop_features"
"""Among a version's parameters: the features that it reads, of those that it is given. No parameter of an estimator."""

Score = Callable[[dict[str, Any], pd.DataFrame, pd.DataFrame], float]
FitModel = Callable[[dict[str, Any], pd.DataFrame], Any]


def read_by(params: Mapping[str, Any], features: Sequence[str]) -> list[str]:
    """The features, in their order, that a candidate with these parameters reads."""
    chosen = params.get(KEY)
    return [name for name in features if chosen is None or name in chosen]


def tried(
    pipeline: Pipeline,
    search: dict[str, Any],
    folds: Sequence[Fold],
    features: Sequence[str],
    *,
    fit: FitModel,
    score: Score,
) -> dict[str, Any]:
    """The search, with the stable features among its parameters where the folds allow it.

    `selection` has the share of fits in which each feature mattered, the scores of both, and whether it is used. It is
    not where every feature or none is stable, nor with a single fold, which has no error.
    """
    if pipeline.training.selection.by == "none":
        return search
    shares = _shares(pipeline, search["params"], folds, features, fit)
    stable = [name for name in features if shares.get(name, 0.0) >= pipeline.training.selection.at_least]
    selection: dict[str, Any] = {"shares": shares, "kept": stable, "used": False}
    if not 0 < len(stable) < len(features):
        return search | {"selection": selection}
    params = {**search["params"], KEY: stable}
    scores = [score(params, fitted, check) for fitted, check in folds]
    selection |= {"all": search["fold_scores"], "stable": scores}
    if not loses_little(search["fold_scores"], scores):
        return search | {"selection": selection}
    return with_params(search, params, scores) | {"selection": selection | {"used": True}}


def loses_little(every: Sequence[float], stable: Sequence[float]) -> bool:
    """Whether the folds lose no more than one standard error by the smaller set (Breiman et al. 1984, section 3.4.3).

    Args:
        every: Score of each fold with all features, higher is better; `stable` likewise with the stable ones.
    """
    losses = np.subtract(every, stable)
    if losses.size < 2:
        return False
    return bool(losses.mean() <= losses.std(ddof=1) / np.sqrt(losses.size))


def _shares(
    pipeline: Pipeline, params: dict[str, Any], folds: Sequence[Fold], features: Sequence[str], fit: FitModel
) -> dict[str, float]:
    """Of the fits, those in which each feature mattered; nothing where no half can be learned from."""
    task, mattered = task_of(pipeline), []
    for rows, check in folds:
        odd = evidence.utc_days(rows["decision_time"]) % 2 == 1
        for half in (rows[~odd], rows[odd]):
            if half.empty or not task.can_learn(half["label"]):
                continue
            model = fit(params, half.reset_index(drop=True))
            mattered.append(_matters(pipeline, model, check, features))
    if not mattered:
        return {}
    return {name: float(np.mean([name in of_fit for of_fit in mattered])) for name in features}


def _matters(pipeline: Pipeline, model: Any, check: pd.DataFrame, features: Sequence[str]) -> set[str]:
    def predict(rows: pd.DataFrame) -> Any:
        return task_of(pipeline).predict(model, rows[list(features)])

    training = pipeline.training
    losses = importance.losses(predict, check, features, metric=training.metric, seed=training.seed)
    luck = max(0.0, -min(min(of_feature) for of_feature in losses.values()))
    return {name for name, of_feature in losses.items() if min(of_feature) > luck}
