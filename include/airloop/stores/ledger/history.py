"""Questions of the ledger: who is champion at an instant, which move of it is unfinished, who waits as challenger.

Whoever needs an answer asks here: stages, registry, pages, and the demo's comparison.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from airloop.settings import Settings
from airloop.stores.ledger.entry import Entry
from airloop.stores.ledger.queries import entries

KINDS = (
    "decision",
    "refitted",
    "intended",
    "done",
    "reconciled",
    "rolled_back",
    "locked",
    "unlocked",
    "approved",
    "rejected",
    "superseded",
    "shadowed",
)
"""What the answers rest on; there are as many as trainings, however many windows were triaged."""

_NONE = 0
"""No version has this number."""

TAKES_BACK = "takes_back"
"""Key of a rollback's payload: number of the promotion that probation takes back. A person's rollback lacks it."""

IN_FORCE = ("done", "rolled_back")
"""Kinds that put their version in force from `effective_at` on."""


@dataclass(frozen=True)
class History:
    """What was decided and promoted.

    Attributes:
        entries: By sequence; entries of other kinds than KINDS are ignored.
    """

    entries: tuple[Entry, ...]

    def of(self, kind: str) -> tuple[Entry, ...]:
        """The entries of one kind, by sequence."""
        return tuple(entry for entry in self.entries if entry.kind == kind)

    def latest(self, kind: str) -> Entry | None:
        """The newest entry of a kind."""
        return next((entry for entry in reversed(self.entries) if entry.kind == kind), None)

    def in_force(self, at: datetime | None = None, *, but_not: int | None = None) -> Entry | None:
        """The entry of IN_FORCE with the largest effective_at <= `at`, ties by sequence.

        Args:
            at: Data time; None for the end of time.
            but_not: A version whose own promotions, and those of its refit, do not count.
        """
        moves = (
            entry
            for entry in self.entries
            if entry.kind in IN_FORCE
            and _version(entry)
            and (at is None or entry.effective_at <= at)
            and (but_not is None or but_not not in (_version(entry), self.judged(_version(entry))))
        )
        return max(moves, key=lambda entry: (entry.effective_at, entry.sequence), default=None)

    def champion(self, at: datetime | None = None, *, but_not: int | None = None) -> int | None:
        """Version of `in_force`; None before the first promotion."""
        entry = self.in_force(at, but_not=but_not)
        return None if entry is None else _version(entry)

    def champion_before(self, version: int) -> int | None:
        """The version that a promoted one replaced when it was last promoted; None for the first."""
        done = next((entry for entry in reversed(self.of("done")) if _version(entry) == version), None)
        return None if done is None else done.payload.get("previous_version")

    def taken_back(self, version: int) -> Entry | None:
        """The newest entry by which probation took a version back, or the other one of it and its refit."""
        rollbacks = (entry for entry in reversed(self.of("rolled_back")) if TAKES_BACK in entry.payload)
        model = self.judged(version)
        return next((entry for entry in rollbacks if self.judged(entry.payload["previous_version"]) == model), None)

    def promoted(self) -> frozenset[int]:
        """Every version that was champion at some time."""
        return frozenset(_version(entry) for entry in self.of("done")) - {_NONE}

    def refit_of(self, decision_sequence: int) -> Entry | None:
        """The newest `refitted` entry about a decision."""
        return _acting(self.of("refitted"), decision_sequence)

    def judged(self, version: int) -> int:
        """The version that the gate judged: of a refit the one it is the refit of, else the version itself."""
        entries = (entry for entry in reversed(self.of("refitted")) if _version(entry) == version)
        entry = next(entries, None)
        return version if entry is None else int(entry.payload["judged_version"])

    def decision(self, sequence: int) -> Entry | None:
        """The decision of that number."""
        return next((entry for entry in self.of("decision") if entry.sequence == sequence), None)

    def newest_decision_on(self, version: int) -> Entry | None:
        """The newest decision about a version."""
        return next((entry for entry in reversed(self.of("decision")) if _version(entry) == version), None)

    def intended_of(self, decision_sequence: int) -> Entry | None:
        """The newest `intended` entry that acts on a decision."""
        return _acting(self.of("intended"), decision_sequence)

    def done_of(self, decision_sequence: int) -> Entry | None:
        """The `done` entry that acted on a decision."""
        return _acting(self.of("done"), decision_sequence)

    def rollback_of(self, request: str) -> Entry | None:
        """The `intended` entry of a rollback, by the key of whoever asked for it."""
        return next((entry for entry in self.of("intended") if entry.payload.get("request") == request), None)

    def end_of(self, intended: Entry) -> Entry | None:
        """The entry that ends what an `intended` one began: `done` of a promotion, `rolled_back` of a rollback."""
        if not is_rollback(intended):
            return self.done_of(intended.payload["decision_sequence"])
        ends = (e for e in self.of("rolled_back") if e.payload.get("intended_sequence") == intended.sequence)
        return next(ends, None)

    def answer_to(self, decision_sequence: int) -> Entry | None:
        """The newest word on whether a decision may be promoted: `approved`, `rejected`, `superseded`; None without."""
        words = (e for e in reversed(self.entries) if e.kind in ("approved", "rejected", "superseded"))
        return next((e for e in words if e.payload.get("decision_sequence") == decision_sequence), None)

    def lock(self) -> Entry | None:
        """The entry since which nothing is promoted: a rollback or a lock that nobody lifted; None when none is.

        What probation took back locks nothing.
        """
        words = (e for e in reversed(self.entries) if e.kind in ("rolled_back", "locked", "unlocked"))
        newest = next((entry for entry in words if TAKES_BACK not in entry.payload), None)
        return None if newest is None or newest.kind == "unlocked" else newest

    def data_time(self) -> datetime:
        """The latest instant that was decided about; without any decision the wall clock."""
        return max((entry.effective_at for entry in self.entries), default=datetime.now(UTC))

    def open_move(self) -> Entry | None:
        """The newest `intended` entry without its end: a promotion or rollback under way, or one that was killed.

        One that a `reconciled` entry gives up, because its version is gone, is none.
        """
        intended = self.latest("intended")
        if intended is None or not _version(intended) or self.end_of(intended):
            return None
        given_up = {entry.payload.get("gives_up") for entry in self.of("reconciled")}
        return None if intended.sequence in given_up else intended

    def challengers(self) -> tuple[int, ...]:
        """Versions that may take the champion's place, by their decisions' sequence.

        The newest decision about each passed it against the champion in force; it was neither promoted nor refused on
        live traffic.
        """
        return tuple(_version(entry) for entry in self._passed() if not self._refused_on_traffic(entry))

    def waiting(self) -> Entry | None:
        """The decision whose version waits to take the champion's place; None where none does, or none is in force.

        The newest that passed against the champion, unless it was promoted, rejected, superseded, or refused on live
        traffic. An older one is void since the newer passed.
        """
        entry = max(self._passed(), key=lambda passed: passed.sequence, default=None)
        if entry is None or self.champion() is None or self._refused_on_traffic(entry):
            return None
        answer = self.answer_to(entry.sequence)
        return None if answer is not None and answer.kind != "approved" else entry

    def _passed(self) -> list[Entry]:
        """The newest decision about each version that passed against the champion in force and was never promoted."""
        champion, promoted = self.champion(), self.promoted()
        promoted |= {self.judged(version) for version in promoted}
        newest = {_version(entry): entry for entry in self.of("decision")}
        return [
            entry
            for entry in sorted(newest.values(), key=lambda entry: entry.sequence)
            if entry.payload.get("outcome") == "passed"
            and entry.payload.get("champion_version") == champion
            and _version(entry) not in promoted
        ]

    def _refused_on_traffic(self, decision: Entry) -> bool:
        shadow = self.shadow_of(decision.sequence)
        return shadow is not None and shadow.payload.get("outcome") != "passed"

    def shadow_of(self, decision_sequence: int) -> Entry | None:
        """What the version of a decision was worth on live traffic (`shadowed`); None until that was judged."""
        return _acting(self.of("shadowed"), decision_sequence)


def history(settings: Settings, pipeline: str) -> History:
    """The history of a pipeline as it stands, verified by nobody: for pages. Stages take `intact_history`."""
    return History(entries(settings, pipeline, kinds=KINDS))


def is_rollback(intended: Entry) -> bool:
    """Whether an `intended` entry begins a rollback; else it begins a promotion."""
    return "request" in intended.payload


def _version(entry: Entry) -> int:
    """What an entry is about; _NONE where somebody took it away."""
    version = entry.payload.get("version")
    return version if type(version) is int else _NONE


def _acting(among: tuple[Entry, ...], decision_sequence: int) -> Entry | None:
    return next((e for e in reversed(among) if e.payload.get("decision_sequence") == decision_sequence), None)
