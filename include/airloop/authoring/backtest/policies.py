"""When to train, and whether a gate decides: the policies that a backtest compares."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from airloop.config import Pipeline
from airloop.errors import ConfigError

_DRIFTED = 0.5


class Watched(Protocol):
    """A window that has just ended, to be asked about; what nobody asks about is not computed."""

    def drifted_share(self) -> float | None:
        """Share of features that drifted."""

    def triage_asks(self) -> str:
        """The reason for which the declared triage asks for a training; empty when it does not."""


@dataclass(frozen=True)
class Policy:
    """One policy.

    Attributes:
        says: What it does, in words.
        asks: The reason of a training after the window, as the gate's rules name it; empty for no training.
        gated: Whether the declared gate decides; without it every trained candidate goes into force.
    """

    name: str
    says: str
    asks: Callable[[Watched], str]
    gated: bool = True


def _drift_asks(window: Watched) -> str:
    share = window.drifted_share()
    return "hand" if share is not None and share >= _DRIFTED else ""


POLICIES: tuple[Policy, ...] = (
    Policy("never", "the first model, for ever", lambda _window: ""),
    Policy("always", "a training after every window, promoted unseen", lambda _window: "schedule", gated=False),
    Policy("calendar", "a training after every window, through the gate", lambda _window: "schedule"),
    Policy("drift", "a training when half of the features drifted, through the gate", _drift_asks),
    Policy(
        "declared",
        "a training when the declared triage asks, through the gate",
        lambda window: window.triage_asks(),
    ),
)


MEASURED_TRIGGERS = ("probe", "age", "growth")
"""What a backtest measures enough for: it measures neither live metrics with their intervals nor drift at a look."""


def refuse_unmeasured(pipeline: Pipeline, policies: Sequence[Policy]) -> None:
    """Refuse the policy `declared` of a pipeline with a trigger that a backtest cannot ask.

    Raises:
        ConfigError: Names the trigger, and what to do instead.
    """
    kinds = [trigger.kind for trigger in pipeline.monitoring.declared_triggers if trigger.kind not in MEASURED_TRIGGERS]
    if kinds and any(policy.name == "declared" for policy in policies):
        raise ConfigError(
            f"{pipeline.name}/pipeline.yaml: monitoring.triggers: a backtest does not measure what trigger {kinds[0]} "
            f"reads (it measures {', '.join(MEASURED_TRIGGERS)}): name other policies by --policies, or take the past "
            "through the whole loop by airloop replay"
        )


def find_policies(names: tuple[str, ...]) -> tuple[Policy, ...]:
    """The policies of these names, in their own order; all when none is named. `never` is always among them.

    Raises:
        ConfigError: There is no such policy.
    """
    known = [policy.name for policy in POLICIES]
    for name in names:
        if name not in known:
            raise ConfigError(f"there is no policy {name!r} (policies: {', '.join(known)})")
    return tuple(policy for policy in POLICIES if not names or policy.name in {*names, "never"})
