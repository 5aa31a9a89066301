"""Where in a YAML file a key stands: a message that names a line is found faster than one that names a key."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import yaml

_MESSAGE = re.compile(r"^(?P<file>.*?\.yaml): (?P<key>[\w.]+)(?P<rest>.*)$", re.DOTALL)


def line_of(text: str, place: Sequence[Any]) -> int:
    """The line (from 1) on which the deepest key of `place` that the file has begins.

    Args:
        text: YAML that can be read.
        place: Keys and list positions from the root, as in pydantic's `loc`; what the file does not hold (a missing
            key, the name of a type) is passed over.
    """
    node = _root(text)
    line = 1
    for part in place:
        below = _step(node, part)
        if below is not None:
            line, node = below
    return line


def with_line(message: str, text: str) -> str:
    """`file.yaml: key.of.it: ...` as `file.yaml:12: key.of.it: ...`, by the file's text; others stay as they are."""
    parts = _MESSAGE.match(message)
    if not parts:
        return message
    place = [int(part) if part.isdigit() else part for part in parts["key"].split(".")]
    return f"{parts['file']}:{line_of(text, place)}: {parts['key']}{parts['rest']}"


@cache
def _root(text: str) -> yaml.Node | None:
    root: yaml.Node | None = yaml.compose(text, yaml.CSafeLoader)
    return root


def _step(node: yaml.Node | None, part: Any) -> tuple[int, yaml.Node] | None:
    """Line and value of one key or list position below a node."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and 0 <= part < len(node.value):
        item = node.value[part]
        return item.start_mark.line + 1, item
    return None
