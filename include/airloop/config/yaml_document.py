"""One YAML document as plain data: no key twice, and no alias that makes a small file a large tree."""

from typing import Any

import yaml

_MOST_VALUES = 100_000
"""A file with ten lists of ten aliases each, eight times over, would be 100 million values."""


class _UniqueKeys(yaml.CSafeLoader):
    """YAML keeps the last of two equal keys without a word; here the second is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key has to be a word; this one is a list or a mapping", key.start_mark
                )
            if key.value in keys and key.tag != "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} is there twice", key.start_mark
                )
            keys.add(key.value)
        return super().construct_mapping(node, deep=deep)


def read(text: str) -> Any:
    """What a text holds; None where it holds nothing.

    Raises:
        yaml.YAMLError: It is not YAML, several documents, has a key twice, or its aliases make it too large.
        ValueError: A date that does not exist.
        RecursionError: Too deep.
    """
    loader = _UniqueKeys(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _size(node, {})
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _size(node: yaml.Node, sizes: dict[int, int | None]) -> int:
    """How many values a node holds, each alias counted as what it stands for."""
    if isinstance(node, yaml.ScalarNode):
        return 1
    known = sizes.get(id(node), 0)
    if known is None:
        raise yaml.composer.ComposerError(None, None, "an alias stands within what it names", node.start_mark)
    if known:
        return known
    sizes[id(node)] = None
    parts = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
    size = 1 + sum(_size(part, sizes) for part in parts)
    if size > _MOST_VALUES:
        says = f"holds more than {_MOST_VALUES:,} values, aliases counted as what they stand for"
        raise yaml.composer.ComposerError(None, None, says, node.start_mark)
    sizes[id(node)] = size
    return size
