"""Classes of a rare outcome, set against each other while a classifier is fitted."""

from typing import Literal

from pydantic import Field

from airloop.config.node import Node


class Balance(Node):
    """A classifier may learn from balanced classes; what it says is corrected back to how often each class occurs.

    For outcomes so rare that the estimator would learn to say the same of every row. Folds, holdout and monitoring see
    the classes as they occur.
    """

    by: Literal["none", "class_weight", "undersampling"] = "none"
    """`class_weight`: rows of each class weigh the same in sum. `undersampling`: of the frequent classes only so many
    rows are learned from, evenly over time; it also makes fits cheap."""
    at_most: float = Field(default=1.0, gt=0)
    """`undersampling`: rows of a frequent class per row of the rarest one."""
