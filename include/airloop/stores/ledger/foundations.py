"""What promotions and rollbacks rest on: a passed decision that decide has on record, or an earlier promotion."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from airloop.stores.ledger.entry import Entry
from airloop.stores.ledger.history import is_rollback


def passes(decision: Entry) -> bool:
    """Whether a decision passed its version, and every check of it says so."""
    checks = decision.payload.get("checks") or ()
    return decision.payload.get("outcome") == "passed" and bool(checks) and all(check["passed"] for check in checks)


@dataclass
class Foundations:
    """What the entries taken in so far allow.

    Attributes:
        passed: Decision and version that may be promoted.
        begun: Decision and version of promotions that began.
        rollbacks: Number of the entry and version of rollbacks that began.
        promoted: Versions.
        unrecorded: Decisions, and refits, that no stage has on record (yet): they allow nothing.
    """

    passed: set[tuple[Any, Any]] = field(default_factory=set)
    begun: set[tuple[Any, Any]] = field(default_factory=set)
    rollbacks: set[tuple[Any, Any]] = field(default_factory=set)
    promoted: set[Any] = field(default_factory=set)
    unrecorded: dict[int, Entry] = field(default_factory=dict)

    def record(self, sequences: Collection[int | None]) -> None:
        """Stages have these entries on record by now."""
        for sequence in sorted(self.unrecorded.keys() & set(sequences)):
            self.passed |= _may_be_promoted(self.unrecorded.pop(sequence), self.passed)

    def take(self, entry: Entry, *, recorded: Collection[int | None]) -> Iterator[str]:
        """The next entry by sequence: what is wrong with it, a sentence each.

        The refit of a version that passed may be promoted by the same decision, when the stage refit has it on record.
        """
        version, key = entry.payload.get("version"), entry.payload.get("decision_sequence")
        if entry.kind in ("decision", "refitted"):
            self.unrecorded[entry.sequence] = entry
            self.record(recorded)
        elif entry.kind == "intended" and is_rollback(entry):
            self.rollbacks.add((entry.sequence, version))
            if version not in self.promoted:
                yield f"entry {entry.sequence} (intended) rolls back to version {version}, which was never promoted"
        elif entry.kind == "intended":
            self.begun.add((key, version))
            if (key, version) not in self.passed:
                yield f"entry {entry.sequence} (intended) promotes version {version}, which decide did not pass"
        elif entry.kind == "rolled_back" and (entry.payload.get("intended_sequence"), version) not in self.rollbacks:
            yield f"entry {entry.sequence} (rolled_back) is about version {version}, and no rollback to it was begun"
        elif entry.kind == "done":
            self.promoted.add(version)
            if (key, version) not in self.begun:
                yield f"entry {entry.sequence} (done) promotes version {version}, and no promotion of it was begun"


def _may_be_promoted(entry: Entry, passed: Collection[tuple[Any, Any]]) -> set[tuple[Any, Any]]:
    """Decision and version of what a decision that passed, or the refit of what it passed, allows to promote."""
    if entry.kind == "decision":
        return {(entry.sequence, entry.payload.get("version"))} if passes(entry) else set()
    decision = entry.payload.get("decision_sequence")
    judged = (decision, entry.payload.get("judged_version")) in passed
    return {(decision, entry.payload.get("version"))} if judged else set()
