"""fairness: groups of a column are treated alike, by Fairlearn's definitions."""

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from airloop.errors import DataContractError
from airloop.gate.rules.rule import Rule, verdict
from airloop.records import Check

if TYPE_CHECKING:
    from airloop.models.holdout import Holdout


class Fairness(Rule):
    """Passes when the largest gap between groups of `column` is at most `at_most`; binary tasks.

    Fairlearn's differences: `demographic_parity` of the selection rate, `equal_opportunity` of the true positive rate,
    `equalized_odds` the larger one of true and false positive rate. A row is selected when its prediction >= threshold.
    Groups with fewer than `min_rows` rows (of the label a rate needs) are not judged, and named.
    """

    column: str
    measure_of: Literal["demographic_parity", "equal_opportunity", "equalized_odds"] = "equalized_odds"
    at_most: float = Field(ge=0, le=1)
    threshold: float = Field(default=0.5, ge=0, le=1)
    min_rows: int = Field(default=100, gt=0)

    def measure(self, holdout: "Holdout") -> dict[str, Any]:
        """Each rate of each group, and the groups that are too small."""
        if holdout.task != "binary":
            raise DataContractError(f"fairness is for binary tasks, this one is {holdout.task}")
        if self.column not in holdout.rows:
            raise DataContractError(f"fairness: there is no column {self.column!r} among the features")
        chosen, groups = holdout.candidate >= self.threshold, holdout.rows[self.column].astype(str).to_numpy()
        rates: dict[str, dict[str, float]] = {}
        small = set()
        for rate, among in self._populations(holdout).items():
            for group in sorted(set(groups)):
                rows = among & (groups == group)
                if rows.sum() < self.min_rows:
                    small.add(group)
                else:
                    rates.setdefault(rate, {})[group] = float(chosen[rows].mean())
        return {"rates": rates, "small": sorted(small)}

    def _populations(self, holdout: "Holdout") -> dict[str, Any]:
        import numpy as np

        everybody = np.ones(holdout.labels.size, dtype=bool)
        true = {"true positive rate": holdout.labels == 1}
        return {
            "demographic_parity": {"selection rate": everybody},
            "equal_opportunity": true,
            "equalized_odds": {**true, "false positive rate": holdout.labels == 0},
        }[self.measure_of]

    def check(self, measured: dict[str, Any]) -> Check:
        """See the class."""
        gaps = {rate: max(of.values()) - min(of.values()) for rate, of in measured["rates"].items() if len(of) > 1}
        aside = f"; too small to judge: {', '.join(measured['small'])}" if measured["small"] else ""
        if not gaps:
            says = f"{self.column}: fewer than two groups of {self.min_rows} rows{aside}"
            return verdict("fairness", says, None, passed=False)
        worst = max(gaps, key=lambda rate: gaps[rate])
        groups = measured["rates"][worst]
        low, high = min(groups, key=groups.__getitem__), max(groups, key=groups.__getitem__)
        says = (
            f"{worst} of {self.column} from {groups[low]:.3f} ({low}) to {groups[high]:.3f} ({high}): a gap of "
            f"{gaps[worst]:.3f}, must be at most {self.at_most:g}{aside}"
        )
        return verdict("fairness", says, gaps[worst], passed=gaps[worst] <= self.at_most)
