"""Ranking loss of anomaly scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airloop.metrics.roc_auc import RocAuc

if TYPE_CHECKING:
    from airloop.metrics.metric import Floats, Integers, Statistic


class RankingLoss(RocAuc):
    """Chance that an ordinary row scores above an anomaly, ties one half: 1 - ROC-AUC; lower is better."""

    title = "ranking loss"
    task = "anomaly"
    sign = -1.0

    def statistic(self, labels: Floats, predictions: Floats, block: Integers, size: int) -> Statistic:
        """See Metric."""
        area = super().statistic(labels, predictions, block, size)

        def loss(draws: Floats) -> Floats:
            losses: Floats = 1 - area(draws)
            return losses

        return loss
