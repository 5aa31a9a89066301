"""What the YAML of a declaration holds, kept in the home for the processes that read it next.

Airflow reads each DAG file in a process of its own, and each task's file once more: most of what they did was YAML, of
the same declarations. Only the document is kept, under the digest of the text and of the code that read it. Whether it
is a valid declaration is checked each time, so what is found is what a first reading finds.
"""

import functools
import hashlib
import json
import logging
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

from airloop.config import yaml_document
from airloop.files import private_files

logger = logging.getLogger(__name__)

_BEYOND_JSON: dict[str, Callable[[Any], Any]] = {
    "!datetime": datetime.fromisoformat,
    "!date": date.fromisoformat,
    "!mapping": dict,
}
"""What YAML knows and JSON does not (`on:` is the key True): name of the one key of an object -> what its value is."""


def read(text: str, path: Path) -> Any:
    """As yaml_document.read; from the file at `path` where a process has left it there of this text.

    A file that is missing, damaged, of another text or of other code is replaced; where it cannot be written, the next
    process parses the text again.

    Raises:
        yaml.YAMLError, ValueError, RecursionError: See yaml_document.read; nothing is kept of such a text.
    """
    key = hashlib.sha256(f"{_code()}\n{text}".encode()).hexdigest()
    try:
        content = _decoded(path.read_text(encoding="utf-8"))
        if content["key"] == key:
            return content["document"]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        logger.debug("%s holds nothing that can be read", path)
    document = yaml_document.read(text)
    _keep(path, key, document)
    return document


def _keep(path: Path, key: str, document: Any) -> None:
    try:
        written = json.dumps({"key": key, "document": _encoded(document)})
        # A mapping of the declaration may look like one of ours: what is read otherwise is not kept.
        if _decoded(written)["document"] == document:
            private_files.replace_private(path, written)
    except (OSError, ValueError, TypeError, RecursionError) as error:
        logger.debug("%s is not written: %s", path, error)


@functools.cache
def _code() -> str:
    """Another text where YAML may be read otherwise."""
    source = Path(yaml_document.__file__).read_text(encoding="utf-8")
    return f"{yaml.__version__}\n{source}"


def _encoded(value: Any) -> Any:
    if isinstance(value, dict):
        pairs = [(_encoded(key), _encoded(item)) for key, item in value.items()]
        return dict(pairs) if all(type(key) is str for key in value) else {"!mapping": pairs}
    if isinstance(value, list):
        return [_encoded(item) for item in value]
    return {f"!{type(value).__name__}": value.isoformat()} if isinstance(value, date) else value


def _decoded(text: str) -> Any:
    return json.loads(text, object_hook=_as_in_yaml)


def _as_in_yaml(content: dict[str, Any]) -> Any:
    if len(content) == 1:
        ((key, value),) = content.items()
        if key in _BEYOND_JSON:
            return _BEYOND_JSON[key](value)
    return content
