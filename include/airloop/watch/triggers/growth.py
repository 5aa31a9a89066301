"""growth: there is much more past to learn from than at the last training decision."""

from typing import ClassVar

from pydantic import Field

from airloop.watch.triggers.trigger import Looks, Trigger, Verdict


class Growth(Trigger):
    """Asks when the past to learn from is at least `factor` times as long as at the last training decision.

    A month more is worth much to a model of two months and little to one of two years. So a young pipeline is trained
    often and an old one rarely: by a factor of 1.5 five times while its past grows to ten times its length. A refusal
    is a decision too. Beyond `training.history_days` there is never more to learn from, and it asks no more.
    """

    reason: ClassVar[str] = "growth"

    factor: float = Field(gt=1)
    """Days to learn from at the look's end, as a multiple of those at the last decision; equal asks."""

    def judge(self, looks: Looks) -> Verdict:
        """See the class."""
        if looks.growth is None:
            return Verdict("not_enough_data", "no training decision says how much past there was to learn from")
        says = f"the past to learn from has grown {looks.growth:.2f}-fold since the last training decision"
        return Verdict(
            "retrain" if looks.growth >= self.factor else "nothing", f"{says}, asked for from {self.factor:g} on"
        )
