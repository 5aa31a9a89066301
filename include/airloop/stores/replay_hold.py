"""From before a replay starts the platform until it ends, its pipeline's inbox starts nothing.

A platform that comes up rings for what has landed before anybody can pause the inbox: it would ingest the past at once,
outcomes and all, which the replay withholds until they are scored. A file lock that the kernel takes back when the
replay dies; it is seen on the replay's machine, where it starts the platform. One that joins a platform pauses the
inbox.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from airloop.files import file_locks
from airloop.settings import Settings


@contextmanager
def hold(settings: Settings, pipeline: str) -> Iterator[None]:
    """Hold the pipeline's inbox; several may hold it at once."""
    handle = file_locks.open_lock(_path(settings, pipeline))
    try:
        file_locks.wait_for(handle, shared=True)
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
        return not file_locks.take_at_once(handle)
    finally:
        os.close(handle)


def _path(settings: Settings, pipeline: str) -> Path:
    return settings.home / "run" / "replays" / f"{pipeline}.lock"
