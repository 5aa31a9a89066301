"""Copies of registered models' files on this machine, so that a service has them without asking MLflow.

A copy decides nothing: whoever reads one compares its digest with the ledger's. A stage never reads one.
"""

import logging
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from airloop.settings import Settings

logger = logging.getLogger(__name__)

_KEPT = 4


def keep(settings: Settings, model_name: str, version: int, files: Mapping[str, bytes]) -> None:
    """Keep a copy beside the few newest others; what cannot be written is left out, and said."""
    folder = _folder(settings, model_name)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = Path(tempfile.mkdtemp(prefix=".", dir=folder))
        for name, content in files.items():
            path = draft / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        target = folder / str(version)
        if target.exists():
            target.rename(tempfile.mkdtemp(prefix=".old", dir=folder) + "/copy")
        draft.rename(target)
        _remove_old(folder)
    except OSError as error:
        logger.warning("%s version %d: no copy of its files is kept: %s", model_name, version, error)


def kept(settings: Settings, model_name: str, version: int) -> dict[str, bytes]:
    """The files of a copy by their path in it; empty where there is none."""
    folder = _folder(settings, model_name) / str(version)
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
    try:
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    except OSError as error:
        logger.warning("the copy %s cannot be read: %s", folder, error)
        return {}


def _folder(settings: Settings, model_name: str) -> Path:
    return settings.home / "model_copies" / model_name


def _remove_old(folder: Path) -> None:
    """What was replaced goes too."""
    copies = sorted((path for path in folder.iterdir() if path.name.isdecimal()), key=lambda path: path.stat().st_mtime)
    for path in [*copies[:-_KEPT], *folder.glob(".old*")]:
        shutil.rmtree(path, ignore_errors=True)
