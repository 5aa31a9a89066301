"""Write a project's files: none that exists is changed, each is there whole or not at all."""

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from airloop.errors import ConfigError

# What people have in a folder before they make a project of it.
_NO_FILES_OF_OURS = frozenset({".git", ".venv", "venv"})
_PART = ".airloop-init-"


def refuse_folder(folder: Path, files: Mapping[str, bytes], *, besides: Collection[Path] = ()) -> None:
    """Refuse to make a project where something else is; files of ours that a killed call has left may be there.

    Args:
        besides: Files that may lie there: the table and the wheel that it is made of.

    Raises:
        ConfigError: Names one thing that is there.
    """
    ours = {folder / name for name in files}
    allowed = {path.resolve() for path in besides}
    if os.path.lexists(folder) and not folder.is_dir():
        raise ConfigError(f"{folder} is a file: give a new or empty folder")
    try:
        other = next((path for path in _files_in(folder) if path not in ours and path.resolve() not in allowed), None)
    except OSError as error:
        raise ConfigError(f"{error.filename or folder} cannot be read: {error.strerror}") from error
    if other is not None:
        raise ConfigError(
            f"{folder} is not empty: it holds {other.relative_to(folder)}; give a new folder, or add to an existing "
            "Airflow project by --into-airflow"
        )


def _files_in(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name in _NO_FILES_OF_OURS or path.name.startswith(_PART):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _files_in(path)
        else:
            yield path


def write_missing(folder: Path, files: Mapping[str, bytes]) -> tuple[str, ...]:
    """Write the files that are not there; returns their paths below the folder.

    Every refusal comes before the first file, and an error takes away what this call has written. Killed in between,
    a second call writes the rest.

    Raises:
        ConfigError: A file exists with another content, or the folder cannot be written; names it.
    """
    missing = [name for name, content in files.items() if not _is_there(folder / name, content)]
    made_here = not folder.exists()
    begun: list[Path] = []
    try:
        for name in missing:
            begun.append(folder / name)
            _write_whole(folder / name, files[name])
    except OSError as error:
        _take_away(begun)
        if made_here:
            with suppress(OSError):
                folder.rmdir()
        raise ConfigError(
            f"{error.filename or folder} cannot be written: {error.strerror}; nothing was left behind"
        ) from error
    return tuple(missing)


def _is_there(path: Path, content: bytes) -> bool:
    """Whether the file is there with this content."""
    if not os.path.lexists(path):
        return False
    try:
        if path.read_bytes() == content:
            return True
        why = "has another content"
    except OSError as error:
        why = f"is there ({error.strerror})"
    raise ConfigError(
        f"{path} {why}, and is not overwritten: move it away or take its name for yours, then run this again"
    )


def _write_whole(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = _part(path)
    part.write_bytes(content)
    part.replace(path)


def _part(path: Path) -> Path:
    return path.with_name(f"{_PART}{path.name}")


def _take_away(begun: Collection[Path]) -> None:
    """The files, and the folders that are empty without them; one with somebody's files stays."""
    for path in begun:
        with suppress(OSError):
            _part(path).unlink(missing_ok=True)
            path.unlink(missing_ok=True)
    for parent in sorted({path.parent for path in begun}, key=lambda folder: len(folder.parts), reverse=True):
        with suppress(OSError):
            parent.rmdir()
