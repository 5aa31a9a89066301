"""What a `module:attribute` string of a declaration names; it is imported only where it is used."""

import importlib
from typing import Any

from airloop.errors import ConfigError


def resolve(path: str) -> Any:
    """Import what a `module:attribute` string names.

    Raises:
        ConfigError: No such module or attribute here.
    """
    module, attribute = path.split(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"{path}: cannot be imported on this machine: {error}") from error
