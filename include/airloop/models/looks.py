"""How often a holdout was looked at, and what each look costs: who judges again and again passes by luck.

A look is an earlier decision on another version whose holdout shares rows with this one. The first is judged at the
declared confidence 1 - alpha, the one after k looks at 1 - alpha / (k + 1), and by `superior` only. Equally good
candidates then pass no more often than alpha in all, as simulated for holdouts of one to three weeks (test_looks.py).
"""

from datetime import timedelta
from itertools import takewhile

from airloop.config import Pipeline
from airloop.records import Window
from airloop.stores.ledger import Entry, History

ATTEMPTS = "attempts"
"""The gate's rule about how often a holdout may be looked at."""


def earlier_looks(history: History, pipeline: Pipeline, holdout: Window | None, *, version: int) -> int:
    """How many decisions on other versions looked at rows of a holdout, before this version was first decided about."""
    earlier = takewhile(lambda entry: entry.payload["version"] != version, history.of("decision"))
    return sum(_overlap(holdout, holdout_of(entry, pipeline)) for entry in earlier if not _had_none_left(entry))


def paid_confidence(confidence: float, looks: int) -> float:
    """The confidence that evidence needs after so many looks: 1 - (1 - confidence) / (looks + 1)."""
    return confidence if looks == 0 else 1 - (1 - confidence) / (looks + 1)


def holdout_of(entry: Entry, pipeline: Pipeline) -> Window:
    """The holdout of a recorded decision; of an older airloop's what the declaration makes of its cutoff."""
    recorded = entry.payload.get("holdout")
    if recorded:
        return Window.from_json(recorded)
    end = entry.effective_at - pipeline.prediction.label_delay
    return Window(end - timedelta(days=pipeline.training.holdout_days), end)


def _had_none_left(decision: Entry) -> bool:
    """Whether it was refused because no attempt was left: nothing could pass, so that the look gave nothing."""
    return any(check["rule"] == ATTEMPTS and not check["passed"] for check in decision.payload.get("checks") or ())


def _overlap(one: Window | None, other: Window) -> bool:
    return one is not None and one.start < other.end and other.start < one.end
