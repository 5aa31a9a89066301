"""The kinds of entries: which stages write each, and what it says."""

from airloop.errors import DataContractError, GuardRefused
from airloop.records import run_context

WRITERS: dict[str, tuple[str, ...]] = {
    "trained": ("train",),
    "decision": ("decide",),
    "refitted": ("refit",),
    "intended": ("promote", "roll_back", "take_back"),
    "done": ("promote",),
    "triage": ("triage",),
    "reconciled": (),
    "measured": ("triage",),
    "alarm": ("ingest", "validate_raw", "validate_features", "monitor"),
    "answered": (),
    "acknowledged": (),
    "sealed": ("score",),
    "rolled_back": ("roll_back", "take_back"),
    "not_taken_back": ("take_back",),
    "approved": (),
    "rejected": (),
    "superseded": (),
    "shadowed": ("promote",),
    "locked": (),
    "unlocked": (),
}
"""Kind of entry -> the stages that write it; outside of any stage (a person's command) each may be written."""

KINDS: dict[str, str] = {
    "trained": "which version a training made, of which rows, and who started it",
    "decision": "what the gate decided about a version, on which evidence, and why",
    "refitted": "which version a decision puts in force: the judged one's refit on all mature rows, or itself",
    "intended": "a promotion or a rollback has begun; its alias may or may not have moved yet",
    "done": "the version is champion for windows that start at or after `effective_at`",
    "triage": "what a monitored window calls for, on which evidence",
    "measured": "what a promotion gained on the first rows after it, beside what the gate had measured",
    "reconciled": "the alias `champion` was moved back, or a promotion or rollback was given up",
    "alarm": "what a stage noticed about a window, or an alias that pointed at a version never promoted",
    "answered": "a person's answer to an alarm",
    "acknowledged": "problems of the ledger itself that a person goes on with",
    "sealed": "SHA-256 of a champion's files, of one that was promoted before digests were taken",
    "rolled_back": "a former champion is in force again from `effective_at` on; by a person nothing is promoted until "
    "`unlocked`, by probation (`takes_back` names the promotion) promotions go on",
    "not_taken_back": "a promotion lost, and the version stays all the same: what kept probation from taking it back",
    "approved": "a person lets the version of a decision be promoted, and why",
    "rejected": "a person (or the deadline) refuses to let it be promoted, and why",
    "superseded": "nobody can approve it any more, and why",
    "shadowed": "what a version that waits was worth on live traffic beside the champion: passed, or refused for good",
    "locked": "a person stopped promotions, and why",
    "unlocked": "a person lets promotions go on, and why",
}
"""Kind of entry -> what it says."""


def refuse_other_writers(kind: str) -> None:
    """Let a stage write only the kinds that are its own.

    Raises:
        GuardRefused: The stage that runs does not write entries of this kind.
        DataContractError: There is no such kind.
    """
    if kind not in WRITERS:
        raise DataContractError(f"the ledger has no entries of kind {kind!r} (kinds: {', '.join(WRITERS)})")
    stage = run_context.current_stage()
    if stage is not None and stage not in WRITERS[kind]:
        writers = ", ".join(WRITERS[kind]) or "a person's command"
        raise GuardRefused(f"stage {stage} writes no entries of kind {kind!r} into the ledger: {writers} does")
