"""Keys of a JSON body: one that an object has twice is refused, and what is too large for a number is named by its key.

Readers of JSON keep the last of two equal keys without a word: a row would be answered by a value that its caller never
meant. msgspec does not tell, so a body is read a second time where its colons are more than its keys explain.
"""

import json
import math
from collections import Counter
from collections.abc import Iterator
from operator import attrgetter
from typing import Any

from airloop.serving.api.requests import PredictRequest
from airloop.serving.refused import Refused

_ENTITY, _FEATURES, _AS_OF = attrgetter("entity"), attrgetter("features"), attrgetter("as_of")


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of its pairs, for `json.loads(..., object_pairs_hook=unique)`.

    Raises:
        Refused: A key is there twice (422); says which.
    """
    content = dict(pairs)
    if len(content) == len(pairs):
        return content
    twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
    says = f"the key {twice!r} is there twice in one object: send it once"
    raise Refused(422, "repeated_key", says, field=twice)


def refuse_repeated(content: bytes) -> None:
    """Refuse a body that is JSON and holds a key twice in one object.

    Raises:
        Refused: See unique.
    """
    json.loads(content, object_pairs_hook=unique)


def fewest_colons(body: PredictRequest) -> int:
    """How many colons a body of this content has at least; a key that is there twice makes it more."""
    rows = body.rows if body.rows is not None else [body]
    contents = [*map(_ENTITY, rows), *map(_FEATURES, rows)]
    keys = sum(map(len, contents)) + sum(map(bool, contents))
    instants = [text for text in map(_AS_OF, rows) if text is not None]
    if body.rows is not None:
        keys += 1
        instants += [body.as_of] if body.as_of is not None else []
    of_instants: int = sum(1 + text.count(":") for text in instants)
    return keys + of_instants


def too_large(content: bytes) -> tuple[str, str]:
    """Key and text of a number that no reader takes; both empty where there is none.

    The key is that of the innermost object around it.
    """
    marked: list[tuple[str, str]] = []

    def look(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        marked.extend((name, text) for name, value in pairs for text in _marked(value))
        return dict(pairs)

    try:
        json.loads(content, object_pairs_hook=look, parse_int=_long_number, parse_float=_long_number)
    except (ValueError, RecursionError):
        return "", ""
    return marked[0] if marked else ("", "")


class _TooLarge(str):
    """The text of a number that is too large."""

    __slots__ = ()


def _long_number(text: str) -> Any:
    return _TooLarge(text) if math.isinf(float(text)) else 0


def _marked(value: Any) -> Iterator[str]:
    if isinstance(value, _TooLarge):
        yield str(value)
    elif isinstance(value, list):
        for item in value:
            yield from _marked(item)
