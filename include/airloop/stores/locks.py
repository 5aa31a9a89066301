"""One process at a time per stage run: a file lock that the kernel takes back when its holder dies."""

import fcntl
import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from airloop.settings import Settings

logger = logging.getLogger(__name__)


@contextmanager
def stage_lock(settings: Settings, *parts: str) -> Iterator[None]:
    """Hold the lock named by `parts`; waits, without a limit, while another process or thread holds it.

    It keeps processes of one machine from doing the same work twice. Between machines nothing more than time is at
    stake: there the unique input key and Delta's commits keep records and tables whole. The file lies below
    `<home>/run/locks` and goes with the lock.
    """
    name = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    path = settings.home / "run" / "locks" / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = _acquire(path, " ".join(parts))
    try:
        yield
    finally:
        # Removed while still held: whoever waits for this file finds that it is gone, and opens the next one.
        path.unlink(missing_ok=True)
        os.close(handle)


def _acquire(path: Path, what: str) -> int:
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _wait(handle, what)
            if _is_file_of(handle, path):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _wait(handle: int, what: str) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        logger.info("%s: another run of it is under way, waiting", what)
        fcntl.flock(handle, fcntl.LOCK_EX)


def _is_file_of(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False
