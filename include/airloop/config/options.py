"""Options of a variant: read by the schema that the variant itself declares."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from airloop.config.nearest import nearest
from airloop.config.node import Node
from airloop.errors import ConfigError

Options = TypeVar("Options", bound=Node)


def read_options(schema: type[Options], options: Mapping[str, Any], place: str) -> Options:
    """The options as the variant wants them.

    Args:
        place: Of the options in pipeline.yaml, for messages.

    Raises:
        ConfigError: One is unknown (names the nearest), missing, or of another type or value; a line each.
    """
    try:
        return schema.model_validate(dict(options))
    except ValidationError as error:
        raise ConfigError("\n".join(f"{place}.{problem}" for problem in problems(schema, error))) from error


def problems(schema: type[Node], error: ValidationError) -> list[str]:
    """What is wrong with the keys of a variant, one sentence each, beginning with the key."""
    return [_explain(schema, item) for item in error.errors()]


def _explain(schema: type[Node], item: Any) -> str:
    key, valid = ".".join(str(part) for part in item["loc"]), tuple(schema.model_fields)
    if item["type"] == "extra_forbidden":
        near = nearest(str(item["loc"][-1]), valid)
        return f"{key}: unknown key{near} (valid: {', '.join(valid) or 'none'})"
    if item["type"] == "missing":
        return f"{key}: required key is missing"
    shown = f"{item['msg']} (got {item['input']!r:.100})"
    return f"{key}: {shown}" if key else str(item["msg"])
