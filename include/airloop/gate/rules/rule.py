"""What every rule is: it says what to measure on the holdout, and judges what was measured."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from airloop.config.node import Node
from airloop.records import Check

if TYPE_CHECKING:
    from airloop.models.holdout import Holdout


class Rule(Node, ABC):
    """A rule of the gate; its keys are fields of the class, in pipeline.yaml beside `kind`.

    The module imports nothing heavy at its top: it is read wherever a pipeline.yaml is.
    """

    @abstractmethod
    def measure(self, holdout: "Holdout") -> dict[str, Any]:
        """What `check` reads, as JSON; called once per candidate, by evaluate.

        Raises:
            DataContractError: It cannot be measured; the gate then refuses with this sentence.
        """

    @abstractmethod
    def check(self, measured: dict[str, Any]) -> Check:
        """Whether the candidate passes; pure."""


def verdict(rule: str, says: str, observed: float | None, *, passed: bool) -> Check:
    """What a rule found."""
    return Check(rule, passed=passed, observed=observed, says=says)
