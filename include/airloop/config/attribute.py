"""What a `module:attribute` string of a declaration names; it is imported only where it is used."""

import importlib
from typing import Any

from airloop.errors import ConfigError

# What authors' own modules import of airloop, and where it has gone.
_MOVED = {"airloop.replay": "airloop.sources.replay"}


def resolve(path: str) -> Any:
    """Import what a `module:attribute` string names.

    Raises:
        ConfigError: No such module or attribute here.
    """
    module, attribute = path.split(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"{path}: cannot be imported on this machine: {error}{_moved(error, module)}") from error


def _moved(error: Exception, module: str) -> str:
    gone = error.name if isinstance(error, ModuleNotFoundError) else None
    return f"; {gone} is now {_MOVED[gone]}: change the import in {module}" if gone in _MOVED else ""
