"""Accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airloop.metrics.metric import MeanLoss

if TYPE_CHECKING:
    from airloop.metrics.metric import Floats


class Accuracy(MeanLoss):
    """Share of rows whose most probable class came, of equally probable ones the first; higher is better."""

    title = "accuracy"
    task = "multiclass"
    sign = 1.0

    def loss(self, labels: Floats, predictions: Floats) -> Floats:
        """Whether a row is a hit: here the mean is a gain, not a loss."""
        hits: Floats = (predictions.argmax(axis=1) == labels).astype("float64")
        return hits
