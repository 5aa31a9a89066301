"""How sure it is that one model is worse than another on the same rows."""

from dataclasses import replace

import numpy.typing as npt
from scipy import stats

from airloop.models import evidence
from airloop.models.bootstrap import Bootstrap

_ONE_STANDARD_ERROR = 0.6827


def worse(
    labels: npt.ArrayLike,
    champion: npt.ArrayLike,
    candidate: npt.ArrayLike,
    days: npt.ArrayLike,
    *,
    metric: str,
    bootstrap: Bootstrap,
    margin_share: float,
) -> dict[str, float]:
    """`gain` of the candidate, and `p`: how likely so small a gain is when it is not worse than the margin allows.

    One-sided, by Student's t with (days - 1) degrees of freedom; the standard error is half the width of the day-block
    bootstrap's 68 % interval.

    Args:
        bootstrap: How days are drawn; its confidence is not used.
        margin_share: It may be worse by this share of the champion's metric.

    Raises:
        DataContractError: See evidence.compare.
    """
    drawn = replace(bootstrap, confidence=_ONE_STANDARD_ERROR, expanded=False)
    compared = evidence.compare(labels, champion, candidate, days, metric=metric, bootstrap=drawn)
    error = (compared.upper - compared.lower) / 2
    spare = compared.gain + margin_share * abs(compared.champion)
    p = float(stats.t.cdf(spare / error, compared.blocks - 1)) if error > 0 else float(spare >= 0)
    return {"gain": compared.gain, "p": p}
