"""The project's own code that a declaration names: other code there is another input of its stages."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from airloop.config import Pipeline
from airloop.config.families import OWN

_NOT_OF_A_STAGE = {"replay"}
"""Keys whose code makes the files that land; those have checksums of their own."""

_LIBRARY = ("airloop", "airloop_airflow", "airloop_platform")
"""Below include/ of a clone, and in the key by itself."""


def own_code_digests(pipeline: Pipeline, include: Path) -> list[str]:
    """SHA-256 of each module, or package with all its Python files, below `include` that a `module:Class` begins with.

    Sorted by name; empty for a pipeline that names only what is installed.
    """
    declared = pipeline.model_dump(mode="json", exclude=_NOT_OF_A_STAGE)
    tops = sorted({text.partition(":")[0].partition(".")[0] for text in _texts(declared) if OWN.fullmatch(text)})
    tops = [top for top in tops if top not in _LIBRARY]
    return [_digest(files, include) for top in tops if (files := _files(include, top))]


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from _texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value)


def _files(include: Path, top: str) -> list[Path]:
    module = include / f"{top}.py"
    return [module] if module.is_file() else sorted((include / top).rglob("*.py"))


def _digest(files: list[Path], include: Path) -> str:
    sources = [path.relative_to(include).as_posix().encode() + b"\0" + path.read_bytes() for path in files]
    return hashlib.sha256(b"\0".join(sources)).hexdigest()
