"""cost: what wrong decisions cost, against the champion's."""

from typing import TYPE_CHECKING, Any

from pydantic import Field

from airloop.errors import DataContractError
from airloop.gate.rules.rule import Rule, verdict
from airloop.records import Check

if TYPE_CHECKING:
    from airloop.models.holdout import Holdout
    from airloop.problems import Floats


class Cost(Rule):
    """Passes when the cost of 1,000 predictions is at most `at_most` and not surely above the champion's; binary.

    Each model decides at the threshold that the folds of its training chose (airloop.models.threshold_choice); a
    version without one at what is best for calibrated probabilities, false_positive / (false_positive + false_negative)
    (Elkan 2001). Surely: the interval of the saving, over day blocks, lies wholly below what `margin_share` allows.
    """

    false_positive: float = Field(gt=0)
    false_negative: float = Field(gt=0)
    at_most: float | None = Field(default=None, gt=0)
    margin_share: float = Field(default=0.0, ge=0)
    """It may be above the champion's cost by this share of it."""

    @property
    def threshold(self) -> float:
        """For calibrated probabilities: a row is acted on when its probability is at least this."""
        return self.false_positive / (self.false_positive + self.false_negative)

    def measure(self, holdout: "Holdout") -> dict[str, Any]:
        """Cost per 1,000 of the candidate, and the saving against the champion with its interval."""
        import numpy as np

        from airloop.models import evidence

        if holdout.task != "binary":
            raise DataContractError(f"cost is for binary tasks, this one is {holdout.task}")
        own, theirs = (self.threshold if one is None else one for one in holdout.thresholds)
        candidate = self.of(holdout.labels, holdout.candidate, own)
        measured: dict[str, Any] = {"cost": float(candidate.mean()), "threshold": own}
        if holdout.champion is None:
            return measured
        champion, nothing = self.of(holdout.labels, holdout.champion, theirs), np.zeros(holdout.labels.size)
        # The mean of a column with its day blocks is the mean absolute distance from 0.
        costs = evidence.compare(nothing, champion, candidate, holdout.days, metric="mae", **holdout.sampled)
        measured |= {"champion_threshold": theirs}
        return measured | {"champion": costs.champion, "saving": costs.gain, "lower": costs.lower, "upper": costs.upper}

    def of(self, labels: "Floats", predicted: "Floats", threshold: float) -> "Floats":
        """What each row costs, times 1,000, where it is acted on from the threshold on."""
        acted = predicted >= threshold
        costs: Floats = acted * (labels == 0) * self.false_positive + ~acted * (labels == 1) * self.false_negative
        return 1000.0 * costs

    def check(self, measured: dict[str, Any]) -> Check:
        """See the class."""
        cost, saving = measured["cost"], measured.get("saving")
        passed = self.at_most is None or cost <= self.at_most
        says = f"cost {cost:.1f} per 1,000, acting from {measured['threshold']:.3f} on" + (
            "" if self.at_most is None else f", must be at most {self.at_most:g}"
        )
        if saving is not None:
            bound = -self.margin_share * measured["champion"]
            passed = passed and measured["upper"] >= bound
            says += (
                f"; saving against the champion {saving:.1f}, interval [{measured['lower']:.1f}, "
                f"{measured['upper']:.1f}], must reach {bound + 0.0:.1f}"
            )
        return verdict("cost", says, cost, passed=passed)
