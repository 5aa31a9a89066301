"""Root mean squared error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airloop.metrics.metric import RootMeanLoss

if TYPE_CHECKING:
    from airloop.metrics.metric import Floats


class RootMeanSquaredError(RootMeanLoss):
    """Root of the mean squared distance, in the label's unit; lower is better, and a few large misses weigh more."""

    title = "RMSE"
    task = "regression"
    sign = -1.0

    def loss(self, labels: Floats, predictions: Floats) -> Floats:
        """See MeanLoss."""
        return (predictions - labels) ** 2
