"""What every trigger is: it judges what monitoring saw, and says whether that asks for a training."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from airloop.config.monitoring import TriagePolicy
from airloop.config.node import Node
from airloop.records import Evidence, Monitored

ASKED = "trigger"
"""The reason of a training that a trigger of the pipeline's own asks for."""


@dataclass(frozen=True)
class Looks:
    """The looks at one champion that share no row, and what else a trigger may know.

    Attributes:
        records: Newest first; the first one is judged. Bounded: as many as the policy or a declared trigger reads.
        count: Of each record, whether it may be believed: False where an alarm casts doubt on it. True of the first.
        policy: `monitoring.policy`.
        trained_until: Cutoff of the training that the champion comes from; None where no decision is on record.
        growth: Days that a training at the look's end could learn from, as a multiple of those at the last training
            decision; None where no decision is on record.
    """

    records: tuple[Monitored, ...]
    count: tuple[bool, ...]
    policy: TriagePolicy
    trained_until: datetime | None = None
    growth: float | None = None

    @property
    def newest(self) -> Monitored:
        """The look that is judged; `newest.window.end` is the present."""
        return self.records[0]

    def last(self, number: int) -> tuple[Monitored, ...]:
        """Those of the last `number` looks that may be believed, newest first; a doubtful one keeps its place."""
        among = zip(self.records[:number], self.count, strict=False)
        return tuple(record for record, counts in among if counts)

    def too_few_labels(self) -> str:
        """Why the newest look has too few labelled rows to be judged by; empty when it has enough."""
        rows, needed = self.newest.labelled_rows, self.policy.min_rows
        return "" if rows >= needed else f"{rows} labelled rows, at least {needed} are needed"


@dataclass(frozen=True)
class Verdict:
    """What a trigger says about a look.

    Attributes:
        kind: `retrain` asks for a training; `not_enough_data` says that nothing can be said.
        why: One sentence without a full stop, with the values that decided.
        shows: Whether this look alone shows what the trigger looks for. While alarms about the champion's own figures
            last, only a trigger with a look that shows something may ask.
        evidence: What it rests on, for the ledger and the training's page.
    """

    kind: Literal["retrain", "nothing", "not_enough_data"]
    why: str
    shows: bool = False
    evidence: tuple[Evidence, ...] = ()


class Trigger(Node, ABC):
    """A trigger; its keys are fields of the class, in pipeline.yaml beside `kind`.

    The module imports nothing heavy at its top: it is read wherever a pipeline.yaml is. What holds for every trigger is
    not its own to write: backfills, excluded rows, open alarms and the cool-down stop it (airloop.watch.triage).

    Attributes:
        reason: The reason of the trainings it asks for. One of the pipeline's own has `trigger`: the milder rule for
            `probe` opens for airloop's own probe alone.
    """

    reason: ClassVar[str] = ASKED

    @property
    def reads(self) -> int:
        """How many looks it reads, this one among them."""
        return 1

    @abstractmethod
    def judge(self, looks: Looks) -> Verdict:
        """Whether the newest look asks for a training; pure: the same looks give the same verdict."""
