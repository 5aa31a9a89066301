"""What is done with mature rows that have no label."""

from typing import Literal

from pydantic import Field

from airloop.config.node import Node


class Unlabelled(Node):
    """Rows of the training part that are mature and have no label; by default they are left out."""

    by: Literal["none", "self_training"] = "none"
    """`self_training`: a first fit labels those it is sure of, a second learns from both; of classifiers. It is used
    only where the folds, judged on labelled rows alone, surely gain."""
    sure: float = Field(default=0.95, gt=0.5, lt=1)
    """The probability from which on the first fit is sure of a row."""
