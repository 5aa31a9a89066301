"""What the command line says about a table."""

from dataclasses import dataclass
from typing import get_args

from airloop.config import TaskKind
from airloop.errors import ConfigError

BY_HAND = {
    "quantiles": "make it with --task regression, then write the levels into prediction.quantiles",
    "anomaly": "make it with --task binary, then write prediction.alarm_share and the gate's rules",
}
"""Tasks that are declared by hand -> how."""


@dataclass(frozen=True)
class NamedRoles:
    """What the command line says about the table; None and () leave it to inference."""

    key: tuple[str, ...] = ()
    time: str | None = None
    label: str | None = None
    task: TaskKind | None = None

    @classmethod
    def checked(cls, key: tuple[str, ...], time: str | None, label: str | None, task: str | None) -> "NamedRoles":
        """What a person typed.

        Raises:
            ConfigError: There is no such task.
        """
        for known in get_args(TaskKind):
            if task in (None, known) and known not in BY_HAND:
                return cls(key, time, label, known if task else None)
        if task in BY_HAND:
            raise ConfigError(f"--task {task}: {BY_HAND[task]}; see docs/guides/problems.md")
        inferred = [known for known in get_args(TaskKind) if known not in BY_HAND]
        raise ConfigError(f"--task {task}: there is no such task (tasks: {', '.join(inferred)})")
