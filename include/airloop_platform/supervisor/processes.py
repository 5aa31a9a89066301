"""Processes as the supervisor sees them: one session per service, named by its leader and by when that was born.

Airflow gives every task a process group of its own, so a service is its session, not its group. A leader is started
with PR_SET_PDEATHSIG (Linux): it gets a signal when the supervisor dies, even by SIGKILL.
"""

import contextlib
import ctypes
import functools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

_PR_SET_PDEATHSIG = 1
_BOOT_OF_MACOS = ("sysctl", "-n", "kern.bootsessionuuid")


@dataclass(frozen=True)
class ProcessMark:
    """A process that cannot be confused with a later one of the same pid.

    Attributes:
        pid: Of a leader also its session id.
        born: `<boot>/<start>`: the boot of the machine and the start within it; no change of the wall clock moves it.
    """

    pid: int
    born: str

    def to_dict(self) -> dict[str, int | str]:
        """The fields as they are."""
        return asdict(self)

    def lives(self) -> bool:
        """Whether exactly this process still runs (a zombie does not)."""
        with contextlib.suppress(psutil.Error):
            return psutil.Process(self.pid).status() != psutil.STATUS_ZOMBIE and mark(self.pid) == self
        return False


@dataclass(frozen=True)
class Command:
    """How to start one service.

    Attributes:
        arguments: Its argv; never holds a secret, which everybody on the machine could read.
        environment: Its complete environment.
        log: Gets stdout and stderr; what an earlier start wrote is kept as `<log>.1`.
        when_orphaned: The signal it gets when the supervisor dies.
        ends: Whether it is meant to end by itself.
    """

    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    when_orphaned: signal.Signals = signal.SIGTERM
    ends: bool = False


def mark(pid: int) -> ProcessMark | None:
    """The mark of a process, a zombie's too (a child that ended at once can be marked); None when there is none."""
    try:
        return ProcessMark(pid, f"{_boot()}/{_start_of(psutil.Process(pid))}")
    except (psutil.Error, OSError):
        return None


def session(leader: ProcessMark) -> list[psutil.Process]:
    """The live processes of the leader's session, the leader among them if it lives; empty once the pid is another's.

    With the leader gone its number stays taken as long as one member lives, so a session found in the same boot is the
    leader's. In another boot it is a stranger's.
    """
    current = mark(leader.pid)
    stranger = current is not None and current != leader
    if stranger or leader.born.partition("/")[0] != _boot():
        return []
    members = []
    for pid in psutil.pids():
        with contextlib.suppress(psutil.Error, OSError):
            if os.getsid(pid) == leader.pid and (process := psutil.Process(pid)).status() != psutil.STATUS_ZOMBIE:
                members.append(process)
    return members


def start(command: Command, *, cwd: Path, gate: int | None = None) -> subprocess.Popen[bytes]:
    """Start a session for the command; call it from the main thread (the kernel ties PDEATHSIG to the thread).

    Args:
        command: What to start.
        cwd: Its working directory.
        gate: A file descriptor the process inherits under the same number.
    """
    command.log.parent.mkdir(parents=True, exist_ok=True)
    if command.log.exists():
        command.log.replace(command.log.with_name(f"{command.log.name}.1"))
    with command.log.open("wb") as log:
        return subprocess.Popen(
            command.arguments,
            env=command.environment,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=() if gate is None else (gate,),
            preexec_fn=_tie_to_parent(command.when_orphaned),
        )


def send(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    """Signal each process; one that is already gone is fine (psutil itself checks that the pid was not reused)."""
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.send_signal(number)


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Poll the condition until it holds or the time is over; returns whether it held."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(0.1)
    return True


def _tie_to_parent(number: signal.Signals) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def in_child() -> None:
        prctl(_PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:  # it died before the kernel was told
            os._exit(1)

    return in_child


@functools.cache
def _boot() -> str:
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        # macOS. The second of the boot, which psutil knows, moves when the clock is set.
        return subprocess.run(_BOOT_OF_MACOS, capture_output=True, text=True, check=True, timeout=5).stdout.strip()
    return str(int(psutil.boot_time()))


def _start_of(process: psutil.Process) -> str:
    try:
        # Ticks since boot. psutil adds the wall clock's idea of the boot, which moves when the clock is set.
        return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return f"{process.create_time():.2f}"
