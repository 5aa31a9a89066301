"""What persons and probation decide about a champion, and what came of it."""

from dataclasses import dataclass
from datetime import datetime

from airloop.records.base import Record


@dataclass(frozen=True)
class RolledBack(Record):
    """A former champion is in force again for windows that start at or after `effective_at`.

    Attributes:
        previous_version: The version it replaced.
        why: The reason that a person gave; `who` gave it.
        request: Key of what asked for it, an Airflow run or a command: one request goes back once.
    """

    model_name: str
    version: int
    previous_version: int
    why: str
    who: str
    request: str
    intended_sequence: int
    sequence: int
    effective_at: datetime
    model_digest: str = ""


@dataclass(frozen=True)
class TakenBack(Record):
    """What probation did about a promotion that lost.

    Attributes:
        version: In force for windows that start at or after `effective_at`: the version before, or the one that stays.
        previous_version: The version that lost.
        takes_back: Number of its promotion's entry (`done`) in the ledger.
        why: The figures; of one that stays, what kept it.
        sequence: Of the entry `rolled_back`; None where the version stays.
    """

    version: int
    previous_version: int
    takes_back: int
    why: str
    effective_at: datetime
    sequence: int | None = None
