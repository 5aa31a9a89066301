"""Whether two families may answer together."""

from typing import Literal

from airloop.config.node import Node


class Ensemble(Node):
    """By default one family answers alone, the one that the folds chose."""

    by: Literal["none", "vote"] = "none"
    """`vote`: after the search, the best family and the next best one are fitted side by side, and what they predict is
    averaged (soft voting). It is used only where the folds surely gain. Probe, refit and reproduction fit both; each
    takes as long as both. Not of anomalies and quantiles."""
