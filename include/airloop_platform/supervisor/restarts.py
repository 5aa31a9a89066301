"""A service that died is started again, later each time; one that keeps dying ends the platform."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from airloop.errors import AirloopError
from airloop_platform.supervisor.parts import Death, Parts, SchedulerHold
from airloop_platform.supervisor.processes import Command
from airloop_platform.supervisor.services import log_tail

# Before the first, second and third restart of a service; it has no fourth within `WITHIN_SECONDS`.
DELAYS_SECONDS = (1.0, 5.0, 15.0)
WITHIN_SECONDS = 600.0
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Restarts:
    """What died and when it is started again, for one platform that has been healthy.

    Attributes:
        parts: What runs.
        commands: Of the services, by name.
        api_answers: Whether the API server is ready for tasks; asked until it is, after one of the two that wait for it
            (its successor, to be warm, and a scheduler) was started.
        on_progress: Gets one short line per death.
        clock: Seconds, of any origin.
    """

    parts: Parts
    commands: Mapping[str, Command]
    api_answers: Callable[[], bool]
    on_progress: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    _deaths: dict[str, list[float]] = field(default_factory=dict)
    _due: dict[str, float] = field(default_factory=dict)
    _awaiting_api: dict[str, SchedulerHold | None] = field(default_factory=dict)

    def look(self) -> None:
        """One look, every quarter of a second or so: note who died, start who is due, let a waiting scheduler go.

        Raises:
            AirloopError: A service died more often than `DELAYS_SECONDS` allows; with the end of its log.
        """
        now = self.clock()
        for death in self.parts.deaths():
            if death.name not in self._due:
                self._due[death.name] = now + self._delay(death, now)
        for name in [name for name, due in self._due.items() if due <= now]:
            del self._due[name]
            self._start(name)
        if self._awaiting_api and "api-server" not in self._due and self.api_answers():
            self._let_go()

    def close(self) -> None:
        """Forget who waits; a scheduler that was not let go ends."""
        for gate in filter(None, self._awaiting_api.values()):
            gate.close()
        self._awaiting_api.clear()

    def _delay(self, death: Death, now: float) -> float:
        """Seconds until the restart; what the dead leader leaves behind is ended first."""
        recent = [instant for instant in self._deaths.get(death.name, []) if instant > now - WITHIN_SECONDS]
        self._deaths[death.name] = [*recent, now]
        most, minutes, tail = len(DELAYS_SECONDS), WITHIN_SECONDS / 60, log_tail(death.log)
        if len(recent) == most:
            often = f"{death.name} died {most + 1} times within {minutes:.0f} minutes; the last time it {death.how}"
            raise AirloopError(f"{often}; everything was stopped. The end of {death.log}:\n{tail}")
        self.parts.clean(death.name)
        seconds = DELAYS_SECONDS[len(recent)]
        self.on_progress(
            f"{death.name} {death.how}: starting it again in {seconds:.0f} s "
            f"(restart {len(recent) + 1} of at most {most} within {minutes:.0f} minutes)"
        )
        _LOG.warning("the end of %s:\n%s", death.log, tail)
        return seconds

    def _start(self, name: str) -> None:
        # A scheduler that is faster than the API server fails the tasks whose processes went with its predecessor.
        gate = SchedulerHold() if name == "scheduler" else None
        self.parts.restart(name, self.commands[name], gate=gate.reader if gate else None)
        superseded = self._awaiting_api.pop(name, None)
        if superseded:
            superseded.close()
        if name in ("api-server", "scheduler"):
            self._awaiting_api[name] = gate

    def _let_go(self) -> None:
        for gate in filter(None, self._awaiting_api.values()):
            gate.open()
        self.close()
