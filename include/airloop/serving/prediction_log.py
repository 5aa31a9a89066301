"""The prediction log: an answer leaves after its record is in an append-only segment file.

An answer is one line of JSON or several, written by one write() to a file opened with O_APPEND: a killed process loses
nothing. A thread syncs the file every 200 ms: a machine that crashes loses at most that much. Each process writes
segments of its own and holds a lock on the one it writes; a segment without a holder is closed, whoever closed it.
"""

import logging
import os
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from airloop.errors import DataContractError
from airloop.files import file_locks
from airloop.serving.logged import Answered, Logged, encoded, read_line
from airloop.serving.refused import Refused
from airloop.settings import Settings

logger = logging.getLogger(__name__)

SYNC_SECONDS = 0.2
_SEGMENT_BYTES = 16 << 20
_SUFFIX = ".jsonl"


def log_folder(settings: Settings, pipeline: str) -> Path:
    """Where a pipeline's segments lie, on this machine's own disk."""
    return settings.home / "prediction_log" / pipeline


@dataclass
class _Segment:
    handle: int
    path: Path
    size: int = 0


@dataclass
class PredictionLog:
    """The segments this process writes, one a pipeline; safe to call from several threads."""

    settings: Settings
    segment_bytes: int = _SEGMENT_BYTES
    _open: dict[str, _Segment] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _dirty: set[int] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    written: int = 0

    def start(self) -> None:
        """Begin to sync."""
        self._thread = threading.Thread(target=self._sync_until_stopped, name="log-sync", daemon=True)
        self._thread.start()

    def append(self, pipeline: str, records: Answered) -> None:
        """Write the records of one answer, all or none.

        Raises:
            Refused: The disk does not take them (503): the answer must not leave.
        """
        content = encoded(records)
        with self._lock:
            try:
                segment = self._segment(pipeline)
                written = os.write(segment.handle, content)
                if written < len(content):
                    self._close(pipeline)  # what follows half a line would be lost with it
                    raise OSError(f"{written} of {len(content)} bytes written")
            except OSError as error:
                logger.warning("prediction log of %s: %s", pipeline, error)
                says = f"the prediction log cannot be written ({error}), and no answer leaves without its record"
                raise Refused(503, "log_not_writable", f"{says}; free some room below {self.settings.home}") from error
            segment.size += written
            self._dirty.add(segment.handle)
            self.written += len(records)

    def sync(self) -> None:
        """Put on disk what was written."""
        with self._lock:
            dirty, self._dirty = list(self._dirty), set()
            handles = [os.dup(handle) for handle in dirty]
        for handle in handles:  # outside the lock: a write does not wait for the disk
            try:
                os.fdatasync(handle)
            finally:
                os.close(handle)

    def close(self) -> None:
        """Sync and let go of the segments; a second call does nothing."""
        self._stop.set()
        if self._thread:
            self._thread.join(timeout=2)
        self.sync()
        with self._lock:
            for pipeline in list(self._open):
                self._close(pipeline)

    def _segment(self, pipeline: str) -> _Segment:
        segment = self._open.get(pipeline)
        if segment and segment.size >= self.segment_bytes:
            os.fdatasync(segment.handle)
            self._close(pipeline)
            segment = None
        if segment is None:
            segment = self._open[pipeline] = _new_segment(log_folder(self.settings, pipeline))
        return segment

    def _close(self, pipeline: str) -> None:
        segment = self._open.pop(pipeline)
        self._dirty.discard(segment.handle)
        os.close(segment.handle)

    def _sync_until_stopped(self) -> None:
        while not self._stop.wait(SYNC_SECONDS):
            try:
                self.sync()
            except OSError as error:
                logger.warning("prediction log: cannot be synced: %s", error)


def segments(settings: Settings, pipeline: str) -> list[Path]:
    """A pipeline's segments, oldest first, those being written included."""
    return sorted(log_folder(settings, pipeline).glob(f"*{_SUFFIX}"))


def read_segment(path: Path) -> Iterator[Logged]:
    """The records of a segment that are whole; what a crash or a full disk left of another is passed over, and said."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                logger.info("%s:%d: the last record is not whole (yet)", path, number)
                return
            try:
                yield from read_line(line)
            except (msgspec.MsgspecError, ValueError, RecursionError, DataContractError) as error:
                # ValueError: bytes that are not UTF-8.
                logger.warning("%s:%d: is not a record: %s", path, number, error)


def is_closed(path: Path) -> bool:
    """Whether nobody writes the segment any more."""
    handle = os.open(path, os.O_RDONLY)
    try:
        return file_locks.take_at_once(handle)
    finally:
        os.close(handle)


def _new_segment(folder: Path) -> _Segment:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    path = folder / f"{stamp}-{time.time_ns() % 10**9:09d}-{os.getpid()}-{secrets.token_hex(3)}{_SUFFIX}"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
    file_locks.wait_for(handle)
    return _Segment(handle, path)
