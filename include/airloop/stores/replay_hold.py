"""From before a replay starts the platform until it ends, its pipeline's inbox starts nothing.

A platform that comes up rings for what has landed before anybody can pause the inbox: it would ingest the past at once,
outcomes and all, which the replay withholds until they are scored. A file lock that the kernel takes back when the
replay dies; it is seen on the replay's machine, where it starts the platform. One that joins a platform pauses the
inbox.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from airloop.settings import Settings


@contextmanager
def hold(settings: Settings, pipeline: str) -> Iterator[None]:
    """Hold the pipeline's inbox; several may hold it at once."""
    path = _path(settings, pipeline)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)


def is_held(settings: Settings, pipeline: str) -> bool:
    """Whether a replay on this machine holds the pipeline's inbox."""
    try:
        handle = os.open(_path(settings, pipeline), os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _path(settings: Settings, pipeline: str) -> Path:
    return settings.home / "run" / "replays" / f"{pipeline}.lock"
