"""The files of a declaration: as they are, as they were, pinned in a folder; and the pipelines a file concerns."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from airloop.authoring.review import git
from airloop.config import Pipeline, load_pipeline
from airloop.settings import Settings
from airloop.stores.files import publish

Files = Mapping[str, bytes]

_STORE = "feature_repo/feature_store.yaml"


@dataclass(frozen=True)
class Declaration:
    """A pipeline as some files declare it; `settings.project_dir` holds a copy of just those."""

    files: Files
    pipeline: Pipeline
    settings: Settings


def changed_pipelines(paths: Iterable[str], declared: Collection[str]) -> tuple[str, ...]:
    """The declared pipelines that changed files concern, by name.

    A file below include/pipelines/NAME/ and feature_repo/NAME.py concern NAME; the library (include/airloop/) and
    feature_repo/feature_store.yaml concern every pipeline. Pipelines that are not declared any more are left out.

    Args:
        paths: Relative to the checkout, with forward slashes.
    """
    names: set[str] = set()
    for path in filter(_counts, paths):
        names.update(_concerned(PurePosixPath(path), declared))
    return tuple(sorted(names))


def _concerned(path: PurePosixPath, declared: Collection[str]) -> Collection[str]:
    match path.parts:
        case ("include", "airloop", *_) | ("feature_repo", "feature_store.yaml"):
            return declared
        case ("include", "pipelines", name, _, *_) if name in declared:
            return (name,)
        case ("feature_repo", _) if path.suffix == ".py" and path.stem in declared:
            return (path.stem,)
    return ()


def current_files(name: str, project_dir: Path) -> Files:
    """The declaration's files in the checkout, edits included, by path."""
    listed = [file for path in _paths(name) for file in _below(project_dir / path)]
    paths = {path.relative_to(project_dir).as_posix(): path for path in listed}
    return {name: path.read_bytes() for name, path in sorted(paths.items()) if _counts(name)}


def base_files(name: str, project_dir: Path, base: git.Base) -> Files:
    """The declaration's files of the base, by path; empty when the pipeline was not declared there."""
    contents = git.read_files(project_dir, base, _paths(name))
    declared = any(path.startswith(f"include/pipelines/{name}/") for path in contents)
    return {path: content for path, content in sorted(contents.items()) if _counts(path)} if declared else {}


def differing(before: Files, after: Files) -> tuple[str, ...]:
    """Paths whose content differs, or that only one side has."""
    return tuple(path for path in sorted({*before, *after}) if before.get(path) != after.get(path))


def pin(name: str, files: Files, settings: Settings, folder: Path) -> Declaration:
    """Copy the files to `folder/declaration-<digest>` and read the pipeline there; a second call changes nothing.

    Raises:
        ConfigError: pipeline.yaml is wrong, or not among the files.
    """
    root = folder / f"declaration-{digest(files)[:12]}"
    for path, content in files.items():
        publish(str(root / path), content, {})
    pinned = settings.model_copy(update={"project_dir": root})
    return Declaration(files, load_pipeline(name, pinned), pinned)


def digest(files: Files) -> str:
    """SHA-256 over paths and contents."""
    content = hashlib.sha256()
    for path, text in sorted(files.items()):
        content.update(hashlib.sha256(path.encode()).digest() + hashlib.sha256(text).digest())
    return content.hexdigest()


def _paths(name: str) -> tuple[str, ...]:
    return (f"include/pipelines/{name}", f"feature_repo/{name}.py", _STORE)


def _below(path: Path) -> list[Path]:
    return [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]


def _counts(path: str) -> bool:
    """Not byte code, nor what an editor puts beside a file (.features.sql.swp, features.sql~)."""
    parts = PurePosixPath(path).parts
    return "__pycache__" not in parts and not parts[-1].startswith(".") and not parts[-1].endswith("~")
