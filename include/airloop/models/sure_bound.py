"""A lower bound far out in the tail: what a gain is surely above when one of very many looks may err.

A percentile of a few hundred resamples says nothing about an error of one in ten thousand, so the bound is that of a
jackknife over days, with Student's distribution: gain - multiplier * standard error.

- The standard error is the largest of those of leaving out one, two and three neighbouring days at a time (block
  jackknife: Künsch 1989, Annals of Statistics 17, 1217-1241): days that resemble the day before make it larger.
- The multiplier is Student's quantile with (days - 1) degrees of freedom, and larger where the days are skewed to the
  losing side: Hall's transformation (1992, Journal of the Royal Statistical Society B 54, 221-228), inverted. It is
  never made smaller.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from airloop.problems import Floats, Statistic

_NEIGHBOURS = (1, 2, 3)


def sure_lower(gain: Statistic, days: int, level: float) -> float | None:
    """The bound that a gain without any true effect passes in a share `level` of looks.

    Args:
        gain: Draws of days -> the gain of each; see airloop.metrics.metric.
        days: How many days there are, in their order.
        level: One-sided error of this one look.

    Returns:
        None with fewer than 5 days, or where the gain is not defined without some of them.
    """
    jackknife = _left_out(gain, days)
    return None if jackknife is None else bound(jackknife.value, jackknife.added[1], jackknife.added, level)


def sure_interval(gain: Statistic, days: int, level: float) -> tuple[float, float] | None:
    """Lower and upper bound, each of which a statistic whose true value it is passes in a share `level` of looks.

    Args:
        gain: See sure_lower; likewise `days` and None.
    """
    jackknife = _left_out(gain, days)
    if jackknife is None:
        return None
    mirrored = {size: -added for size, added in jackknife.added.items()}
    lower = bound(jackknife.value, jackknife.added[1], jackknife.added, level)
    return lower, -bound(-jackknife.value, mirrored[1], mirrored, level)


@dataclass(frozen=True)
class _LeftOut:
    """A statistic, and what each run of so many neighbouring days adds to it, in units of one day."""

    value: float
    added: dict[int, Floats]


def _left_out(gain: Statistic, days: int) -> _LeftOut | None:
    if days <= max(_NEIGHBOURS) + 1:
        return None
    value = float(gain(np.ones((1, days)))[0])
    without = {size: _without(gain, days, size) for size in _NEIGHBOURS}
    if not np.isfinite(np.concatenate([np.array([value]), *without.values()])).all():
        return None
    return _LeftOut(value, {size: (days - size) * (value - without[size]) for size in _NEIGHBOURS})


def bound(value: float, single: Floats, blocks: dict[int, Floats], level: float) -> float:
    """The bound by what single days and blocks of neighbours add to `value`; see the module.

    Args:
        single: What each day adds beyond the mean day.
        blocks: Size of a block -> the same of every run of so many neighbouring days.
    """
    days = single.size
    errors = [np.sqrt(np.mean(added**2) / (size * (days - size))) for size, added in blocks.items()]
    return float(value - multiplier(single, level) * max(errors))


def multiplier(single: Floats, level: float) -> float:
    """How many standard errors a sure gain lies above 0."""
    quantile = float(stdtrit(single.size - 1, 1 - level))
    centred = single - single.mean()
    deviation = float(np.sqrt(np.mean(centred**2)))
    if deviation == 0:
        return quantile
    skew = float(np.mean(centred**3)) / deviation**3 / np.sqrt(single.size)
    if skew >= 0:
        return quantile
    return max(quantile, float(3 / skew * (np.cbrt(1 + skew * (quantile - skew / 6)) - 1)))


def _without(gain: Statistic, days: int, size: int) -> Floats:
    """The gain without each run of `size` neighbouring days."""
    blocks = days - size + 1
    draws = np.ones((blocks, days))
    for first in range(blocks):
        draws[first, first : first + size] = 0
    return gain(draws)
