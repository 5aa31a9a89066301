"""Read pipeline.yaml; every error names file, line, key and the nearest valid key."""

import typing
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from airloop.config.nearest import nearest
from airloop.config.pipeline import Pipeline
from airloop.config.positions import line_of
from airloop.errors import ConfigError
from airloop.project import make_importable
from airloop.settings import Settings

_SHOWN_ERRORS = 5
_SHOWN_CHARACTERS = 100


class _UniqueKeys(yaml.CSafeLoader):
    """YAML keeps the last of two equal keys without a word; here the second is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key has to be a word; this one is a list or a mapping", key.start_mark
                )
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} is there twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def pipeline_names(settings: Settings) -> tuple[str, ...]:
    """Names of the declared pipelines: folders of include/pipelines/ that hold a pipeline.yaml."""
    return tuple(sorted(path.parent.name for path in settings.pipelines_dir.glob("*/pipeline.yaml")))


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
        path = settings.pipelines_dir / name / "pipeline.yaml"
        raise ConfigError(f"unknown pipeline {name!r}: no {path}{nearest(name, known)} (declared: {', '.join(known)})")
    return load_declared(name, settings)


def load_declared(name: str, settings: Settings) -> Pipeline:
    """Read and check one of `pipeline_names`; from then on what it names below include/ can be imported.

    Raises:
        ConfigError: See load_pipeline.
    """
    make_importable(settings.project_dir)
    path = settings.pipelines_dir / name / "pipeline.yaml"
    pipeline = parse_pipeline(path)
    if pipeline.name != name:
        line = line_of(path.read_text(encoding="utf-8"), ["name"])
        raise ConfigError(f"{path}:{line}: name: {pipeline.name!r} differs from its folder {name!r}; make them equal")
    return pipeline


def parse_pipeline(path: Path) -> Pipeline:
    """Read one file.

    Raises:
        ConfigError: See load_pipeline.
    """
    text, data = read_yaml(path)
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: is empty or not a mapping; `airloop schema` prints what it may hold")
    try:
        return Pipeline.model_validate(data)
    except ValidationError as error:
        raise ConfigError(_explain(path, text, error)) from error


def read_yaml(path: Path) -> tuple[str, Any]:
    """A file's text, and what it holds.

    Raises:
        ConfigError: It cannot be read, is not YAML, or has a key twice; says the line where YAML knows one.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return text, yaml.load(text, _UniqueKeys)  # noqa: S506 a safe loader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        # ValueError: bytes that are not UTF-8, or a date that does not exist.
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}" if mark else f"{path}"
        raise ConfigError(f"{place}: not readable as YAML: {error}") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error


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
    got = repr(item["input"])
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
