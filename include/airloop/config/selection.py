"""Which of the features a candidate reads."""

from typing import Literal

from pydantic import Field

from airloop.config.node import Node


class Selection(Node):
    """By default a candidate reads every feature of the service."""

    by: Literal["none", "stability"] = "none"
    """`stability`: after the search, the best parameters are fitted on halves of each fold's days, and a feature stays
    that matters on the validated rows in enough of these fits. The smaller set is used only where the folds lose no
    more by it than one standard error. It is kept with the version: refit, probe and reproduction read the same."""
    at_least: float = Field(default=0.75, gt=0.5, le=1)
    """Share of the fits in which a feature has to matter."""
