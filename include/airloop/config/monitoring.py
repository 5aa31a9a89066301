"""Monitoring: what is watched, in which rhythm, and when it asks for a training."""

from typing import Self

from pydantic import Field, model_validator

from airloop.config.calendar import Calendar
from airloop.config.metric import MetricName
from airloop.config.node import Node
from airloop.config.triggers import TriggerDeclaration


class TriagePolicy(Node):
    """When to ask for a training: k of the last n looks that share no row, the newest among them, showed a gain."""

    metric: MetricName
    margin_share: float = 0.0
    """A look counts when the probe's gain is surely > margin_share * champion's metric."""
    confidence: float = Field(gt=0.5, lt=1)
    """1 - confidence bounds the share of years in which a world that does not change asks for any training. All looks
    of a year share it, so each is judged at a stricter level; intervals are shown at this one."""
    k: int = Field(gt=0)
    n: int = Field(gt=0)
    min_rows: int = Field(gt=0)
    min_blocks: int = Field(ge=14)
    cool_down_days: int = Field(ge=0)
    """Data time after a training decision during which none is asked for."""

    @model_validator(mode="after")
    def _k_of_n(self) -> Self:
        if self.k > self.n:
            raise ValueError(f"k={self.k} of n={self.n} windows can never happen")
        return self


class Monitoring(Node):
    """What is watched, how often, on how much evidence, and the policy that reads it."""

    every: Calendar | None = None
    """The calendar of its looks, not finer than the pipeline's. Not declared it is the pipeline's, and daily for an
    hourly one."""
    over_days: int = Field(gt=0, default=28)
    """A look judges the rows whose labels matured in so many days before its end, and no fewer than those of its own
    period: a month of a monthly calendar is judged alone."""
    probe_every_days: int | None = Field(gt=0, default=None)
    """Days between two refits of the probe, and at least one period of the looks. Not declared: a quarter of
    over_days. The same refit serves every look until the next."""
    sample_rows: int = Field(gt=0)
    """Rows a side that Evidently's report draws; scores are measured on all rows."""
    psi_threshold: float = Field(gt=0)
    """A feature has drifted from this PSI on, less what chance alone comes to."""
    policy: TriagePolicy
    triggers: tuple[TriggerDeclaration, ...] | None = Field(default=None, min_length=1)
    """What asks for a training after a look: `kind` (age, drift, growth, performance, probe, or `module:Class` of the
    pipeline's own) and the keys of that kind. The first that fires asks. Not declared: the probe alone."""

    @property
    def declared_triggers(self) -> tuple[TriggerDeclaration, ...]:
        """The triggers in force."""
        return self.triggers or (TriggerDeclaration(kind="probe"),)

    @property
    def probe_days(self) -> int:
        """Days a refit of the probe serves at least; looks of a longer period have one each."""
        return self.probe_every_days or max(self.over_days // 4, 1)
