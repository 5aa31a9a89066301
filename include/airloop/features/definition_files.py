"""What says what a pipeline's features and labels mean, told apart by its content without importing Feast."""

import ast
import hashlib
import json
from importlib.metadata import version
from pathlib import Path

from airloop.config import Pipeline
from airloop.settings import Settings

_KNOWN = {"feast", "datetime", "typing", "__future__"}


def files_digest(pipeline: Pipeline, settings: Settings) -> str:
    """SHA-256 over the files and keys that feature_store.fingerprint depends on, and the installed Feast.

    Equal means the same features; another digest may be a comment only. Empty, and equal to nothing, where a file is
    missing or the definitions import more than Feast: what that holds is not seen here.
    """
    folder, definitions = settings.pipelines_dir / pipeline.name, settings.feature_repo_dir / f"{pipeline.name}.py"
    try:
        text = definitions.read_text(encoding="utf-8")
        if not _imported(text) <= _KNOWN:
            return ""
        parts = [version("feast"), pipeline.features.model_dump_json(), pipeline.prediction.entity_key, text]
    except (OSError, UnicodeDecodeError, SyntaxError, ValueError):
        return ""
    parts += [_content(folder / name) for name in ("features.sql", "transforms.py")]
    if pipeline.prediction.labels is not None:  # what no outcome means is no text of those files
        parts.append(pipeline.prediction.labels.model_dump_json())
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _imported(text: str) -> set[str]:
    modules: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            modules |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add((node.module or ".").partition(".")[0] if not node.level else ".")
    return modules


def _content(path: Path) -> str:
    return path.read_bytes().hex() if path.exists() else ""
