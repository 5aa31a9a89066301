"""The ledger's word on a training: which version came of it, of what it was made, and who started it."""

from typing import Any

from airloop.records import Snapshot, TrainedModel, run_context
from airloop.settings import Settings
from airloop.stores import ledger
from airloop.stores.ledger import Draft, Entry

TRAINED = "trained"


def record(settings: Settings, trained: TrainedModel, snapshot: Snapshot) -> Entry:
    """Append what a training made, or find the entry that says so: a version is trained once, however often asked for.

    It takes effect at the cutoff of the training. Nothing is decided by it: what the gate thinks is its `decision`.

    Raises:
        GuardRefused: Too many others write at the same time.
    """

    def make(entries: tuple[Entry, ...]) -> Entry | Draft:
        known = (entry for entry in entries if entry.payload.get("version") == trained.version)
        return next(known, Draft(snapshot.cutoff, _payload(trained, snapshot)))

    return ledger.append_once(settings, trained.model_name, kind=TRAINED, make=make, kinds=[TRAINED])


def _payload(trained: TrainedModel, snapshot: Snapshot) -> dict[str, Any]:
    family = trained.candidate.replace("_", " ")
    names = ("model_name", "version", "candidate", "model_digest", "input_key", "snapshot_digest")
    return {
        **{name: getattr(trained, name) for name in names},
        "reason": snapshot.reason,
        "reason_key": snapshot.reason_key,
        "train": snapshot.train.to_json(),
        "train_rows": snapshot.train_rows,
        "asked_by": run_context.current_starter(),
        "why": f"a {family} of {snapshot.train_rows:,} rows until {snapshot.train.end:%Y-%m-%d}, by {snapshot.reason}",
    }
