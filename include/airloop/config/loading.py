"""Read pipeline.yaml; every error names file, line, key and the nearest valid key."""

import reprlib
import typing
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from airloop.config import document_cache, text_file, yaml_document
from airloop.config.approval import Approval
from airloop.config.nearest import nearest
from airloop.config.pipeline import Pipeline
from airloop.config.positions import line_of
from airloop.errors import ConfigError
from airloop.project import make_importable
from airloop.settings import Settings

_SHOWN_ERRORS = 5
_SHOWN_CHARACTERS = 100
# Never the whole of a large value: it is made up to where it is cut.
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 2 * _SHOWN_CHARACTERS
_SHORT.maxlevel = _SHORT.maxdict = _SHORT.maxlist = _SHORT.maxset = _SHORT.maxtuple = 20

# Not with the first declaration: tasks and readings of DAG files are forks of a process that has imported this.
Pipeline.model_rebuild()


def pipeline_names(settings: Settings) -> tuple[str, ...]:
    """Names of the declared pipelines: folders of include/pipelines/, none hidden, that hold a pipeline.yaml."""
    folders = (path.parent.name for path in settings.pipelines_dir.glob("*/pipeline.yaml"))
    return tuple(sorted(name for name in folders if not name.startswith(".")))


def load_pipelines(settings: Settings) -> tuple[Pipeline, ...]:
    """Every declared pipeline, by name."""
    return tuple(load_declared(name, settings) for name in pipeline_names(settings))


def load_pipeline(name: str, settings: Settings) -> Pipeline:
    """Read and check the declaration of a name that somebody gives.

    Raises:
        ConfigError: No such pipeline, no YAML, a wrong key, type or value, or another folder than its name.
    """
    known = pipeline_names(settings)
    if name not in known:
        declared = f"declared below {settings.pipelines_dir}: {', '.join(known) or 'none'}"
        raise ConfigError(f"unknown pipeline {name!r}{nearest(name, known)} ({declared})")
    return load_declared(name, settings)


def load_declared(name: str, settings: Settings, *, keep: bool = False) -> Pipeline:
    """Read and check one of `pipeline_names`; from then on what it names below include/ can be imported.

    Args:
        keep: Leave in the home what its YAML holds, for the next process that reads the same text.

    Raises:
        ConfigError: See load_pipeline; or AIRLOOP_APPROVAL, which counts where no `approval` is declared, is wrong.
    """
    make_importable(settings.project_dir)
    path = settings.pipelines_dir / name / "pipeline.yaml"
    cache = settings.home / "run" / "declarations" / f"{name}.json" if keep else None
    pipeline = parse_pipeline(path, cache)
    if pipeline.name != name:
        line = line_of(text_file.read(path), ["name"])
        raise ConfigError(f"{path}:{line}: name: {pipeline.name!r} differs from its folder {name!r}; make them equal")
    if settings.approval and "approval" not in pipeline.model_fields_set:
        return pipeline.model_copy(update={"approval": _installations(settings.approval)})
    return pipeline


def _installations(approval: dict[str, Any]) -> Approval:
    try:
        return Approval.model_validate(approval)
    except ValidationError as error:
        wrong = (_explain_one({**item, "loc": ("approval", *item["loc"])}) for item in error.errors())
        raise ConfigError(f"AIRLOOP_APPROVAL: {'; '.join(wrong)}") from error


def parse_pipeline(path: Path, cache: Path | None = None) -> Pipeline:
    """Read one file; a process that reads it again, unchanged, is given what it was given before.

    Args:
        cache: Where other processes leave what its YAML holds; see document_cache.

    Raises:
        ConfigError: See load_pipeline.
    """
    text = text_file.read(path)
    known = _parsed.get(path)
    if known is None or known[0] != text:
        known = _parsed[path] = (text, _checked(path, text, cache))
    return known[1]


_parsed: dict[Path, tuple[str, Pipeline]] = {}


def _checked(path: Path, text: str, cache: Path | None) -> Pipeline:
    data = _document(path, text, cache)
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: is empty or not a mapping; `airloop schema` prints what it may hold")
    try:
        return Pipeline.model_validate(data)
    except ValidationError as error:
        raise ConfigError(_explain(path, text, error)) from error


def read_yaml(path: Path) -> tuple[str, Any]:
    """A file's text, and what it holds.

    Raises:
        ConfigError: It cannot be read, is not a file or is very large, is not YAML, has a key twice, or aliases that
            make it too large; says the line where YAML knows one.
    """
    text = text_file.read(path)
    return text, _document(path, text)


def _document(path: Path, text: str, cache: Path | None = None) -> Any:
    try:
        return yaml_document.read(text) if cache is None else document_cache.read(text, cache)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        # ValueError: a date that does not exist.
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}" if mark else f"{path}"
        raise ConfigError(f"{place}: not readable as YAML: {error}") from error


def _explain(path: Path, text: str, error: ValidationError) -> str:
    # A typo makes two errors; the one that knows the nearest key comes first.
    items = sorted(error.errors(), key=lambda item: item["type"] != "extra_forbidden")
    lines = [f"{path}:{line_of(text, _place(item))}: {_explain_one(item)}" for item in items]
    more = [f"{path}: ... and {len(lines) - _SHOWN_ERRORS} more"] if len(lines) > _SHOWN_ERRORS else []
    return "\n".join([*lines[:_SHOWN_ERRORS], *more])


def _place(item: Any) -> tuple[Any, ...]:
    if item["type"] == "metric_of_another_task":
        return tuple(int(part) if part.isdigit() else part for part in item["ctx"]["key"].split("."))
    return tuple(item["loc"])


def _explain_one(item: Any) -> str:
    place = [str(part) for part in item["loc"] if part != "[key]"]
    key = ".".join(place)
    if item["type"] == "extra_forbidden":
        valid = _valid_keys(place[:-1])
        return f"{key}: unknown key{nearest(place[-1], valid)} (valid: {', '.join(valid)})"
    if item["type"] == "missing":
        return f"{key}: required key is missing"
    if item["type"] == "metric_of_another_task":
        return f"{item['ctx']['key']}: {item['msg']}"
    got = _SHORT.repr(item["input"])
    shown = got if len(got) <= _SHOWN_CHARACTERS else f"{got[:_SHOWN_CHARACTERS]}..."
    return f"{key}: {item['msg']} (got {shown})"


def _valid_keys(place: list[str]) -> tuple[str, ...]:
    """Field names of the model at `place`; walks the annotations along the path."""
    node: Any = Pipeline
    for part in place:
        if isinstance(node, type) and issubclass(node, BaseModel) and part in node.model_fields:
            node = node.model_fields[part].annotation
        else:
            arguments = [item for item in typing.get_args(node) if item is not Ellipsis]
            node = arguments[-1] if arguments else node
        node = _model_in(node)
    return tuple(node.model_fields) if isinstance(node, type) and issubclass(node, BaseModel) else ()


def _model_in(node: Any) -> Any:
    if typing.get_origin(node) in (dict, tuple):
        return node
    models = [item for item in typing.get_args(node) if isinstance(item, type) and issubclass(item, BaseModel)]
    return models[0] if models else node
