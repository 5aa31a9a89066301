"""Metrics of many draws of days at once, from sums per day (losses) or per pair of days (ROC-AUC).

A draw says how often each day occurs: a row of float64 (draws, days). No draw touches the rows themselves.
"""

from collections.abc import Callable

import numpy as np

from airloop.errors import DataContractError
from airloop.problems import Floats, Integers

Statistic = Callable[[Floats], Floats]
"""Draws -> the metric of each; NaN where it is not defined."""
Measure = Callable[[Floats, Floats, Integers, int], Statistic]
"""Labels, predictions, day of each row as an index, number of days -> the statistic."""

_SMALLEST_PROBABILITY = 1e-15


def _mean_loss(loss: Callable[[Floats, Floats], Floats]) -> Measure:
    """A metric that is the mean of a loss per row: a draw needs the rows and the losses of each day."""

    def measure(labels: Floats, predictions: Floats, block: Integers, size: int) -> Statistic:
        rows = np.bincount(block, minlength=size)
        losses = np.bincount(block, weights=loss(labels, predictions), minlength=size)

        def statistic(draws: Floats) -> Floats:
            means: Floats = (draws @ losses) / (draws @ rows)
            return means

        return statistic

    return measure


def _rooted(measure: Measure) -> Measure:
    def root(labels: Floats, predictions: Floats, block: Integers, size: int) -> Statistic:
        means = measure(labels, predictions, block, size)

        def statistic(draws: Floats) -> Floats:
            roots: Floats = np.sqrt(means(draws))
            return roots

        return statistic

    return root


def _log_losses(labels: Floats, predictions: Floats) -> Floats:
    came = predictions[np.arange(labels.size), labels.astype(np.int64)]
    losses: Floats = -np.log(np.maximum(came, _SMALLEST_PROBABILITY))
    return losses


def _hits(labels: Floats, predictions: Floats) -> Floats:
    hits: Floats = (predictions.argmax(axis=1) == labels).astype(np.float64)
    return hits


def _squares(labels: Floats, predictions: Floats) -> Floats:
    return (predictions - labels) ** 2


def _distances(labels: Floats, predictions: Floats) -> Floats:
    return np.abs(predictions - labels)


def _roc_auc(labels: Floats, probabilities: Floats, block: Integers, size: int) -> Statistic:
    """ROC-AUC as a Mann-Whitney count per pair of days: entry [d, e] counts positives of d above negatives of e."""
    positive = labels == 1
    if positive.all() or not positive.any():
        raise DataContractError(f"ROC-AUC of {labels.size} rows of a single class is not defined")
    ones, zeros = (np.bincount(block[mask], minlength=size).astype(np.float64) for mask in (positive, ~positive))
    order = np.argsort(probabilities[positive], kind="stable")
    scores, days = probabilities[positive][order], block[positive][order]
    wins = np.zeros((size, size))
    for day in range(size):
        negatives = np.sort(probabilities[~positive & (block == day)])
        beaten = np.searchsorted(negatives, scores, "left") + np.searchsorted(negatives, scores, "right")
        wins[:, day] = np.bincount(days, weights=beaten / 2, minlength=size)

    def statistic(draws: Floats) -> Floats:
        pairs = (draws @ ones) * (draws @ zeros)
        won = ((draws @ wins) * draws).sum(axis=1)
        values: Floats = np.full(pairs.shape, np.nan)
        np.divide(won, pairs, out=values, where=pairs > 0)
        return values

    return statistic


STATISTICS: dict[str, Measure] = {
    "brier": _mean_loss(_squares),
    "roc_auc": _roc_auc,
    "mae": _mean_loss(_distances),
    "rmse": _rooted(_mean_loss(_squares)),
    "log_loss": _mean_loss(_log_losses),
    "accuracy": _mean_loss(_hits),
}
