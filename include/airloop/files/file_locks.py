"""Locks on files, of the kind that the kernel takes back when its holder dies, however it dies.

Processes that the holder starts do not inherit one: Python opens files close-on-exec.
"""

import fcntl
import os
from pathlib import Path


def open_lock(path: Path) -> int:
    """Open the file of a lock, or make it (0600) and its folder; to close the handle lets the lock go.

    Raises:
        OSError: The place cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def wait_for(handle: int, *, shared: bool = False) -> None:
    """Take the lock, as soon as nobody else has it; `shared`: nobody has it for itself alone."""
    fcntl.flock(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)


def take_at_once(handle: int) -> bool:
    """Take the lock for oneself alone; False, at once, where somebody else has it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
