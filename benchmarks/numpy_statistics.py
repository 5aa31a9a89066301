"""Monitoring's statistics written by hand: PSI per feature, drift share, Brier and ROC-AUC with day-block intervals."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

Numbers = dict[str, float]

_FEW_VALUES = 20
_EMPTY_SHARE = 0.0001


def psi_scores(then: pd.DataFrame, now: pd.DataFrame, *, rows: int, seed: int) -> Numbers:
    """Feature -> PSI of a seeded sample of each side, its bins as Evidently makes them."""
    sides = [frame.sample(min(rows, len(frame)), random_state=seed) for frame in (then, now)]
    return {name: _psi(*(_present(side[name]) for side in sides)) for name in then.columns}


def drifted_share(scores: Mapping[str, float], threshold: float) -> float:
    """Share of the features whose PSI >= threshold."""
    return float(np.mean([score >= threshold for score in scores.values()]))


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
    found = {}
    for name, metric in (("brier", _brier(label, score)), ("roc_auc", _roc_auc(label, score))):
        value, *resampled = (metric(count[day]) for count in counts)
        tail = (1 - confidence) / 2
        lower, upper = np.quantile(resampled, [tail, 1 - tail])
        found |= {name: value, f"{name}_lower": lower, f"{name}_upper": upper}
    return {name: float(value) for name, value in found.items()}


def _present(column: pd.Series) -> np.ndarray:
    values = column.to_numpy()
    return values[np.isfinite(values)] if values.dtype.kind == "f" else values[~pd.isna(values)].astype(str)


def _psi(then: np.ndarray, now: np.ndarray) -> float:
    both = np.concatenate([then, now])
    if then.dtype.kind == "f" and np.unique(then).size > _FEW_VALUES:
        bins = np.histogram_bin_edges(both, bins="sturges")
        counts = [np.histogram(side, bins)[0] for side in (then, now)]
    else:
        values, place = np.unique(both, return_inverse=True)
        counts = [np.bincount(part, minlength=values.size) for part in np.split(place, [then.size])]
    old, new = (_filled(count / count.sum()) for count in counts)
    return float(np.sum((old - new) * np.log(old / new)))


def _filled(shares: np.ndarray) -> np.ndarray:
    """Give empty bins a small share: the logarithm of nothing is not defined."""
    smallest = shares[shares > 0].min()
    return np.where(shares > 0, shares, smallest / 1e6 if smallest <= _EMPTY_SHARE else _EMPTY_SHARE)


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
