"""One process at a time per stage run: a file lock that the kernel takes back when its holder dies."""

import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from airloop.files import file_locks
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
    handle = _acquire(path, " ".join(parts))
    try:
        yield
    finally:
        # Removed while still held: whoever waits for this file finds that it is gone, and opens the next one.
        path.unlink(missing_ok=True)
        os.close(handle)


def _acquire(path: Path, what: str) -> int:
    while True:
        handle = file_locks.open_lock(path)
        try:
            _wait(handle, what)
            if _is_file_of(handle, path):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _wait(handle: int, what: str) -> None:
    if not file_locks.take_at_once(handle):
        logger.info("%s: another run of it is under way, waiting", what)
        file_locks.wait_for(handle)


def _is_file_of(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False
