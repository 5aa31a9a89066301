"""SQLite files that only their owner can read, whatever the umask: they hold decisions, runs and password hashes."""

import os
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
