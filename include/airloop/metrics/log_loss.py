"""Logarithmic loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airloop.metrics.metric import MeanLoss

if TYPE_CHECKING:
    from airloop.metrics.metric import Floats

_SMALLEST_PROBABILITY = 1e-15


class LogLoss(MeanLoss):
    """Mean of -log of the probability of the class that came; lower is better.

    A probability smaller than 1e-15 counts as that: a class never met in training has 0.
    """

    title = "log loss"
    task = "multiclass"
    sign = -1.0

    def loss(self, labels: Floats, predictions: Floats) -> Floats:
        """See MeanLoss."""
        import numpy as np

        came = predictions[np.arange(labels.size), labels.astype(np.int64)]
        losses: Floats = -np.log(np.maximum(came, _SMALLEST_PROBABILITY))
        return losses
