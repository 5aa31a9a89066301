"""latency: the model answers in time, and its files are small enough to be served."""

from typing import TYPE_CHECKING, Any

from pydantic import Field

from airloop.gate.rules.rule import Rule, verdict
from airloop.records import Check

if TYPE_CHECKING:
    from airloop.models.holdout import Holdout


class Latency(Rule):
    """Passes when the median prediction of one row takes at most `milliseconds`, and the files at most `megabytes`.

    Measured where evaluation runs; the median of `repeats`, because other processes disturb single ones.
    """

    milliseconds: float = Field(default=200, gt=0)
    megabytes: float = Field(default=500, gt=0)
    repeats: int = Field(default=15, ge=3)

    def measure(self, holdout: "Holdout") -> dict[str, Any]:
        """Median milliseconds of one row, and the size of the model's files."""
        from statistics import median
        from time import perf_counter

        row = holdout.rows.head(1)
        holdout.predict(row)
        milliseconds = []
        for _ in range(self.repeats):
            began = perf_counter()
            holdout.predict(row)
            milliseconds.append(1000 * (perf_counter() - began))
        return {"milliseconds": median(milliseconds), "megabytes": holdout.model_bytes / 1e6}

    def check(self, measured: dict[str, Any]) -> Check:
        """See the class."""
        took, size = measured["milliseconds"], measured["megabytes"]
        says = (
            f"one prediction takes {took:.1f} ms, must be at most {self.milliseconds:g}; "
            f"files of {size:.2f} MB, must be at most {self.megabytes:g}"
        )
        return verdict("latency", says, took, passed=took <= self.milliseconds and size <= self.megabytes)
