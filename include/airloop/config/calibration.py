"""Whether probabilities are corrected after the fit."""

from typing import Literal

from airloop.config.node import Node


class Calibration(Node):
    """By default a classifier's probabilities are taken as they are."""

    by: Literal["none", "sigmoid", "isotonic"] = "none"
    """Of a binary task: what the best parameters predict of rows that their fit has not seen is set against the labels,
    by a logistic curve or by steps that only rise (isotonic, for thousands of rows). Used only where the folds surely
    gain on training.metric by it. A fit takes four times as long, and answers come from the pipeline itself."""
