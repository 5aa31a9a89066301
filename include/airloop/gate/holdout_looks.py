"""A decision as it is recorded: with the looks at its holdout that came before, counted while nothing comes between."""

from dataclasses import replace

from airloop.config import Pipeline
from airloop.models.looks import earlier_looks
from airloop.records import Decision
from airloop.stores import ledger
from airloop.stores.ledger import Draft, Entry, History


def counted(decision: Decision, history: History, pipeline: Pipeline) -> Decision:
    """The decision with the number of earlier ones whose holdout overlaps its own, in `looks` and in `why`."""
    looks = earlier_looks(history, pipeline, decision.holdout, version=decision.version)
    if not looks:
        return decision
    earlier = "1 earlier decision" if looks == 1 else f"{looks} earlier decisions"
    return replace(decision, looks=looks, why=f"{decision.why}; {earlier} looked at rows of this holdout")


def recorded_or_new(judged: Decision, history: History, pipeline: Pipeline) -> Entry | Draft:
    """The newest decision on this version, when it is this one; looks are counted as they were then."""
    newest = history.newest_decision_on(judged.version)
    if newest is not None:
        before = History(tuple(entry for entry in history.entries if entry.sequence < newest.sequence))
        # Read as a decision it has the fields too that an older airloop did not write. Who asked judges nothing.
        recorded = Decision.from_json(newest.payload)
        again = counted(replace(judged, asked_by=recorded.asked_by), before, pipeline)
        if ledger.payload_of(again) == ledger.payload_of(recorded):
            return newest
    return Draft(judged.effective_at, ledger.payload_of(counted(judged, history, pipeline)))
