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
class ModelOnRows:
    """A model, and rows that it predicts.

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


def weights(on_rows: ModelOnRows, names: Sequence[str]) -> dict[str, float]:
    """Feature -> mean absolute change of a prediction once the feature is missing, in their standard deviations.

    0 for a feature the model does not use, and of predictions that do not vary.
    """
    rows = on_rows.sampled()
    if not len(rows):
        return dict.fromkeys(names, 0.0)
    predicted = on_rows.predict(rows)
    spread = float(predicted.std(axis=0).mean())
    by_feature = {}
    for name in names:
        nothing = pd.Series([None] * len(rows), dtype="object") if name in on_rows.categories else np.nan
        changed = on_rows.predict(rows.assign(**{name: nothing}))
        by_feature[name] = float(np.abs(changed - predicted).mean() / spread) if spread else 0.0
    return by_feature


def explained_shares(on_rows: ModelOnRows, reference: pd.DataFrame, then: pd.Series) -> dict[str, float]:
    """Feature -> share of the predictions' drift that is gone once it is distributed as in the reference.

    Numbers are mapped rank by rank to the reference's values, categories are drawn from them; the others stay.

    Args:
        reference: Rows of the features that `then`, the predictions of the reference, were made of.
    """
    rows = on_rows.sampled()
    whole = _score(on_rows, rows, then)
    if not whole:
        return dict.fromkeys(on_rows.features, 0.0)
    return {
        name: 1
        - _score(on_rows, rows.assign(**{name: _as_before(on_rows, name, rows[name], reference[name])}), then) / whole
        for name in on_rows.features
    }


def _score(on_rows: ModelOnRows, rows: pd.DataFrame, then: pd.Series) -> float:
    predicted = on_rows.task.for_drift(pd.Series(list(on_rows.predict(rows))))
    return drift.of_predictions(then, predicted, threshold=0.0).score or 0.0


def _as_before(on_rows: ModelOnRows, name: str, now: pd.Series, then: pd.Series) -> pd.Series:
    if name in on_rows.categories:
        drawn = then.sample(len(now), replace=True, random_state=on_rows.seed)
        return drawn.set_axis(now.index)
    values = np.sort(then.dropna().to_numpy(dtype=np.float64))
    if not values.size:
        return now
    share = (now.rank(method="average") - 0.5) / now.notna().sum()
    places = (share * values.size).clip(0, values.size - 1)
    mapped = pd.Series(np.nan, index=now.index)
    mapped[share.notna()] = values[places.dropna().astype("int64")]
    return mapped
