"""One fault of an upstream system: how it is planted, what was said to it before, what has to be said now."""

from collections.abc import Callable
from dataclasses import dataclass

from .landed import Landed

Plant = Callable[[Landed], None]


@dataclass(frozen=True)
class Fault:
    """One row of the table.

    Attributes:
        plant: Rewrites April's files.
        how: The same in words, for the table in the docs.
        before: What the platform did before faults were planted; empty where that was not tried.
        says: Regular expression that the refusal or an alarm (`stage kind subject sentence`) must match; None for what
            has to pass without a word.
        outcomes_only: Only arrivals change, so the month is as it was until they land.
    """

    name: str
    plant: Plant
    how: str
    before: str
    says: str | None
    outcomes_only: bool

    @property
    def harmless(self) -> bool:
        """Whether it is not a fault: the clean tables are those of the files as they are."""
        return self.says is None


PLANTED: list[Fault] = []


def planted(
    name: str, *, how: str, before: str = "", says: str | None = None, outcomes_only: bool = False
) -> Callable[[Plant], Plant]:
    """Put the fault that a function plants into the table."""

    def register(plant: Plant) -> Plant:
        PLANTED.append(Fault(name, plant, how, before, says, outcomes_only))
        return plant

    return register
