"""Whether the best parameters of a search gain by correcting their probabilities, on the folds that chose them."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from airloop.config import Pipeline
from airloop.errors import DataContractError
from airloop.models.calibrated import KEY
from airloop.models.fold_gains import adopted_where_sure
from airloop.models.folds import Fold

Score = Callable[[dict[str, Any], pd.DataFrame, pd.DataFrame], float]


def tried(pipeline: Pipeline, search: dict[str, Any], folds: Sequence[Fold], score: Score) -> dict[str, Any]:
    """The search, with calibration among its parameters where the folds surely gain; `calibration` has their scores.

    It is left out, and `why` says so, where the rows before a fold hold too few of a class to say anything crosswise.
    """
    by = pipeline.training.calibration.by
    if by == "none":
        return search
    params = {**search["params"], KEY: by}
    try:
        scores = [score(params, fit, check) for fit, check in folds]
    except DataContractError as error:
        return search | {"calibration": {"used": False, "why": str(error)}}
    return adopted_where_sure(search, "calibration", params, scores)
