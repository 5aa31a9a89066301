"""Several toy pipelines in one checkout, so that one of them can be broken."""

import shutil
from pathlib import Path

from tests.support import toy

from airloop.settings import Settings


def add(settings: Settings, name: str) -> Path:
    """A pipeline like the toy under another name; returns its folder."""
    folder = settings.pipelines_dir / name
    shutil.copytree(settings.pipelines_dir / "toy", folder)
    declared = folder / "pipeline.yaml"
    declared.write_text(declared.read_text().replace("name: toy", f"name: {name}"))
    definitions = toy.DEFINITIONS.replace("toy/features", f"{name}/features")
    (settings.feature_repo_dir / f"{name}.py").write_text(definitions)
    return folder


def rewrite(path: Path, old: str, new: str) -> None:
    """Replace a text that the file holds once."""
    text = path.read_text()
    if text.count(old) != 1:
        raise ValueError(f"{path} holds {old!r} {text.count(old)} times")
    path.write_text(text.replace(old, new))
