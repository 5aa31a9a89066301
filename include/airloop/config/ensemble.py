"""Whether two families may answer together."""

from typing import Literal

from airloop.config.node import Node


class Ensemble(Node):
    """By default one family answers alone, the one that the folds chose."""

    by: Literal["none", "vote"] = "none"
    """`vote`: after the search, what any two families say of the folds is averaged (soft voting). The best such pair
    answers together, only where the folds surely gain. Training, probe, refit and reproduction then fit both; each
    takes as long as both. Not of anomalies and quantiles."""
