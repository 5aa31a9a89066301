"""Area under the ROC curve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airloop.errors import DataContractError
from airloop.metrics.metric import Metric

if TYPE_CHECKING:
    from airloop.metrics.metric import Floats, Integers, Statistic


class RocAuc(Metric):
    """Chance that a positive row ranks above a negative one, ties one half; higher is better, 0.5 is not a ranking.

    As a Mann-Whitney count per pair of days: entry [d, e] counts the positives of day d above the negatives of day e.
    """

    title = "ROC-AUC"
    task = "binary"
    sign = 1.0

    def statistic(self, labels: Floats, predictions: Floats, block: Integers, size: int) -> Statistic:
        """See Metric."""
        import numpy as np

        positive = labels == 1
        if positive.all() or not positive.any():
            raise DataContractError(f"ROC-AUC of {labels.size} rows of a single class is not defined")
        ones, zeros = (np.bincount(block[mask], minlength=size).astype(np.float64) for mask in (positive, ~positive))
        order = np.argsort(predictions[positive], kind="stable")
        scores, days = predictions[positive][order], block[positive][order]
        wins = np.zeros((size, size))
        for day in range(size):
            negatives = np.sort(predictions[~positive & (block == day)])
            beaten = np.searchsorted(negatives, scores, "left") + np.searchsorted(negatives, scores, "right")
            wins[:, day] = np.bincount(days, weights=beaten / 2, minlength=size)

        def share_won(draws: Floats) -> Floats:
            pairs = (draws @ ones) * (draws @ zeros)
            won = ((draws @ wins) * draws).sum(axis=1)
            values: Floats = np.full(pairs.shape, np.nan)
            np.divide(won, pairs, out=values, where=pairs > 0)
            return values

        return share_won
