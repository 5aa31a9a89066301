"""What a candidate must pass: floors, the comparison with the champion, and further rules."""

from typing import Literal, Self

from pydantic import Field, model_validator

from airloop.config.families import is_own
from airloop.config.gate_rules import SHADOWED, RuleDeclaration
from airloop.config.metric import METRICS, MetricName
from airloop.config.node import Node
from airloop.config.reason import Reason

ComparisonRule = Literal["superior", "non_inferior", "not_surely_worse"]


class Floor(Node):
    """An absolute bound on a holdout metric."""

    metric: MetricName
    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("give exactly one of at_least, at_most")
        if is_own(self.metric):
            return self  # the worker imports it, and refuses the wrong bound then
        better = "at_most" if METRICS[self.metric].sign < 0 else "at_least"
        if getattr(self, better) is None:
            raise ValueError(f"a floor on {self.metric} is an {better}: the other bound would let only bad models pass")
        return self


class Comparison(Node):
    """Champion against candidate on the same rows; margins are shares of the champion's metric.

    `superior` passes when lower > superior_margin_share * champion;
    `non_inferior` passes when lower > -non_inferior_margin_share * champion and gain > 0;
    `not_surely_worse` passes when upper > 0, and is for `growth` alone: more to learn from speaks for the candidate.
    """

    metric: MetricName
    superior_margin_share: float = Field(ge=0, default=0.0)
    non_inferior_margin_share: float = Field(ge=0, default=0.05)
    confidence: float = Field(gt=0.5, lt=1)
    resamples: int = Field(ge=100, le=100_000)
    min_blocks: int = Field(ge=14)
    """Fewer calendar days with labelled rows refuse."""
    rule: dict[Reason, ComparisonRule]
    """Reason of a training (`probe`, `growth`, `hand`, `schedule`, or a word of your own) -> rule; `default` is for
    every other reason."""

    @model_validator(mode="after")
    def _has_default(self) -> Self:
        if "default" not in self.rule:
            raise ValueError("rule needs an entry `default`")
        return self

    @model_validator(mode="after")
    def _proof_for_all_but_growth(self) -> Self:
        lax = [reason for reason, rule in self.rule.items() if rule == "not_surely_worse" and reason != "growth"]
        if lax:
            raise ValueError(f"not_surely_worse is for growth alone; of {lax[0]} ask for superior or non_inferior")
        return self


class Gate(Node):
    """What a candidate must pass; a gate without floors is refused."""

    floors: tuple[Floor, ...] = Field(min_length=1)
    compare: Comparison
    rules: tuple[RuleDeclaration, ...] = ()
    """What else a candidate has to pass: `kind` (behaviour, calibration, cost, fairness, forgetting, latency, sanity,
    shadowed, slices, or `module:Class` of the pipeline's own) and the keys of that kind."""
    max_attempts: int | None = Field(default=3, gt=0)
    """So many versions are compared with the champion on rows of one holdout; then the gate refuses until labels of
    newer rows are mature. The look after k others is judged at 1 - alpha / (k + 1): with three, equally good candidates
    pass no more often than alpha in all. null: no limit."""

    probation: Literal["roll_back"] | None = None
    """What a promotion comes to whose first rows show it surely worse than the version that it replaced (the whole
    interval of `compare.metric` below 0): `roll_back` puts that version in force again, by itself and without a lock.
    null: a person decides."""

    @property
    def shadowed(self) -> RuleDeclaration | None:
        """The rule that asks for live traffic before a promotion; None without."""
        return next((rule for rule in self.rules if rule.kind == SHADOWED), None)
