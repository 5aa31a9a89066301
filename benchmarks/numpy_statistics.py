"""Monitoring's live metrics written by hand: Brier and ROC-AUC with day-block intervals."""

import numpy as np
import pandas as pd

Numbers = dict[str, float]


def live_metrics(judged: pd.DataFrame, *, confidence: float, resamples: int, seed: int) -> Numbers:
    """`brier` and `roc_auc`, each with the percentile interval of draws of whole UTC days as `_lower`, `_upper`.

    Args:
        judged: Columns decision_time, label (0 or 1), score (probability), without gaps.
    """
    label, score = judged["label"].to_numpy(dtype=float), judged["score"].to_numpy()
    days = judged["decision_time"].dt.tz_localize(None).to_numpy().astype("datetime64[D]")
    block, day = np.unique(days, return_inverse=True)
    drawn = np.random.default_rng(seed).integers(0, block.size, size=(resamples, block.size))
    counts = [np.ones(block.size), *(np.bincount(draw, minlength=block.size) for draw in drawn)]
    values = {}
    for name, metric in (("brier", _brier(label, score)), ("roc_auc", _roc_auc(label, score))):
        value, *resampled = (metric(count[day]) for count in counts)
        tail = (1 - confidence) / 2
        lower, upper = np.quantile(resampled, [tail, 1 - tail])
        values |= {name: value, f"{name}_lower": lower, f"{name}_upper": upper}
    return {name: float(value) for name, value in values.items()}


def _brier(label, score):
    errors = (score - label) ** 2
    return lambda weight: weight @ errors / weight.sum()


def _roc_auc(label, score):
    """The share of pairs in which the positive scores higher, ties one half; sorted once for all draws."""
    values, place = np.unique(score, return_inverse=True)

    def metric(weight):
        positive = np.bincount(place, weights=weight * label, minlength=values.size)
        negative = np.bincount(place, weights=weight * (1 - label), minlength=values.size)
        below = np.cumsum(negative) - negative
        return positive @ (below + negative / 2) / (positive.sum() * negative.sum())

    return metric
