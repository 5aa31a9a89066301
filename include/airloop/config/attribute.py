"""What a `module:attribute` string of a declaration names; it is imported only where it is used."""

import importlib
import sys
import traceback
from pathlib import Path
from typing import Any

from airloop.errors import ConfigError

# What authors' own modules import of airloop, and where it has gone.
_MOVED = {"airloop.families": "airloop.config.families", "airloop.replay": "airloop.sources.replay"}
# Frameworks that airloop does not bring; each has an extra of its name.
_EXTRAS = ("lightgbm", "xgboost")


def resolve(path: str) -> Any:
    """Import what a `module:attribute` string names.

    Raises:
        ConfigError: No such module or attribute here, or the module fails while it is imported.
    """
    module, attribute = path.split(":")
    if module.partition(".")[0] in _EXTRAS:
        installed_module(module.partition(".")[0])
    try:
        return getattr(importlib.import_module(module), attribute)
    except Exception as error:  # an author's own module may raise anything while it is imported
        problem = f"{import_problem(error)}{_moved(error, module)}"
        raise ConfigError(f"{path}: cannot be imported on this machine: {problem}") from error


def installed_module(extra: str) -> Any:
    """The module of a framework that an extra installs.

    Raises:
        ConfigError: It is not installed in this environment; says the command.
    """
    try:
        return importlib.import_module(extra)
    except ModuleNotFoundError as error:
        if error.name != extra:
            raise
        raise ConfigError(
            f"{extra} is not installed in {sys.prefix}: uv pip install --python {sys.executable} 'airloop[{extra}]' "
            "(on every machine that trains, scores or serves)"
        ) from error


def import_problem(error: Exception) -> str:
    """What an import failed with, in one line; of anything but a missing name with its type, file and line."""
    says = " ".join(str(error).split())
    if isinstance(error, (ImportError, AttributeError)):
        return says
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {says}"
    raised_at = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {says} ({Path(raised_at.filename).name}, line {raised_at.lineno})"


def _moved(error: Exception, module: str) -> str:
    gone = error.name if isinstance(error, ModuleNotFoundError) else None
    return f"; {gone} is now {_MOVED[gone]}: change the import in {module}" if gone in _MOVED else ""
