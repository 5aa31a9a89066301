"""performance: a live metric is beyond a bound."""

import math
from typing import Self

from pydantic import Field, model_validator

from airloop.config import METRICS
from airloop.config.families import is_own
from airloop.config.metric import MetricName
from airloop.records import Monitored
from airloop.watch.triggers.trigger import Looks, Trigger, Verdict


class Performance(Trigger):
    """Asks when a live metric is surely beyond its bound in this look and in k of the last n.

    Surely: the whole interval over days is beyond it, lower > at_most or upper < at_least. Fewer labelled rows than
    `monitoring.policy.min_rows` say nothing. The probe asks for less: that a training would gain, whatever the level.
    """

    metric: MetricName
    at_most: float | None = None
    at_least: float | None = None
    k: int = Field(default=1, gt=0)
    n: int = Field(default=1, gt=0)

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("give exactly one of at_least, at_most")
        if self.k > self.n:
            raise ValueError(f"k={self.k} of n={self.n} windows can never happen")
        right = None if is_own(self.metric) else "at_most" if METRICS[self.metric].sign < 0 else "at_least"
        if right and getattr(self, right) is None:
            raise ValueError(f"of {self.metric} write {right}: beyond the other bound the champion is good")
        return self

    @property
    def reads(self) -> int:
        """See Trigger."""
        return self.n

    def judge(self, looks: Looks) -> Verdict:
        """See the class."""
        lacking = looks.too_few_labels()
        if lacking:
            return Verdict("not_enough_data", lacking)
        ends = _interval(looks.newest, self.metric)
        if ends is None:
            return Verdict("not_enough_data", f"{METRICS[self.metric].title} is missing or not a number")
        beyond = [record for record in looks.last(self.n) if self._is_beyond(record, looks.policy.min_rows)]
        shows = looks.newest in beyond
        bound = f"above {self.at_most:g}" if self.at_most is not None else f"below {self.at_least:g}"
        says = f"{METRICS[self.metric].title} in [{ends[0]:.4f}, {ends[1]:.4f}], asked for surely {bound}"
        if not shows:
            return Verdict("nothing", says)
        counted = f"in {len(beyond)} of the last {self.n} windows, {self.k} asked for"
        return Verdict("retrain" if len(beyond) >= self.k else "nothing", f"{says}, {counted}", shows)

    def _is_beyond(self, record: Monitored, min_rows: int) -> bool:
        ends = _interval(record, self.metric)
        if ends is None or record.labelled_rows < min_rows:
            return False
        return ends[0] > self.at_most if self.at_most is not None else ends[1] < (self.at_least or 0.0)


def _interval(record: Monitored, metric: str) -> tuple[float, float] | None:
    ends = [record.live.get(f"{metric}_{side}") for side in ("lower", "upper")]
    numbers = [end for end in ends if isinstance(end, (int, float)) and math.isfinite(end)]
    return (numbers[0], numbers[1]) if len(numbers) == 2 else None
