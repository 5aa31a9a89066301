"""The files that every project has as they are: a clone's own, which the wheel carries along (setup.py)."""

import os
from importlib import metadata
from pathlib import Path

_PACKAGED = Path(__file__).parent / "shipped"
CLONE = Path(__file__).resolve().parents[3]
"""Where a clone is when this airloop is run from one."""

# Each builds its DAGs by what the package defines, so none changes when the package does.
_AS_THEY_ARE = ("dags/airloop_*_dag.py", "plugins/airloop_plugin.py", "feature_repo/feature_store.yaml")


def root() -> Path:
    """The folder with the shipped files: the wheel's, or the clone."""
    return _PACKAGED if _PACKAGED.is_dir() else CLONE


def version() -> str:
    """Of the installed airloop."""
    return metadata.version("airloop")


def text(name: str) -> str:
    """One shipped file."""
    return (root() / name).read_text(encoding="utf-8")


def thin_files() -> dict[str, bytes]:
    """What a project needs in dags/, plugins/ and feature_repo/, by path below the project."""
    paths = sorted(path for pattern in _AS_THEY_ARE for path in root().glob(pattern))
    return {path.relative_to(root()).as_posix(): path.read_bytes() for path in paths}


def lacking(project_dir: Path) -> dict[str, bytes]:
    """The thin files that a project made by an older version does not have; one that is there stays as it is."""
    return {name: content for name, content in thin_files().items() if not os.path.lexists(project_dir / name)}
