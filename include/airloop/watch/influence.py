"""Influence: how much a model leans on a feature, and whether one feature alone has moved its predictions."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from airloop.problems import Floats, Task
from airloop.watch import drift

_ROWS = 1000
"""Rows a question is asked of; the mean of a share is then known to about three hundredths."""


@dataclass(frozen=True)
class Asked:
    """A model to ask.

    Attributes:
        rows: Rows of `features` it is asked about, at most a sample of them.
        categories: The features that hold no numbers.
    """

    task: Task
    model: Any
    features: Sequence[str]
    categories: Collection[str]
    rows: pd.DataFrame
    seed: int

    def predict(self, rows: pd.DataFrame) -> Floats:
        """Predictions for rows of its features."""
        return self.task.predict(self.model, rows[list(self.features)])

    def sampled(self) -> pd.DataFrame:
        """The rows it is asked about."""
        return self.rows.sample(min(_ROWS, len(self.rows)), random_state=self.seed).reset_index(drop=True)


def weights(asked: Asked, names: Sequence[str]) -> dict[str, float]:
    """Feature -> mean absolute change of a prediction once the feature is missing, in their standard deviations.

    0 for a feature the model does not use, and of predictions that do not vary.
    """
    rows = asked.sampled()
    if not len(rows):
        return dict.fromkeys(names, 0.0)
    predicted = asked.predict(rows)
    spread = float(predicted.std(axis=0).mean())
    by_feature = {}
    for name in names:
        nothing = pd.Series([None] * len(rows), dtype="object") if name in asked.categories else np.nan
        changed = asked.predict(rows.assign(**{name: nothing}))
        by_feature[name] = float(np.abs(changed - predicted).mean() / spread) if spread else 0.0
    return by_feature


def explained_shares(asked: Asked, reference: pd.DataFrame, then: pd.Series) -> dict[str, float]:
    """Feature -> share of the predictions' drift that is gone once it is distributed as in the reference.

    Numbers are mapped rank by rank to the reference's values, categories are drawn from them; the others stay.

    Args:
        reference: Rows of the features that `then`, the predictions of the reference, were made of.
    """
    rows = asked.sampled()
    whole = _score(asked, rows, then)
    if not whole:
        return dict.fromkeys(asked.features, 0.0)
    return {
        name: 1
        - _score(asked, rows.assign(**{name: _as_before(asked, name, rows[name], reference[name])}), then) / whole
        for name in asked.features
    }


def _score(asked: Asked, rows: pd.DataFrame, then: pd.Series) -> float:
    predicted = asked.task.for_drift(pd.Series(list(asked.predict(rows))))
    return drift.of_predictions(then, predicted, threshold=0.0).score or 0.0


def _as_before(asked: Asked, name: str, now: pd.Series, then: pd.Series) -> pd.Series:
    if name in asked.categories:
        drawn = then.sample(len(now), replace=True, random_state=asked.seed)
        return drawn.set_axis(now.index)
    values = np.sort(then.dropna().to_numpy(dtype=np.float64))
    if not values.size:
        return now
    share = (now.rank(method="average") - 0.5) / now.notna().sum()
    places = (share * values.size).clip(0, values.size - 1)
    mapped = pd.Series(np.nan, index=now.index)
    mapped[share.notna()] = values[places.dropna().astype("int64")]
    return mapped
