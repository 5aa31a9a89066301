"""alarm_budget: no more alarms than people can look at."""

from typing import TYPE_CHECKING, Any

from pydantic import Field

from airloop.errors import DataContractError
from airloop.gate.rules.rule import Rule, verdict
from airloop.records import Check

if TYPE_CHECKING:
    from airloop.models.holdout import Holdout


class AlarmBudget(Rule):
    """Passes when the share of holdout rows that are alarms is at most `at_most`, and at least `at_least`; anomaly.

    The interval of the share over day blocks has to lie below `at_most_surely`, by default twice `at_most`.
    """

    at_most: float = Field(gt=0, lt=1)
    at_least: float = Field(default=0.0, ge=0, lt=1)
    """A detector that finds nothing strange any more detects nothing."""
    at_most_surely: float | None = Field(default=None, gt=0, le=1)

    def measure(self, holdout: "Holdout") -> dict[str, Any]:
        """Share of alarms among all mature rows, labelled or not, with its interval."""
        import numpy as np

        from airloop.models import evidence

        if holdout.task != "anomaly" or holdout.whole is None:
            raise DataContractError(f"alarm_budget is for tasks of anomalies, this one is {holdout.task}")
        alarms = (holdout.whole.predicted >= 1 - holdout.whole.alarm_share).astype(np.float64)
        nothing, days = np.zeros(alarms.size), evidence.utc_days(holdout.whole.rows["decision_time"])
        # The mean of a column with its day blocks is the mean absolute distance from 0.
        share = evidence.compare(nothing, alarms, nothing, days, metric="mae", **holdout.sampled)
        return {"share": share.champion, "lower": share.lower, "upper": share.upper, "rows": int(alarms.size)}

    def check(self, measured: dict[str, Any]) -> Check:
        """See the class."""
        share, surely = measured["share"], self.at_most_surely or 2 * self.at_most
        passed = self.at_least <= share <= self.at_most and measured["upper"] <= surely
        says = (
            f"{share:.2%} of {measured['rows']:,} rows are alarms, interval [{measured['lower']:.2%}, "
            f"{measured['upper']:.2%}], must be from {self.at_least:.2%} to {self.at_most:.2%}, "
            f"surely below {surely:.2%}"
        )
        return verdict("alarm_budget", says, share, passed=passed)
