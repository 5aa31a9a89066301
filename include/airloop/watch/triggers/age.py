"""age: the champion has learned from nothing newer for too long."""

from datetime import timedelta
from typing import ClassVar

from pydantic import Field

from airloop.watch.triggers.trigger import Looks, Trigger, Verdict


class Age(Trigger):
    """Asks when the look's end lies at least `days` after the cutoff of the training that the champion comes from.

    Data time. It says nothing about the champion's quality, and the gate's comparison decides as for every training. A
    refused candidate leaves the champion as old as it is: `monitoring.policy.cool_down_days` bounds how often it asks.
    """

    reason: ClassVar[str] = "schedule"

    days: int = Field(gt=0)
    """Days of data time since the training's cutoff; exactly that many ask."""

    def judge(self, looks: Looks) -> Verdict:
        """See the class."""
        if looks.trained_until is None:
            return Verdict("not_enough_data", "no decision says up to when the champion has learned")
        age = (looks.newest.window.end - looks.trained_until) / timedelta(days=1)
        says = f"the champion's training ended {age:.1f} days before, asked for from {self.days} on"
        return Verdict("retrain" if age >= self.days else "nothing", says)
