"""Whether several models answer together: two families, or several fits of one."""

from typing import Literal

from pydantic import Field

from airloop.config.node import Node

FEATURES_AT_A_SPLIT: dict[str, str] = {
    "GradientBoostingClassifier": "max_features",
    "GradientBoostingRegressor": "max_features",
    "HistGradientBoostingClassifier": "max_features",
    "HistGradientBoostingRegressor": "max_features",
    "LGBMClassifier": "feature_fraction_bynode",
    "LGBMRegressor": "feature_fraction_bynode",
    "XGBClassifier": "colsample_bynode",
    "XGBRegressor": "colsample_bynode",
}
"""Class of boosting -> its parameter that says which share of the features a split may choose from."""


class Ensemble(Node):
    """By default one fit of one family answers alone, the one that the folds chose."""

    by: Literal["none", "vote"] = "none"
    """`vote`: after the search, what any two families say of the folds is averaged (soft voting). The best such pair
    answers together, only where the folds surely gain. Training, probe, refit and reproduction then fit both; each
    takes as long as both. Not of anomalies and quantiles."""
    fits: int = Field(default=1, ge=1, le=32)
    """Boosting answers by the mean of so many fits, each with a seed of its own and half of the features at each split;
    with a vote each family still has the same weight. Each training, probe, refit and reproduction fits them all, the
    search one. Any other family is fitted once: its fits would say the same, or are a mean already."""


def features_at_a_split(estimator: str) -> str | None:
    """The parameter of an estimator, named as `module:Class`; None where it is no boosting."""
    return FEATURES_AT_A_SPLIT.get(estimator.partition(":")[2])
