"""Mean absolute error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airloop.metrics.metric import MeanLoss

if TYPE_CHECKING:
    from airloop.metrics.metric import Floats


class MeanAbsoluteError(MeanLoss):
    """Mean distance of the predicted value from the label, in the label's unit; lower is better."""

    title = "MAE"
    task = "regression"
    sign = -1.0

    def loss(self, labels: Floats, predictions: Floats) -> Floats:
        """See MeanLoss."""
        distances: Floats = abs(predictions - labels)
        return distances
