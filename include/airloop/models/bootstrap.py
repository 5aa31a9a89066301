"""Whole days drawn with replacement, and the interval that the draws give.

Cluster bootstrap: Davison & Hinkley 1997, section 3.8; Field & Welsh 2007.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from airloop.config import Pipeline
from airloop.errors import DataContractError
from airloop.models.sure_bound import sure_interval
from airloop.problems import Floats, Integers, Statistic

_MIN_BLOCKS = 2
_MAX_UNUSABLE_SHARE = 0.05


@dataclass(frozen=True)
class Bootstrap:
    """How days are drawn, and what the interval claims.

    Attributes:
        confidence: Of the two-sided percentile interval: its lower bound is the (1 - confidence) / 2 quantile.
        resamples: Draws of days; 200 are enough to decide at 0.95.
        seed: The same seed gives the same draws of days, whatever the models, the metric and the order of rows.
        expanded: Make up for few days and for days that resemble each other, where percentiles are too narrow: the
            wider end of two intervals on each side. One takes further quantiles (Hesterberg 2015, section 5.2: by the
            t distribution), the other is Student's over a block jackknife (airloop.models.sure_bound). What is tried
            again and again needs the level it claims.
        level: One-sided error of `sure_lower`, see airloop.models.sure_bound; None: it is not asked for.
    """

    confidence: float
    resamples: int
    seed: int
    expanded: bool = False
    level: float | None = None


def gate_bootstrap(pipeline: Pipeline) -> Bootstrap:
    """How the gate's comparison draws days, at the confidence that it declares."""
    rule = pipeline.gate.compare
    return Bootstrap(rule.confidence, rule.resamples, pipeline.training.seed)


def policy_bootstrap(pipeline: Pipeline) -> Bootstrap:
    """The same at the confidence of monitoring's policy."""
    return replace(gate_bootstrap(pipeline), confidence=pipeline.monitoring.policy.confidence)


def bounds(gain: Statistic, drawn: Floats, size: int, bootstrap: Bootstrap) -> tuple[float, float]:
    """The bounds of a gain over `size` blocks, of which `drawn` has the values of the draws.

    Raises:
        DataContractError: See `percentiles`.
    """
    if bootstrap.expanded:
        return _expanded(gain, drawn, size, bootstrap.confidence)
    return percentiles(drawn, bootstrap.confidence)


def draws_of(days: npt.ArrayLike, bootstrap: Bootstrap, *, rows: int) -> tuple[Integers, Floats]:
    """Block index per row, and per draw (row) how often each block (column) occurs; draw 0 is the data itself.

    Raises:
        DataContractError: Not one integer per row, or fewer than 2 days.
    """
    ids = np.asarray(days)
    if ids.shape != (rows,) or ids.dtype.kind not in "iu":
        raise DataContractError(f"days must hold one integer block id per row ({rows}), got {ids.dtype} {ids.shape}")
    unique, block = np.unique(ids, return_inverse=True)
    size = unique.size
    if size < _MIN_BLOCKS:
        raise DataContractError(f"{size} calendar day gives no interval; at least {_MIN_BLOCKS} are needed")
    drawn = np.random.default_rng(bootstrap.seed).integers(0, size, size=(bootstrap.resamples, size))
    cells = drawn + size * np.arange(bootstrap.resamples)[:, None]
    counts = np.bincount(cells.ravel(), minlength=bootstrap.resamples * size).reshape(bootstrap.resamples, size)
    return block.astype(np.int64), np.vstack([np.ones((1, size)), counts])


def _expanded(gain: Statistic, drawn: Floats, size: int, confidence: float) -> tuple[float, float]:
    """The bounds of a gain over `size` blocks that cover as often as `confidence` claims; see `Bootstrap`."""
    reach = np.sqrt(size / (size - 1)) * stats.t.ppf((1 + confidence) / 2, size - 1)
    # Of few draws the usual quantile lies too far inside: the fifth of 200 is passed in 3 of 100, not in 2.5.
    lower, upper = percentiles(drawn, float(1 - 2 * stats.norm.sf(reach)), method="weibull")
    sure = sure_interval(gain, size, (1 - confidence) / 2)
    return (lower, upper) if sure is None else (min(lower, sure[0]), max(upper, sure[1]))


def percentiles(
    values: Floats, confidence: float, *, method: Literal["linear", "weibull"] = "linear"
) -> tuple[float, float]:
    """The quantiles that leave the same tail on either side; draws that do not define the metric are left out.

    Raises:
        DataContractError: More than one draw in twenty does not define it.
    """
    usable = values[~np.isnan(values)]
    if usable.size < (1 - _MAX_UNUSABLE_SHARE) * values.size:
        raise DataContractError("too few days hold rows of both classes: many draws of days have no ROC-AUC")
    tail = (1 - confidence) / 2
    lower, upper = np.quantile(usable, [tail, 1 - tail], method=method)
    return float(lower), float(upper)
