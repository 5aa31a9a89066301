"""PSI (population stability index) of binned rows, and what it comes to by chance alone.

PSI is the sum over bins of (then - now) * ln(then / now), in shares. Without any shift it is not 0: times
n * m / (n + m), with n rows then and m rows now, it is about chi-squared with one degree less than there are bins
(Yurdakul & Naranjo 2020, "Statistical properties of the population stability index").
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from airloop.watch.bins import Binned

CHANCE = 1e-4
"""How often a column without a shift may be called drifted, by independent rows."""

_SMOOTHING = 0.5
"""Rows added to each bin of either side, so that an empty one has a logarithm."""


@dataclass(frozen=True)
class Shift:
    """How far apart two sides are.

    Attributes:
        score: PSI less what it is expected to be without a shift; never below 0.
        sure: The PSI is above what CHANCE explains at these numbers of rows.
    """

    score: float
    sure: bool

    def reaches(self, threshold: float) -> bool:
        """Whether the score is >= threshold, and not by chance."""
        return self.sure and self.score >= threshold


def shift(binned: Binned) -> Shift:
    """The shift between the sides; there has to be a row on either."""
    occupied = (binned.then + binned.now) > 0
    then, now = (rows[occupied] + _SMOOTHING for rows in (binned.then, binned.now))
    freedom = then.size - 1
    if not freedom:
        return Shift(0.0, sure=False)
    shares_then, shares_now = then / then.sum(), now / now.sum()
    psi = float(np.sum((shares_then - shares_now) * np.log(shares_then / shares_now)))
    scale = 1 / binned.then.sum() + 1 / binned.now.sum()
    return Shift(max(psi - freedom * scale, 0.0), sure=bool(psi > _largest_by_chance(freedom) * scale))


def _largest_by_chance(freedom: int) -> float:
    """The quantile of chi-squared that CHANCE exceeds, by the cube root of Wilson & Hilferty (1931)."""
    spread = 2 / (9 * freedom)
    return float(freedom * (1 - spread + NormalDist().inv_cdf(1 - CHANCE) * spread**0.5) ** 3)
