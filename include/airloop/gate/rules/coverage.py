"""coverage: nine labels of ten do not pass the quantile 0.9."""

from typing import TYPE_CHECKING, Any

from pydantic import Field

from airloop.errors import DataContractError
from airloop.gate.rules.rule import Rule, verdict
from airloop.records import Check

if TYPE_CHECKING:
    from airloop.models.holdout import Holdout


class Coverage(Rule):
    """Passes when of every quantile the share of labels at or below it is within `at_most` of its level; quantiles.

    The interval of the share, over day blocks at the confidence of the comparison and widened for few days, has to lie
    within `at_most_surely` of the level, by default twice `at_most`: too few days prove nothing, and are refused.
    """

    at_most: float = Field(gt=0, lt=1)
    at_most_surely: float | None = Field(default=None, gt=0, lt=1)
    """How far the far end of the interval may lie from the level."""

    def measure(self, holdout: "Holdout") -> dict[str, Any]:
        """Of each level the share of labels at or below its quantile, with its interval."""
        import numpy as np

        from airloop.models import evidence

        levels = getattr(holdout.candidate, "levels", ())
        if holdout.task != "quantiles" or not levels:
            raise DataContractError(f"coverage is for tasks of quantiles, this one is {holdout.task}")
        nothing, by_level = np.zeros(holdout.labels.size), []
        for place, level in enumerate(levels):
            below = (holdout.labels <= np.asarray(holdout.candidate)[:, place]).astype(np.float64)
            # The mean of a column with its day blocks is the mean absolute distance from 0.
            share = evidence.compare(nothing, below, nothing, holdout.days, metric="mae", **holdout.sampled)
            by_level.append({"level": level, "share": share.champion, "lower": share.lower, "upper": share.upper})
        return {"levels": by_level}

    def check(self, measured: dict[str, Any]) -> Check:
        """See the class."""
        surely = self.at_most_surely if self.at_most_surely is not None else 2 * self.at_most
        worst = max(
            measured["levels"], key=lambda item: (self._fails(item, surely), abs(item["share"] - item["level"]))
        )
        says = (
            f"{worst['share']:.1%} of labels are at or below the quantile {worst['level']:g}, interval "
            f"[{worst['lower']:.1%}, {worst['upper']:.1%}], must be within {self.at_most:g} of it, the interval within "
            f"{surely:g}"
        )
        return verdict("coverage", says, worst["share"], passed=not self._fails(worst, surely))

    def _fails(self, item: dict[str, float], surely: float) -> bool:
        ends = max(abs(item["lower"] - item["level"]), abs(item["upper"] - item["level"]))
        inside = abs(item["share"] - item["level"]) <= self.at_most and ends <= surely
        return not inside
