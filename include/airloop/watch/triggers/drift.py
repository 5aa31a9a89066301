"""drift: the features do not look as they did in training."""

import math
from typing import Self

from pydantic import Field, model_validator

from airloop.watch.triggers.trigger import Looks, Trigger, Verdict


class Drift(Trigger):
    """Asks when the share of drifted features is at least `share` in this look and in k of the last n.

    Drift says that inputs have changed, not that the champion has become worse: in a world with seasons a third of
    the features drifts in every month. Declare it where labels come too late for a probe.
    """

    share: float = Field(gt=0, le=1)
    """Of the features, those beyond monitoring.psi_threshold; equal asks."""
    k: int = Field(default=1, gt=0)
    n: int = Field(default=1, gt=0)

    @model_validator(mode="after")
    def _k_of_n(self) -> Self:
        if self.k > self.n:
            raise ValueError(f"k={self.k} of n={self.n} windows can never happen")
        return self

    @property
    def reads(self) -> int:
        """See Trigger."""
        return self.n

    def judge(self, looks: Looks) -> Verdict:
        """See the class."""
        share = looks.newest.drifted_share
        if share is None or not math.isfinite(share):
            return Verdict("not_enough_data", "no drift was measured")
        drifted = [record for record in looks.last(self.n) if (record.drifted_share or 0.0) >= self.share]
        shows = share >= self.share
        says = f"{share:.2f} of the features drifted, asked for from {self.share:g} on"
        if not shows:
            return Verdict("nothing", says)
        counted = f"in {len(drifted)} of the last {self.n} windows, {self.k} asked for"
        return Verdict("retrain" if len(drifted) >= self.k else "nothing", f"{says}, {counted}", shows)
