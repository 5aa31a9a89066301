"""Whether the best parameters of a search gain by unlabelled rows, on the folds that chose them."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from airloop.config import Pipeline
from airloop.models.fold_gains import adopted_where_sure
from airloop.models.folds import Fold, spread
from airloop.models.self_training import KEY

Score = Callable[[dict[str, Any], pd.DataFrame, pd.DataFrame], float]


def tried(
    pipeline: Pipeline, search: dict[str, Any], folds: Sequence[Fold], unlabelled: pd.DataFrame, score: Score
) -> dict[str, Any]:
    """The search, with self-training among its parameters where the folds surely gain; `unlabelled` has their scores.

    A fold learns from no unlabelled row that was decided after its last labelled one, and from no more than
    `budget.rows` of them; it is judged on its labelled rows.
    """
    if pipeline.training.unlabelled.by == "none" or unlabelled.empty:
        return search
    params = {**search["params"], KEY: pipeline.training.unlabelled.by}
    scores = []
    for fit, check in folds:
        before = unlabelled[unlabelled["decision_time"] <= fit["decision_time"].iloc[-1]]
        both = pd.concat([fit, spread(before, pipeline.training.budget.rows)])
        scores.append(score(params, both.sort_values("decision_time", kind="stable", ignore_index=True), check))
    return adopted_where_sure(search, "unlabelled", params, scores)
