"""sanity: on a fixed probe set the predictions are finite, in range and not all the same."""

from typing import TYPE_CHECKING, Any

from pydantic import Field

from airloop.gate.rules.rule import Rule, verdict
from airloop.records import Check

if TYPE_CHECKING:
    from airloop.models.holdout import Holdout


class Sanity(Rule):
    """Passes when all predictions of the probe set are finite, within [low, high], and at least `distinct` differ.

    The probe set is the first `rows` rows of the holdout by decision time and key, the same for every candidate.
    """

    rows: int = Field(default=500, gt=0)
    low: float | None = None
    high: float | None = None
    distinct: int = Field(default=2, gt=0)
    """So many different predictions, told apart at six decimals."""

    def measure(self, holdout: "Holdout") -> dict[str, Any]:
        """Finite ones, lowest, highest, and how many differ."""
        import numpy as np

        predicted = np.asarray(holdout.predict(holdout.rows.head(self.rows)), dtype=float)
        finite = predicted[np.isfinite(predicted)]
        ends = {"low": float(finite.min()), "high": float(finite.max())} if finite.size else {"low": None, "high": None}
        distinct = int(np.unique(np.round(finite, 6), axis=0).shape[0])
        return {"wrong": int(predicted.size - finite.size), "distinct": distinct, **ends}

    def check(self, measured: dict[str, Any]) -> Check:
        """See the class."""
        if measured["wrong"] or measured["low"] is None:
            return verdict("sanity", f"{measured['wrong']} predictions are not finite", measured["wrong"], passed=False)
        low, high, distinct = measured["low"], measured["high"], measured["distinct"]
        if distinct < self.distinct:
            says = f"{distinct} different predictions on the probe set, at least {self.distinct} are needed"
            return verdict("sanity", says, distinct, passed=False)
        inside = (self.low is None or low >= self.low) and (self.high is None or high <= self.high)
        bounds = f"[{'-' if self.low is None else self.low}, {'-' if self.high is None else self.high}]"
        says = f"predictions on the probe set from {low:.4f} to {high:.4f}, must be within {bounds}"
        return verdict("sanity", says, low if low < (self.low or low) else high, passed=inside)
