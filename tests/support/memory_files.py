"""Temporary files in memory: at each commit SQLite waits for the disk, 14 ms for what takes 0.02 without one."""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

import psutil

MEMORY = Path("/dev/shm")
FREE = 8 * 2**30
"""Bytes that must be free: all files of all tests are 2.2 GB, and a worker and a platform have memory of their own."""
_NAME = "airloop-tests-"


def begin() -> Path | None:
    """The folder for temporary files of this process and those it starts; None where the system's own is used.

    That is so where TMPDIR names one, and where memory is short or runs no programs. What sessions that failed or were
    killed have left there is removed.
    """
    if "TMPDIR" in os.environ or not _can_hold(MEMORY):
        return None
    for left in MEMORY.glob(f"{_NAME}*"):
        if _locked(left):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=_NAME, dir=MEMORY))
    _locked(folder)
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    return folder


def _locked(folder: Path) -> bool:
    """Whether the folder was nobody's, and is this process's until it ends."""
    try:
        lock = os.open(folder, os.O_RDONLY)
    except OSError:  # another user's, or gone meanwhile
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return False
    return True


def _can_hold(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    about = os.statvfs(folder)
    free = min(about.f_bavail * about.f_frsize, psutil.virtual_memory().available)
    return free >= FREE and not about.f_flag & os.ST_NOEXEC
