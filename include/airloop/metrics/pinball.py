"""Pinball loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airloop.errors import DataContractError
from airloop.metrics.metric import MeanLoss

if TYPE_CHECKING:
    from airloop.metrics.metric import Floats


class Pinball(MeanLoss):
    """Mean over rows and levels of max(q (y - p), (q - 1) (y - p)), in the label's unit; lower is better.

    Its expectation is least at the true quantiles (Koenker & Bassett 1978). At the single level 0.5 it is half the MAE.
    """

    title = "pinball"
    task = "quantiles"
    sign = -1.0

    def loss(self, labels: Floats, predictions: Floats) -> Floats:
        """See MeanLoss.

        Raises:
            DataContractError: The predictions do not say of which levels they are.
        """
        import numpy as np

        levels = np.asarray(getattr(predictions, "levels", ()), dtype=np.float64)
        if levels.size == 0:
            raise DataContractError("these predictions do not say of which quantiles they are: no pinball loss")
        above = labels[:, None] - np.asarray(predictions)
        losses: Floats = np.maximum(levels * above, (levels - 1) * above).mean(axis=1)
        return losses
