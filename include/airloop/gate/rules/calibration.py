"""calibration: a probability of 0.3 comes true in three of ten."""

from typing import TYPE_CHECKING, Any

from pydantic import Field

from airloop.errors import DataContractError
from airloop.gate.rules.rule import Rule, verdict
from airloop.records import Check

if TYPE_CHECKING:
    from airloop.models.holdout import Holdout


class Calibration(Rule):
    """Passes when the expected calibration error is at most `at_most`; binary tasks.

    The mean over bins of equal size of |mean prediction - label rate| (Naeini et al. 2015, with quantile bins).
    """

    at_most: float = Field(gt=0, lt=1)
    bins: int = Field(default=10, ge=2)

    def measure(self, holdout: "Holdout") -> dict[str, Any]:
        """The error, and mean prediction and label rate of each bin."""
        import numpy as np

        if holdout.task != "binary":
            raise DataContractError(f"calibration is for binary tasks, this one is {holdout.task}")
        order = np.argsort(holdout.candidate, kind="stable")
        parts = [part for part in np.array_split(order, self.bins) if part.size]
        predicted = [float(holdout.candidate[part].mean()) for part in parts]
        came = [float(holdout.labels[part].mean()) for part in parts]
        weights = np.array([part.size for part in parts]) / order.size
        return {
            "error": float(weights @ np.abs(np.subtract(predicted, came))),
            "predicted": predicted,
            "observed": came,
        }

    def check(self, measured: dict[str, Any]) -> Check:
        """See the class."""
        error = measured["error"]
        says = f"expected calibration error {error:.4f}, must be at most {self.at_most:.4f}"
        return verdict("calibration", says, error, passed=error <= self.at_most)
