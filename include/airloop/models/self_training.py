"""Self-training: a classifier labels the unlabelled rows it is sure of, and learns again from both.

One round of Scudder (1965, IEEE Transactions on Information Theory 11) and Yarowsky (1995). It helps where the rows in
doubt lie along what the sure ones show, and harms where the first fit is wrong and sure; so folds decide.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from airloop.config import Pipeline
from airloop.models import calibrated, decision_threshold, partners, several_fits, stable_features
from airloop.problems import task_of

KEY = "airloop_unlabelled"
"""Among a version's parameters: that it learned from unlabelled rows, too. No parameter of an estimator."""

_NOT_ITS_OWN = frozenset(
    {KEY, calibrated.KEY, decision_threshold.KEY, partners.KEY, several_fits.KEY, stable_features.KEY}
)

Fit = Callable[[pd.DataFrame], Any]


def uses_unlabelled(params: Mapping[str, Any]) -> bool:
    """Whether a candidate with these parameters learns from unlabelled rows, too."""
    return params.get(KEY) == "self_training"


def of_estimator(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that the estimator itself takes."""
    return {name: value for name, value in params.items() if name not in _NOT_ITS_OWN}


def self_trained(pipeline: Pipeline, rows: pd.DataFrame, features: Sequence[str], fit: Fit) -> Any:
    """The model of a second fit; of the first where it is sure of no unlabelled row.

    Args:
        rows: Labelled and unlabelled rows, by decision_time.
        fit: Labelled rows -> a fitted model.
    """
    labelled = rows["label"].notna()
    model = fit(rows[labelled])
    unlabelled = rows[~labelled]
    if unlabelled.empty:
        return model
    predicted = task_of(pipeline).predict(model, unlabelled[list(features)])
    chances = predicted if predicted.ndim > 1 else np.column_stack([1 - predicted, predicted])
    sure = chances.max(axis=1) >= pipeline.training.unlabelled.sure
    if not sure.any():
        return model
    guessed = unlabelled[sure].assign(label=chances[sure].argmax(axis=1).astype(np.float64))
    # In the order of time, as every fit sees its rows.
    return fit(pd.concat([rows[labelled], guessed]).sort_index())
