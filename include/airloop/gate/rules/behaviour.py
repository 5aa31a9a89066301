"""behaviour: cases a person wrote down, as CheckList names them (Ribeiro et al. 2020)."""

from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from airloop.config.metric import METRICS, MetricName
from airloop.config.node import Node, Share
from airloop.errors import DataContractError
from airloop.gate.rules.rule import Rule, verdict
from airloop.records import Check

if TYPE_CHECKING:
    from airloop.models.holdout import Holdout


class Invariance(Node):
    """Another value of `column` moves a prediction by at most `within`, in a `share` of the rows."""

    column: str
    values: tuple[Any, ...] = Field(min_length=1)
    within: float = Field(ge=0)
    share: Share = 0.95


class Direction(Node):
    """Adding `add` to `column` moves a prediction as expected, or not at all, in a `share` of the rows."""

    column: str
    add: float
    expect: Literal["not_lower", "not_higher"]
    share: Share = 0.95


class Minimum(Node):
    """Where `column` is `value`, the metric is at least, or at most, so much."""

    column: str
    value: Any
    metric: MetricName
    bound: float
    """At least this where higher is better, at most this where lower is."""


class Behaviour(Rule):
    """Passes when every case holds on the first `rows` rows of the holdout (minimum: on all of them)."""

    invariance: tuple[Invariance, ...] = ()
    direction: tuple[Direction, ...] = ()
    minimum: tuple[Minimum, ...] = ()
    rows: int = Field(default=500, gt=0)

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not (self.invariance or self.direction or self.minimum):
            raise ValueError("give at least one case: invariance, direction or minimum")
        return self

    def measure(self, holdout: "Holdout") -> dict[str, Any]:
        """Each case: what was seen, what is needed, and whether it held."""
        cases = [
            *(self._invariant(case, holdout) for case in self.invariance),
            *(self._directed(case, holdout) for case in self.direction),
            *(self._minimal(case, holdout) for case in self.minimum),
        ]
        return {"cases": cases}

    def _invariant(self, case: Invariance, holdout: "Holdout") -> dict[str, Any]:
        import numpy as np

        rows, before = self._probe(case.column, holdout)
        moved = [np.abs(holdout.predict(rows.assign(**{case.column: value})) - before) for value in case.values]
        unchanged = float((np.max(moved, axis=0) <= case.within).mean())
        says = f"invariant to {case.column} within {case.within:g} in {unchanged:.1%} of rows"
        return {"says": f"{says}, must be in {case.share:.1%}", "seen": unchanged, "held": unchanged >= case.share}

    def _directed(self, case: Direction, holdout: "Holdout") -> dict[str, Any]:
        rows, before = self._probe(case.column, holdout)
        change = holdout.predict(rows.assign(**{case.column: rows[case.column] + case.add})) - before
        right = float((change >= 0 if case.expect == "not_lower" else change <= 0).mean())
        says = f"{case.column} {case.add:+g}: {case.expect.replace('_', ' ')} in {right:.1%} of rows"
        return {"says": f"{says}, must be in {case.share:.1%}", "seen": right, "held": right >= case.share}

    def _minimal(self, case: Minimum, holdout: "Holdout") -> dict[str, Any]:
        from airloop.models import evidence

        _known(case.column, holdout)
        rows = (holdout.rows[case.column].astype(str) == str(case.value)).to_numpy()
        value = evidence.metric_value(case.metric, holdout.labels[rows], holdout.candidate[rows])
        lower_is_better = METRICS[case.metric].sign < 0
        passes = value <= case.bound if lower_is_better else value >= case.bound
        bound = f"at {'most' if lower_is_better else 'least'} {case.bound:g}"
        says = f"{METRICS[case.metric].title} where {case.column} is {case.value}: {value:.4f}, must be {bound}"
        return {"says": says, "seen": value, "held": bool(passes)}

    def _probe(self, column: str, holdout: "Holdout") -> tuple[Any, Any]:
        _known(column, holdout)
        rows = holdout.rows.head(self.rows)
        return rows, holdout.predict(rows)

    def check(self, measured: dict[str, Any]) -> Check:
        """See the class."""
        broken = [case for case in measured["cases"] if not case["held"]]
        shown = (broken or measured["cases"])[0]
        more = f" (and {len(broken) - 1} more cases)" if len(broken) > 1 else ""
        return verdict("behaviour", shown["says"] + more, shown["seen"], passed=not broken)


def _known(column: str, holdout: "Holdout") -> None:
    if column not in holdout.rows:
        raise DataContractError(f"behaviour: there is no column {column!r} among the features")
