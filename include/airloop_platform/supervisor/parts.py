"""The processes of one running supervisor: started, recorded, watched and stopped together."""

import os
import signal
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path

from airloop.errors import AirloopError
from airloop_platform.supervisor.processes import Command, ProcessMark, mark, start
from airloop_platform.supervisor.run_folder import RunFolder, write_private
from airloop_platform.supervisor.services import log_tail
from airloop_platform.supervisor.shutdown import kill_session, stop_services


@dataclass(frozen=True)
class Death:
    """A part that failed, or ended although it should not.

    Attributes:
        name: Of the part.
        how: What happened to it, after its name: "was killed by signal 9 (Killed)".
        log: What it wrote.
    """

    name: str
    how: str
    log: Path


@dataclass(frozen=True)
class Parts:
    """What runs. Each start is recorded before the next begins, so that a later supervisor finds all of it.

    Attributes:
        folder: Gets the record.
        cwd: The working directory of every part.
        airflow_url: Kept in the record, for `status`.
        mlflow_url: Kept in the record, for `status`; so is serving_url.
    """

    folder: RunFolder
    cwd: Path
    airflow_url: str
    mlflow_url: str
    serving_url: str = ""
    _running: dict[str, tuple[subprocess.Popen[bytes], Command]] = field(default_factory=dict)
    _marks: dict[str, ProcessMark] = field(default_factory=dict)
    _restarts: dict[str, int] = field(default_factory=dict)

    def start(self, name: str, command: Command, *, gate: int | None = None) -> None:
        """Start a part; `gate` is the reader of a `SchedulerHold` it has to wait at."""
        if gate is not None:
            command = replace(command, environment={**command.environment, "AIRLOOP_SCHEDULER_GATE": str(gate)})
        process = start(command, cwd=self.cwd, gate=gate)
        self._running[name] = (process, command)
        born = mark(process.pid)
        if born is not None:
            self._marks[name] = born
            self._record()

    def succeeded(self, name: str) -> bool:
        """Whether a part that is meant to end has done so; `check` notices when it failed."""
        return self._running[name][0].poll() == 0

    def deaths(self) -> list[Death]:
        """The parts that failed, or ended although they should not, and were not started again."""
        deaths = []
        for name, (process, command) in self._running.items():
            code = process.poll()
            if code is not None and not (command.ends and code == 0):
                deaths.append(Death(name, _how(code), command.log))
        return deaths

    def check(self) -> None:
        """Notice a death.

        Raises:
            AirloopError: With its name and the end of its log.
        """
        for death in self.deaths():
            end = f"The end of {death.log}:\n{log_tail(death.log)}"
            raise AirloopError(f"{death.name} {death.how}; everything was stopped. {end}")

    def clean(self, name: str) -> None:
        """End what a dead part has left: its children hold ports, and workers without a scheduler never end."""
        if name in self._marks:
            kill_session(self._marks[name])

    def restart(self, name: str, command: Command, *, gate: int | None = None) -> None:
        """As `start`, for a part that has died; counted in the record."""
        self._restarts[name] = self._restarts.get(name, 0) + 1
        self.start(name, command, gate=gate)

    def close(self) -> None:
        """Stop everything, within 20 seconds, and forget it."""
        self.folder.platform.unlink(missing_ok=True)
        stop_services(self._marks)
        for process, _ in self._running.values():
            process.wait()
        self.folder.processes.unlink(missing_ok=True)

    def _record(self) -> None:
        services = {name: leader.to_dict() for name, leader in self._marks.items()}
        urls = {"airflow_url": self.airflow_url, "mlflow_url": self.mlflow_url, "serving_url": self.serving_url}
        write_private(self.folder.processes, {**urls, "services": services, "restarts": self._restarts})


class SchedulerHold:
    """What holds the scheduler back between its preload and its first look at the database.

    The scheduler reads one byte from an inherited pipe. When the supervisor dies instead, the end of file ends it.
    """

    def __init__(self) -> None:
        """Open the pipe; `reader` is the end to inherit."""
        self.reader, self._writer = os.pipe()

    def open(self) -> None:
        """Let the scheduler go on."""
        os.write(self._writer, b"1")

    def close(self) -> None:
        """Close this side; a scheduler that was not let through ends."""
        os.close(self.reader)
        os.close(self._writer)


def _how(code: int) -> str:
    return f"was killed by signal {-code} ({signal.strsignal(-code)})" if code < 0 else f"ended with exit code {code}"
