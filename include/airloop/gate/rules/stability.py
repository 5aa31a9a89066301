"""stability: other days to learn from would have named the same rows."""

from typing import TYPE_CHECKING, Any

from pydantic import Field

from airloop.errors import DataContractError
from airloop.gate.rules.rule import Rule, verdict
from airloop.records import Check

if TYPE_CHECKING:
    from airloop.models.holdout import Holdout


class Stability(Rule):
    """Passes when two fits on disjoint halves of the days share at least `at_least` of their alarms; anomaly.

    Each half names its strangest `prediction.alarm_share` of the holdout. By chance they share that share of them.
    """

    at_least: float = Field(gt=0, le=1)

    def measure(self, holdout: "Holdout") -> dict[str, Any]:
        """The share of alarms that both name."""
        from airloop.models.halves import shared_alarms

        if holdout.task != "anomaly" or holdout.whole is None:
            raise DataContractError(f"stability is for tasks of anomalies, this one is {holdout.task}")
        first, second = holdout.whole.halves(holdout.whole.rows)
        return {"shared": shared_alarms(first, second, holdout.whole.alarm_share), "rows": len(first)}

    def check(self, measured: dict[str, Any]) -> Check:
        """See the class."""
        shared = measured["shared"]
        says = (
            f"fits on two halves of the days share {shared:.0%} of their alarms, must be at least {self.at_least:.0%}"
        )
        return verdict("stability", says, shared, passed=shared >= self.at_least)
