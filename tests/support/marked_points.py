"""Points of a process's work at which a test can kill it: the same in every run, however busy the machine.

They are what Python's audit hooks see of its changes to files and of its connections to SQLite, in their order.
"""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any

_CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "fcntl.flock", "sqlite3.connect/handle"}
_WRITES = os.O_WRONLY | os.O_RDWR


def count(work: Callable[[], object]) -> int:
    """Do the work; how many points it has. A hook stays for good, so this is for a process of its own."""
    passed = 0

    def note() -> None:
        nonlocal passed
        passed += 1

    _at_each_point(note)
    work()
    return passed


def die_at(point: int, work: Callable[[], object]) -> None:
    """Do the work until just before its point of this number (1 is the first), and be killed there."""
    left = point

    def note() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    _at_each_point(note)
    work()


def die_before(event: str, name: str, number: int) -> None:
    """Be killed before the event of this number (1 is the first) on a path with `name` in it.

    Args:
        event: An audit event whose first argument is a path; of `open` only those that write count.
        name: Part of the path.
        number: Which one.
    """
    left = number

    def hook(name_of_event: str, arguments: Sequence[Any]) -> None:
        nonlocal left
        if name_of_event == event and name in str(arguments[0]) and (event != "open" or _writes(arguments)):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def _writes(arguments: Sequence[Any]) -> bool:
    return isinstance(arguments[2], int) and bool(arguments[2] & _WRITES)


def _at_each_point(note: Callable[[], None]) -> None:
    def hook(event: str, arguments: Sequence[Any]) -> None:
        if event in _CHANGES or (event == "open" and _writes(arguments)):
            note()

    sys.addaudithook(hook)
