"""What a model's predictions rest on, by two measures that hold for every model, whatever it does inside.

- Permutation importance (Breiman 2001; Fisher, Rudin & Dominici 2019): how much worse the metric is when one feature's
  values are shuffled among the rows.
- Shapley values by sampled orders (Štrumbelj & Kononenko 2014): how much each feature moves a prediction away from that
  of another row, features taken over one after the other. They are taken of the features as they come in, before any
  encoding, so that native categories count right, where explainers that read a tree's splits are silently wrong.

Correlated features share what they say: either measure sees rows that do not occur.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from airloop.config import METRICS
from airloop.models import evidence
from airloop.problems import Floats, Integers

Predict = Callable[[pd.DataFrame], Floats]

MOST_FEATURES = 60
"""Of more features, elements of an array for instance, no single one explains anything, and all would take minutes."""

_ROWS, _REPEATS = 1500, 3
_EXPLAINED, _ORDERS = 40, 12


@dataclass(frozen=True)
class Importance:
    """What a feature is to a model.

    Attributes:
        loss: How much worse the metric is with its values shuffled, mean of the repeats; `spread` their standard
            deviation.
        moves: Mean absolute Shapley value, in the unit of a prediction; None where none were computed.
    """

    feature: str
    loss: float
    spread: float
    moves: float | None = None


def importances(
    predict: Predict, rows: pd.DataFrame, features: Sequence[str], *, metric: str, seed: int
) -> tuple[Importance, ...]:
    """Every feature of a model, the one with the largest loss first; nothing with too few rows or too many features.

    Args:
        predict: Predictions for rows that hold the features.
        rows: Labelled rows that the model has not learned from; so many evenly spread ones are taken.
    """
    if len(rows) < evidence.MIN_ROWS or len(features) > MOST_FEATURES:
        return ()
    lost = losses(predict, rows, features, metric=metric, seed=seed)
    sample = rows.iloc[_spread(len(rows), _ROWS)].reset_index(drop=True)
    moves = np.abs(shapley(predict, sample, features, seed=seed)).mean(axis=0)
    of_features = [
        Importance(feature, float(np.mean(lost[feature])), float(np.std(lost[feature])), float(moved))
        for feature, moved in zip(features, moves, strict=True)
    ]
    return tuple(sorted(of_features, key=lambda item: (-item.loss, item.feature)))


def losses(
    predict: Predict, rows: pd.DataFrame, features: Sequence[str], *, metric: str, seed: int
) -> dict[str, list[float]]:
    """How much worse the metric is with each feature's values shuffled, once a repeat; of at most 1,500 rows.

    Args:
        rows: Labelled rows that the model has not learned from; so many evenly spread ones are taken.
    """
    rows = rows.iloc[_spread(len(rows), _ROWS)].reset_index(drop=True)
    draw, sign = np.random.default_rng(seed), METRICS[metric].sign
    whole = evidence.metric_value(metric, rows["label"], predict(rows))
    by_feature: dict[str, list[float]] = {}
    for feature in features:
        values = rows[feature]
        shuffled = [values.iloc[draw.permutation(len(rows))].set_axis(rows.index) for _ in range(_REPEATS)]
        by_feature[feature] = [
            sign * (whole - evidence.metric_value(metric, rows["label"], predict(rows.assign(**{feature: order}))))
            for order in shuffled
        ]
    return by_feature


def shapley(predict: Predict, rows: pd.DataFrame, features: Sequence[str], *, seed: int) -> Floats:
    """Shapley values (explained rows, features) of evenly spread rows against rows drawn at random.

    Each row's values add up to its prediction less the mean prediction of the rows it was set against; of a multiclass
    task the prediction is the probability of the class that is predicted, of quantiles the middle one.
    """
    draw = np.random.default_rng(seed)
    explained = rows.iloc[_spread(len(rows), _EXPLAINED)].reset_index(drop=True)
    named = _named_class(predict(explained))
    values = np.zeros((len(explained), len(features)))
    for _ in range(_ORDERS):
        order = draw.permutation(len(features))
        other = rows.iloc[draw.integers(0, len(rows), len(explained))].reset_index(drop=True)
        steps = [other]
        for place in order:
            # Column by column, so that each keeps its type.
            steps.append(steps[-1].assign(**{features[place]: explained[features[place]]}))
        answers = _of_class(predict(pd.concat(steps, ignore_index=True)), named, len(steps))
        values[:, order] += np.diff(answers, axis=0).T / _ORDERS
    return values


def _named_class(predicted: Floats) -> Integers | None:
    if levels := getattr(predicted, "levels", ()):
        return np.full(len(predicted), len(levels) // 2)
    return predicted.argmax(axis=1) if predicted.ndim > 1 else None


def _of_class(predicted: Floats, named: Integers | None, steps: int) -> Floats:
    """One number a row, as (steps, rows)."""
    if named is not None:
        predicted = predicted[np.arange(len(predicted)), np.tile(named, steps)]
    return predicted.reshape(steps, -1)


def _spread(rows: int, most: int) -> Integers:
    """Places of at most so many rows, evenly spread."""
    return np.unique(np.linspace(0, rows - 1, min(rows, most)).astype(np.int64))
