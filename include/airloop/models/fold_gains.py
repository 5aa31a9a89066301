"""Whether the folds of a search surely gain by what is tried beside its best parameters."""

from collections.abc import Sequence
from typing import Any

import numpy as np


def surely_gains(without: Sequence[float], using: Sequence[float]) -> bool:
    """Whether folds gain by it: in the mean by more than one standard error, and in most of them.

    A single fold has no error, and proves nothing.

    Args:
        without: Score of each fold, higher is better; `using` likewise.
    """
    gains = np.subtract(using, without)
    if gains.size < 2:
        return False
    error = float(gains.std(ddof=1)) / np.sqrt(gains.size)
    return bool(gains.mean() > error and (gains > 0).sum() > gains.size / 2)


def with_params(search: dict[str, Any], params: dict[str, Any], scores: Sequence[float]) -> dict[str, Any]:
    """The search with other best parameters, and the score of each fold with them, higher is better."""
    return search | {"params": params, "score": sum(scores) / len(scores), "fold_scores": scores}


def adopted_where_sure(
    search: dict[str, Any], trial: str, params: dict[str, Any], scores: Sequence[float]
) -> dict[str, Any]:
    """The search with `params` where its folds surely gain by them, else with its own.

    Args:
        search: Holds `params`, `score` and `fold_scores`.
        trial: Key under which the result holds the scores of both, and whether `params` are `used`.
        scores: Score of each fold with `params`, higher is better.
    """
    compared = {"without": search["fold_scores"], "using": scores}
    if not surely_gains(search["fold_scores"], scores):
        return search | {trial: compared | {"used": False}}
    return with_params(search, params, scores) | {trial: compared | {"used": True}}
