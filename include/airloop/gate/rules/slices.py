"""slices: nobody pays for the average gain."""

from typing import TYPE_CHECKING, Any

from pydantic import Field

from airloop.errors import DataContractError
from airloop.gate.rules.rule import Rule, verdict
from airloop.records import Check

if TYPE_CHECKING:
    from airloop.models.holdout import Holdout

OTHER = "other"


class Slices(Rule):
    """Passes when no slice of `columns` is significantly worse than under the champion.

    A slice is a value of a column; those with fewer than `min_rows` rows are pooled as `other`, which is judged when it
    is large enough and has more than one class where the metric needs both. The metric is that of the comparison.
    One-sided p-values (t over day blocks) are corrected by Holm (1979) over all slices; one up to `alpha` refuses.
    """

    columns: tuple[str, ...] = Field(min_length=1)
    min_rows: int = Field(default=300, ge=30)
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    margin_share: float = Field(default=0.0, ge=0)
    """A slice may be worse by this share of the champion's metric there."""

    def measure(self, holdout: "Holdout") -> dict[str, Any]:
        """Rows, gain and p-value of each slice, and the slices that were not judged."""
        missing = [column for column in self.columns if column not in holdout.rows]
        if missing:
            raise DataContractError(f"slices: there is no column {missing[0]!r} among the features")
        if holdout.champion is None:
            return {"slices": {}, "not_judged": [], "champion": False}
        judged: dict[str, dict[str, float]] = {}
        not_judged = []
        for name, rows in self._slices(holdout):
            try:
                judged[name] = self._judged(holdout, rows)
            except DataContractError as error:
                not_judged.append(f"{name} ({error})")
        return {"slices": judged, "not_judged": not_judged, "champion": True}

    def _slices(self, holdout: "Holdout") -> list[tuple[str, Any]]:
        slices = []
        for column in self.columns:
            values = holdout.rows[column].astype(str)
            small = values.map(values.value_counts()) < self.min_rows
            pooled = values.mask(small, OTHER).to_numpy()
            slices += [(f"{column}={value}", pooled == value) for value in sorted(set(pooled))]
        return slices

    def _judged(self, holdout: "Holdout", rows: Any) -> dict[str, float]:
        from airloop.models import significance

        count = int(rows.sum())
        if count < self.min_rows:
            raise DataContractError(f"{count} rows, at least {self.min_rows} are needed")
        sides = (holdout.labels[rows], holdout.champion[rows], holdout.candidate[rows], holdout.days[rows])  # type: ignore[index]
        worse = significance.worse(
            *sides, metric=holdout.metric, bootstrap=holdout.sampled["bootstrap"], margin_share=self.margin_share
        )
        return {"rows": count, **worse}

    def check(self, measured: dict[str, Any]) -> Check:
        """See the class."""
        if not measured["champion"]:
            return verdict("slices", "no champion to compare slices with", None, passed=True)
        slices, left = (
            measured["slices"],
            f"; not judged: {', '.join(measured['not_judged'])}" * bool(measured["not_judged"]),
        )
        if not slices:
            return verdict("slices", f"no slice could be judged{left}", None, passed=False)
        worst, adjusted = holm({name: of_slice["p"] for name, of_slice in slices.items()})
        gain = slices[worst]["gain"]
        says = f"worst slice {worst}: gain {gain:+.4f}, Holm's p {adjusted:.4f}, must be above {self.alpha:g}{left}"
        return verdict("slices", says, gain, passed=adjusted > self.alpha)


def holm(p_values: dict[str, float]) -> tuple[str, float]:
    """The name with the smallest p-value, and that value corrected for all: times how many there are, at most 1."""
    worst = min(p_values, key=p_values.__getitem__)
    return worst, min(1.0, p_values[worst] * len(p_values))
