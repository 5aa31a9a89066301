"""How a pipeline's model is asked over the API: how old its features may be, and how much one request may ask."""

from typing import Literal, Self

from pydantic import Field, model_validator

from airloop.config.node import Name, Node
from airloop.config.serving_canary import Canary
from airloop.config.serving_skew import Skew

WhenStale = Literal["default", "refuse", "flag"]


class ViewFreshness(Node):
    """What happens to a request when a view's value is older than it may be.

    The age of a value is the request's `as_of` (now, unless the request sends it) minus the instant it became known.
    """

    max_age_minutes: float | None = Field(gt=0, default=None)
    """A value is stale when its age > this; never later than the view's own ttl says."""
    when_stale: WhenStale = "default"
    """`default`: the value counts as missing, as in training, or is the one that `defaults` names; `refuse`: the
    request is refused (409); `flag`: the value is used. Each answer names the stale views."""
    when_absent: Literal["default", "refuse"] = "default"
    """What happens when the online store holds no value of the key at all: as above."""
    defaults: dict[str, float | str | bool] = Field(default_factory=dict)
    """Feature of the view -> what stands for a value that is stale or absent; a feature not named is missing then."""

    @model_validator(mode="after")
    def _defaults_are_used(self) -> Self:
        if self.defaults and "default" not in (self.when_stale, self.when_absent):
            raise ValueError("defaults are never used: neither when_stale nor when_absent is `default`")
        return self


class Serving(Node):
    """How the model is asked over the API (`airloop serve`)."""

    enabled: bool = True
    """Whether the prediction service answers for this pipeline."""
    freshness: dict[Name, ViewFreshness] = Field(default_factory=dict)
    """Feature view -> how old its values may be; a view not named follows its ttl: expired values count as missing."""
    max_rows: int = Field(gt=0, le=100_000, default=1000)
    """A request that asks for more rows is refused (413)."""
    timeout_seconds: float = Field(gt=0, le=600, default=10)
    """A request that takes longer is answered with 503."""
    feedback: Name | None = None
    """Outcome feed that `POST /v1/feedback` lands in; needed only where there are several."""
    shadow: bool = False
    """Whether a challenger (a version that passed its gate and waits to be promoted) predicts every row too. Its
    predictions are logged and never returned."""
    canary: Canary | None = None
    """The share of the answers that a challenger gives; a lock on promotions takes it back (`airloop lock`)."""
    skew: Skew = Skew()
    """When online features that are not the offline ones raise an alarm (`online_offline_skew`)."""
