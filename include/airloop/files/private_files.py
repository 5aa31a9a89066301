"""Files that only their owner can read, whatever the umask: they hold decisions, runs and password hashes."""

import os
import sqlite3
import time
import uuid
from contextlib import suppress
from pathlib import Path

_SQLITE = "sqlite:///"
_OTHERS = 0o077


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLAlchemy URL; None for other databases, and for one in memory."""
    name = url.removeprefix(_SQLITE).partition("?")[0]
    return Path(name) if url.startswith(_SQLITE) and name and not name.startswith((":memory:", "file:")) else None


def create_private(path: Path) -> None:
    """Make an empty file of mode 0600, and its folder, unless it is there; what is there keeps its mode.

    For SQLite an empty file is a new database, and its -wal, -shm and -journal files take its mode.

    Raises:
        OSError: The place cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def write_ahead(connection: sqlite3.Connection, *, wait_seconds: float) -> None:
    """Turn on WAL, which stays in the file: readers do not wait for a writer, nor it for them.

    Raises:
        sqlite3.OperationalError: The file is in use in another mode for longer than that.
    """
    # The busy timeout does not cover the switch: the second of two that meet a new database is told "locked" at once.
    until = time.monotonic() + wait_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def replace_private(path: Path, text: str) -> None:
    """Put a file of mode 0600 in place of what is there; a reader sees the old one or the new one, never a part.

    Its folder is made when missing; a killed call may leave `.<name>.<random>.partial` beside it.

    Raises:
        OSError: The place cannot be written.
    """
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        draft.replace(path)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def withdraw(path: Path) -> None:
    """Take what others may do with a file, its SQLite companions, or a folder; one that is not there is fine.

    Raises:
        OSError: The mode cannot be changed.
    """
    for one in (path, *(path.with_name(f"{path.name}-{suffix}") for suffix in ("wal", "shm", "journal"))):
        with suppress(FileNotFoundError):
            mode = one.stat().st_mode
            if mode & _OTHERS:
                one.chmod(mode & ~_OTHERS & 0o7777)
