"""forgetting: what the champion still knows of the past, the candidate has to know too."""

from typing import TYPE_CHECKING, Any

from pydantic import Field

from airloop.errors import DataContractError
from airloop.gate.rules.rule import Rule, verdict
from airloop.records import Check

if TYPE_CHECKING:
    from airloop.models.holdout import Holdout


class Forgetting(Rule):
    """Passes when the candidate is not significantly worse than the champion on the reserve days of the whole past.

    Reserve days (training.reserve_days) are days that no model learns from; judged are those before the holdout's
    embargo. The metric is that of the comparison. The p-value is one-sided (t over day blocks): one up to `alpha`
    refuses. Fewer than `min_days` days that both models have kept back refuse; a champion whose training had no reserve
    days yet has learned from them, and is not compared.
    """

    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    margin_share: float = Field(default=0.0, ge=0)
    """It may be worse by this share of the champion's metric: a world that has changed for good is to be forgotten."""
    min_days: int = Field(default=14, ge=5)

    def measure(self, holdout: "Holdout") -> dict[str, Any]:
        """Rows, days, gain and p-value on the reserve days; or why there is nothing to compare."""
        if holdout.champion is None:
            return {"nothing": "no champion that could know more"}
        if holdout.reserve is None:
            raise DataContractError("there are no reserve days: declare training.reserve_days in pipeline.yaml")
        from airloop.models import evidence, significance

        reserve = holdout.reserve()
        days = evidence.blocks(reserve.days)
        if days < self.min_days and not reserve.champion_kept_back:
            return {"nothing": "the champion was trained before there were reserve days, and has learned from them"}
        if days < self.min_days:
            return {"days": days}
        sides = (reserve.labels, reserve.champion, reserve.candidate, reserve.days)
        worse = significance.worse(
            *sides, metric=holdout.metric, bootstrap=holdout.sampled["bootstrap"], margin_share=self.margin_share
        )
        return {"days": days, "rows": int(reserve.labels.size), **worse}

    def check(self, measured: dict[str, Any]) -> Check:
        """See the class."""
        if "nothing" in measured:
            return verdict("forgetting", measured["nothing"], None, passed=True)
        days = measured["days"]
        if "p" not in measured:
            says = (
                f"{days} reserve days before the holdout, at least {self.min_days} are needed: take a later cutoff, or "
                "a smaller training.reserve_days"
            )
            return verdict("forgetting", says, float(days), passed=False)
        gain, p = measured["gain"], measured["p"]
        says = (
            f"gain {gain:+.4f} on {measured['rows']:,} rows of {days} days that neither has learned from, "
            f"p {p:.4f} that it is worse, must be above {self.alpha:g}"
        )
        return verdict("forgetting", says, gain, passed=p > self.alpha)
