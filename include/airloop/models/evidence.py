"""Evidence: how two models differ on the same rows, with an interval that respects calendar days.

Rows of one day are not independent: resampling rows gives an interval 2-5 x too narrow on the demo's data, and a gate
that reads it promotes noise. Whole days are therefore drawn with replacement, both models on the same draw (paired),
and the percentiles of the resampled gains are the interval (cluster bootstrap: Davison & Hinkley 1997, section 3.8;
Field & Welsh 2007). A metric of a draw follows from sums per day (losses) or per pair of days (ROC-AUC), so no resample
touches the rows.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from airloop.config import METRIC, METRICS
from airloop.errors import DataContractError
from airloop.models.bootstrap import Bootstrap, bounds, draws_of, percentiles
from airloop.models.sure_bound import sure_lower
from airloop.problems import Floats, Integers, Statistic, task_measured_by
from airloop.records import Evidence

MIN_ROWS = 30
"""Fewer rows have no metric."""


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


def metric_value(metric: str, labels: npt.ArrayLike, predictions: npt.ArrayLike) -> float:
    """One model's metric (airloop.metrics says of each what it is); labels and predictions as airloop.problems says.

    Raises:
        DataContractError: See `compare`.
    """
    y, (p,) = _checked(metric, labels, predictions)
    return float(_statistic(metric, y, p, np.zeros(y.size, np.int64), 1)(np.ones((1, 1)))[0])


def interval(
    labels: npt.ArrayLike,
    predictions: npt.ArrayLike,
    days: npt.ArrayLike,
    *,
    metric: str,
    bootstrap: Bootstrap,
) -> tuple[float, float, float]:
    """Value of one model's metric with the bounds of its two-sided day-block interval: (value, lower, upper).

    Raises:
        DataContractError: See `compare`.
    """
    y, (p,) = _checked(metric, labels, predictions)
    block, draws = draws_of(days, bootstrap, rows=y.size)
    statistic = _statistic(metric, y, p, block, draws.shape[1])
    lower, upper = percentiles(statistic(draws[1:]), bootstrap.confidence)
    return float(statistic(draws[:1])[0]), lower, upper


def compare(
    labels: npt.ArrayLike,
    champion: npt.ArrayLike,
    candidate: npt.ArrayLike,
    days: npt.ArrayLike,
    *,
    metric: str,
    bootstrap: Bootstrap,
) -> Evidence:
    """The gain of `candidate` over `champion` on the same rows; positive is better for every metric.

    Args:
        labels: One per row, as airloop.problems says; rows without a label must be left out by the caller.
        champion: Predictions of the metric's task.
        candidate: Likewise, for the same rows in the same order.
        days: UTC calendar-day block id per row (`utc_days`).
        metric: Gain is champion - candidate where lower is better, else candidate - champion.
        bootstrap: How days are drawn, and what the interval claims.

    Raises:
        DataContractError: Arrays of different length, fewer than 30 rows or 2 days, a label or a prediction that does
            not fit the metric's task, a single class for ROC-AUC, an unknown metric.
    """
    y, (old, new) = _checked(metric, labels, champion, candidate)
    block, draws = draws_of(days, bootstrap, rows=y.size)
    statistics = [_statistic(metric, y, p, block, draws.shape[1]) for p in (old, new)]
    values = [statistic(draws) for statistic in statistics]
    gains, gain = METRICS[metric].sign * (values[1] - values[0]), _gain(metric, *statistics)
    lower, upper = bounds(gain, gains[1:], draws.shape[1], bootstrap)
    return Evidence(
        metric=metric,
        gain=float(gains[0]),
        lower=lower,
        upper=upper,
        confidence=bootstrap.confidence,
        champion=float(values[0][0]),
        candidate=float(values[1][0]),
        rows=int(y.size),
        blocks=draws.shape[1],
        resamples=bootstrap.resamples,
        seed=bootstrap.seed,
        level=bootstrap.level,
        sure_lower=None if bootstrap.level is None else sure_lower(gain, draws.shape[1], bootstrap.level),
    )


def _gain(metric: str, champion: Statistic, candidate: Statistic) -> Statistic:
    def gain(draws: Floats) -> Floats:
        gains: Floats = METRICS[metric].sign * (candidate(draws) - champion(draws))
        return gains

    return gain


def _statistic(metric: str, labels: Floats, predictions: Floats, block: Integers, size: int) -> Statistic:
    """The metric as a function of draws, whose answer is looked at: a project's own may answer anything."""
    measured: Statistic = METRIC.load(metric)().statistic(labels, predictions, block, size)

    def checked(draws: Floats) -> Floats:
        values = np.asarray(measured(draws), dtype=np.float64)
        if values.shape != (len(draws),) or np.isinf(values).any():
            raise DataContractError(
                f"metric {metric}: gives {values.shape} for {len(draws)} draws, or infinity; one finite number a draw "
                "(NaN where it is not defined) is needed"
            )
        return values

    return checked


def _checked(metric: str, labels: npt.ArrayLike, *predictions: npt.ArrayLike) -> tuple[Floats, tuple[Floats, ...]]:
    task = task_measured_by(metric, predictions[0])
    try:
        y = np.asarray(labels, dtype=np.float64)
        ps = [np.asanyarray(values, dtype=np.float64) for values in predictions]  # quantiles keep their levels
    except (TypeError, ValueError) as error:
        raise DataContractError(f"labels and predictions must be numbers without gaps: {error}") from error
    if y.ndim != 1 or any(p.shape[:1] != y.shape or p.shape != ps[0].shape for p in ps):
        raise DataContractError(f"labels and predictions differ in shape: {[a.shape for a in (y, *ps)]}")
    if y.size < MIN_ROWS:
        raise DataContractError(f"{y.size} labelled rows are too few for a metric; at least {MIN_ROWS} are needed")
    problems = [*map(task.prediction_problem, ps), task.label_problem(y)]
    for problem in filter(None, problems):
        raise DataContractError(problem)
    return y, tuple(ps)
