"""How often a holdout was looked at: who judges on the same rows again and again passes something by luck."""

from dataclasses import replace
from datetime import timedelta

from airloop.config import Pipeline
from airloop.records import Decision, Window
from airloop.stores import ledger
from airloop.stores.ledger import Draft, Entry, History


def counted(decision: Decision, history: History, pipeline: Pipeline) -> Decision:
    """The decision with the number of earlier ones whose holdout overlaps its own, in `looks` and in `why`."""
    holdouts = [_holdout(entry, pipeline) for entry in history.of("decision")]
    looks = sum(_overlap(decision.holdout, holdout) for holdout in holdouts)
    if not looks:
        return decision
    earlier = "1 earlier decision" if looks == 1 else f"{looks} earlier decisions"
    return replace(decision, looks=looks, why=f"{decision.why}; {earlier} looked at rows of this holdout")


def recorded_or_new(judged: Decision, history: History, pipeline: Pipeline) -> Entry | Draft:
    """The newest decision on this version, when it is this one; looks are counted as they were then."""
    newest = history.newest_decision_on(judged.version)
    if newest is not None:
        before = History(tuple(entry for entry in history.entries if entry.sequence < newest.sequence))
        again = ledger.payload_of(counted(judged, before, pipeline))
        # Read as a decision it has the fields too that an older airloop did not write.
        if again == ledger.payload_of(Decision.from_json(newest.payload)):
            return newest
    return Draft(judged.effective_at, ledger.payload_of(counted(judged, history, pipeline)))


def _holdout(entry: Entry, pipeline: Pipeline) -> Window:
    """The holdout of a recorded decision; of an older airloop's what the declaration makes of its cutoff."""
    recorded = entry.payload.get("holdout")
    if recorded:
        return Window.from_json(recorded)
    end = entry.effective_at - pipeline.prediction.label_delay
    return Window(end - timedelta(days=pipeline.training.holdout_days), end)


def _overlap(one: Window | None, other: Window) -> bool:
    return one is not None and one.start < other.end and other.start < one.end
