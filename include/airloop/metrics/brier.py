"""Brier score."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airloop.metrics.metric import MeanLoss

if TYPE_CHECKING:
    from airloop.metrics.metric import Floats


class Brier(MeanLoss):
    """Mean squared error of the probability (Brier 1950); lower is better, 0.25 is always saying one half."""

    title = "Brier"
    task = "binary"
    sign = -1.0

    def loss(self, labels: Floats, predictions: Floats) -> Floats:
        """See MeanLoss."""
        return (predictions - labels) ** 2
