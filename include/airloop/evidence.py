"""Evidence: how two models differ on the same rows, with an interval that respects calendar days.

Rows of one day are not independent: resampling rows gives an interval 2-5 x too narrow on flight data, and a gate that
reads it promotes noise. Whole days are therefore drawn with replacement, both models on the same draw (paired), and the
percentiles of the resampled gains are the interval (cluster bootstrap: Davison & Hinkley 1997, section 3.8; Field &
Welsh 2007). Brier and ROC-AUC of a draw follow from sums per day and per pair of days, so no resample touches the rows.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from airloop.errors import DataContractError
from airloop.records import Evidence

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Statistic = Callable[[Floats], Floats]

_MIN_ROWS = 30
_MIN_BLOCKS = 2
_MAX_UNUSABLE_SHARE = 0.05


def utc_days(instants: npt.ArrayLike) -> Integers:
    """Calendar-day block ids (days since 1970-01-01, UTC) of instants with a timezone.

    Raises:
        DataContractError: The instants have no timezone, or one is missing.
    """
    values = pd.DatetimeIndex(pd.Series(instants))
    if values.tz is None or bool(values.isna().any()):
        raise DataContractError("decision times need a timezone and no gaps: a day block is a UTC calendar day")
    return values.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[D]").astype(np.int64)


def blocks(days: npt.ArrayLike) -> int:
    """How many different day blocks there are."""
    return int(np.unique(np.asarray(days)).size)


def metric_value(metric: str, labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> float:
    """Brier score (mean squared error of the probability, lower is better) or ROC-AUC (ties count one half).

    Raises:
        DataContractError: See `compare`.
    """
    y, (p,) = _checked(labels, probabilities)
    return float(_statistic(metric, y, p, np.zeros(y.size, np.int64))(np.ones((1, 1)))[0])


def interval(
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    days: npt.ArrayLike,
    *,
    metric: str,
    confidence: float,
    resamples: int,
    seed: int,
) -> tuple[float, float, float]:
    """Value of one model's metric with the bounds of its two-sided day-block interval: (value, lower, upper).

    Raises:
        DataContractError: See `compare`.
    """
    y, (p,) = _checked(labels, probabilities)
    block, draws = _draws(days, rows=y.size, resamples=resamples, seed=seed)
    statistic = _statistic(metric, y, p, block)
    lower, upper = _bounds(statistic(draws[1:]), confidence)
    return float(statistic(draws[:1])[0]), lower, upper


def compare(
    labels: npt.ArrayLike,
    champion: npt.ArrayLike,
    candidate: npt.ArrayLike,
    days: npt.ArrayLike,
    *,
    metric: str,
    confidence: float,
    resamples: int,
    seed: int,
) -> Evidence:
    """The gain of `candidate` over `champion` on the same rows; positive is better for either metric.

    Args:
        labels: 0 or 1 per row; rows without a label must be left out by the caller.
        champion: Probabilities of class 1 in [0, 1].
        candidate: Likewise, for the same rows in the same order.
        days: UTC calendar-day block id per row (`utc_days`).
        metric: `brier` (gain = champion - candidate) or `roc_auc` (gain = candidate - champion).
        confidence: Of the two-sided percentile interval: its lower bound is the (1 - confidence) / 2 quantile.
        resamples: Draws of days; 200 are enough to decide at 0.95.
        seed: The same seed gives the same draws of days, whatever the models, the metric and the order of rows.

    Raises:
        DataContractError: Arrays of different length, fewer than 30 rows or 2 days, a label that is not 0 or 1, a
            probability that is missing or outside [0, 1], a single class for ROC-AUC, an unknown metric.
    """
    y, (old, new) = _checked(labels, champion, candidate)
    block, draws = _draws(days, rows=y.size, resamples=resamples, seed=seed)
    sign = -1.0 if metric == "brier" else 1.0
    values = [_statistic(metric, y, p, block)(draws) for p in (old, new)]
    gains = sign * (values[1] - values[0])
    lower, upper = _bounds(gains[1:], confidence)
    return Evidence(
        metric=metric,
        gain=float(gains[0]),
        lower=lower,
        upper=upper,
        confidence=confidence,
        champion=float(values[0][0]),
        candidate=float(values[1][0]),
        rows=int(y.size),
        blocks=draws.shape[1],
        resamples=resamples,
        seed=seed,
    )


def _checked(labels: npt.ArrayLike, *probabilities: npt.ArrayLike) -> tuple[Floats, tuple[Floats, ...]]:
    try:
        y, *ps = (np.asarray(values, dtype=np.float64) for values in (labels, *probabilities))
    except (TypeError, ValueError) as error:
        raise DataContractError(f"labels and probabilities must be numbers without gaps: {error}") from error
    if y.ndim != 1 or any(p.shape != y.shape for p in ps):
        raise DataContractError(f"labels and probabilities differ in shape: {[a.shape for a in (y, *ps)]}")
    if y.size < _MIN_ROWS:
        raise DataContractError(f"{y.size} labelled rows are too few for a metric; at least {_MIN_ROWS} are needed")
    if not np.isin(y, (0.0, 1.0)).all():
        raise DataContractError("labels must be 0 or 1; leave rows without a label out, they are not a 0")
    for p in ps:
        wrong = int((~((p >= 0) & (p <= 1))).sum())
        if wrong:
            raise DataContractError(f"{wrong} of {p.size} probabilities are missing or outside [0, 1]")
    return y, tuple(ps)


def _draws(days: npt.ArrayLike, *, rows: int, resamples: int, seed: int) -> tuple[Integers, Floats]:
    """Block index per row, and per draw (row) how often each block (column) occurs; draw 0 is the data itself."""
    ids = np.asarray(days)
    if ids.shape != (rows,) or ids.dtype.kind not in "iu":
        raise DataContractError(f"days must hold one integer block id per row ({rows}), got {ids.dtype} {ids.shape}")
    unique, block = np.unique(ids, return_inverse=True)
    size = unique.size
    if size < _MIN_BLOCKS:
        raise DataContractError(f"{size} calendar day gives no interval; at least {_MIN_BLOCKS} are needed")
    drawn = np.random.default_rng(seed).integers(0, size, size=(resamples, size))
    cells = drawn + size * np.arange(resamples)[:, None]
    counts = np.bincount(cells.ravel(), minlength=resamples * size).reshape(resamples, size)
    return block.astype(np.int64), np.vstack([np.ones((1, size)), counts])


def _bounds(values: Floats, confidence: float) -> tuple[float, float]:
    usable = values[~np.isnan(values)]
    if usable.size < (1 - _MAX_UNUSABLE_SHARE) * values.size:
        raise DataContractError("too few days hold rows of both classes: many draws of days have no ROC-AUC")
    tail = (1 - confidence) / 2
    lower, upper = np.quantile(usable, [tail, 1 - tail])
    return float(lower), float(upper)


def _statistic(metric: str, labels: Floats, probabilities: Floats, block: Integers) -> Statistic:
    if metric not in _STATISTICS:
        raise DataContractError(f"unknown metric {metric!r} (known: {', '.join(_STATISTICS)})")
    return _STATISTICS[metric](labels, probabilities, block, int(block.max()) + 1)


def _brier(labels: Floats, probabilities: Floats, block: Integers, size: int) -> Statistic:
    rows = np.bincount(block, minlength=size)
    errors = np.bincount(block, weights=(probabilities - labels) ** 2, minlength=size)
    return lambda draws: (draws @ errors) / (draws @ rows)


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


_STATISTICS: dict[str, Callable[[Floats, Floats, Integers, int], Statistic]] = {"brier": _brier, "roc_auc": _roc_auc}
