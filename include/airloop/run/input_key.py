"""The input key: a digest of all that a stage's result depends on; the same key is not worked on twice."""

import hashlib
from collections.abc import Mapping
from typing import Any

from airloop.config import Pipeline
from airloop.deployment import Deployment
from airloop.errors import ConfigError
from airloop.records import Record, Window
from airloop.records.digests import digest
from airloop.run import own_code
from airloop.run.code_digest import code_digest
from airloop.run.stages import Upstream, find_stage
from airloop.settings import Settings

_NO_STAGE_READS = {"alerts", "retention"}
"""Who is told, and how long things are kept, is nothing that a result depends on."""


def input_key(
    name: str, at: Deployment, window: Window, *, upstream: Upstream, options: Mapping[str, Any], reads: Any
) -> str:
    """SHA-256 of all a stage's result depends on: window, upstream, options, what it reads, declaration, its code.

    Args:
        reads: What the stage's `inputs` returned: a record, or a tuple of records; None where it has none.
    """
    stage = find_stage(name)
    content = {
        "stage": name,
        "window": window.to_json(),
        "upstream": {need: _plain(upstream[need]) for need in stage.needs if stage.keyed_by_needs},
        "options": {key: _plain(value) for key, value in options.items()},
        "reads": _plain(reads),
        "declaration": declaration_digest(at.pipeline, at.settings),
        "code": code_digest(stage.package),
    }
    return digest(content)


def declaration_digest(pipeline: Pipeline, settings: Settings) -> str:
    """SHA-256 of the pipeline's tree, its SQL and expectations, its Feast definitions, and its own modules.

    Raises:
        ConfigError: There are no Feast definitions.
    """
    # What an editor puts beside a file (.features.sql.swp, features.sql~) is not part of the declaration.
    files = sorted((settings.pipelines_dir / pipeline.name).glob("[!.]*[!~]"))
    texts = [path.read_bytes() for path in files if path.is_file() and path.name != "pipeline.yaml"]
    definitions = settings.feature_repo_dir / f"{pipeline.name}.py"
    if not definitions.is_file():
        raise ConfigError(f"{definitions}: missing; it holds the pipeline's Feast definitions")
    texts.append(definitions.read_bytes())
    own = own_code.own_code_digests(pipeline, settings.project_dir / "include")
    declared = pipeline.model_dump(mode="json", exclude=_NO_STAGE_READS)
    read = [declared, [hashlib.sha256(text).hexdigest() for text in texts]]
    return digest([*read, own] if own else read)


def _plain(value: Any) -> Any:
    if isinstance(value, Record):
        return value.to_json()
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return value
