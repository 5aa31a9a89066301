"""shadowed: the version has predicted beside the champion on live traffic, and is not worse there."""

from typing import TYPE_CHECKING, Any

from pydantic import Field

from airloop.config.metric import METRICS
from airloop.errors import DataContractError
from airloop.gate.rules.rule import Rule, verdict
from airloop.records import Check, Evidence

if TYPE_CHECKING:
    from airloop.models.holdout import Holdout

RULE = "shadowed"


class Shadowed(Rule):
    """Judged before the promotion, on rows that the service asked of champion and challenger.

    Waits until `windows` windows of the calendar, over and mature, hold at least `min_rows` such rows each. Then passes
    when the two predictions differ by at most `max_difference` on average, and the challenger is not surely worse: the
    upper bound of its gain in `gate.compare.metric` is not below 0.
    """

    windows: int = Field(default=1, gt=0)
    min_rows: int = Field(default=100, gt=0)
    labelled: bool = True
    """Whether only rows with a label count. false: predictions alone are compared, as soon as a window is over."""
    max_difference: float | None = Field(default=None, gt=0)
    """Of the predictions, on average over rows (of classes the largest); none: they may differ."""

    def measure(self, holdout: "Holdout") -> dict[str, Any]:
        """Nothing: a holdout has no traffic.

        Raises:
            DataContractError: Always; airloop.gate.shadowing measures it.
        """
        raise DataContractError("shadowed is measured on live traffic, before the promotion")

    def lacking(self, measured: dict[str, Any]) -> str:
        """What is not there yet, in words; empty when the rule can be judged."""
        windows, rows = measured["windows"], "labelled rows" if self.labelled else "rows"
        if windows < self.windows:
            so_far = f"{measured['rows']:,} so far"
            return f"{windows} of {self.windows} windows with {self.min_rows} shadowed {rows} ({so_far})"
        if self.labelled and measured["evidence"] is None:
            return f"{measured['rows']:,} shadowed rows give no evidence yet ({measured['why']})"
        return ""

    def check(self, measured: dict[str, Any]) -> Check:
        """See the class; what is lacking does not pass."""
        if lacking := self.lacking(measured):
            return verdict(RULE, f"{lacking}: must be there", None, passed=False)
        apart, passed = measured["difference"], True
        says = f"{measured['rows']:,} rows in {measured['windows']} windows, predictions {apart:.4f} apart on average"
        if self.max_difference is not None:
            passed = apart <= self.max_difference
            says += f", must be at most {self.max_difference:g}"
        if not self.labelled:
            return verdict(RULE, says, apart, passed=passed)
        evidence = Evidence.from_json(measured["evidence"])
        passed = passed and evidence.upper >= 0
        gain = (
            f"{METRICS[evidence.metric].title} {evidence.candidate:.4f} against the champion's {evidence.champion:.4f}"
        )
        says += f"; {gain}, interval of the gain [{evidence.lower:+.4f}, {evidence.upper:+.4f}], must reach 0"
        return verdict(RULE, says, evidence.gain, passed=passed)
