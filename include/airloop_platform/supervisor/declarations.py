"""Edits of declarations, told to Airflow: it reads its DAG files once a minute, and a file whose time changed at once.

A declaration is not a DAG file, but DAGs are made of it. Reading the files of 200 pipelines takes seconds of a core:
often for nothing, and still too seldom for somebody who waits for an edit to show.
"""

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from airloop.settings import Settings

_LOOK_SECONDS = 2.0
_AGAIN_SECONDS = 10.0
"""A file that was being read when it was touched counts as read later than that: it is touched once more."""

_Stamps = frozenset[tuple[str, int, int, int]]


@dataclass
class Declarations:
    """The pipelines' declarations as they were when somebody last looked.

    Attributes:
        clock: Seconds, of any origin.
    """

    settings: Settings
    clock: Callable[[], float] = time.monotonic
    _seen: _Stamps = frozenset()
    _looked_at: float = field(init=False)
    _again_at: float | None = None

    def __post_init__(self) -> None:
        self._seen, self._looked_at = self._stamps(), self.clock()

    def look(self) -> None:
        """Touch the DAG files when a declaration came, went or changed; every two seconds at most."""
        now = self.clock()
        if now - self._looked_at < _LOOK_SECONDS:
            return
        self._looked_at, stamps = now, self._stamps()
        if stamps != self._seen:
            self._seen, self._again_at = stamps, now + _AGAIN_SECONDS
            self._touch()
        elif self._again_at is not None and now >= self._again_at:
            self._again_at = None
            self._touch()

    def _stamps(self) -> _Stamps:
        return frozenset(filter(None, map(_stamp, self.settings.pipelines_dir.glob("*/pipeline.yaml"))))

    def _touch(self) -> None:
        for path in (self.settings.project_dir / "dags").glob("*.py"):
            # Somebody else's file, or a disk that is only read: Airflow sees the edit within a minute then.
            with contextlib.suppress(OSError):
                os.utime(path)


def _stamp(path: Path) -> tuple[str, int, int, int] | None:
    """What changes with a file; None of one that has gone meanwhile."""
    try:
        status = path.stat()
    except OSError:
        return None
    return str(path), status.st_mtime_ns, status.st_size, status.st_ino
