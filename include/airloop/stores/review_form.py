"""What a form sends as an answer: each field there and of its kind, or one sentence about what is wrong."""

import math
from collections.abc import Mapping
from typing import Any

from airloop.config.nearest import nearest
from airloop.errors import DataContractError
from airloop.records.person_texts import is_unicode
from airloop.stores.reviews import ROW, Item

_LONGEST = 2000
_FLAGS = {"true": True, "false": False}


def read(item: Item, sent: Mapping[str, str]) -> dict[str, Any]:
    """The answer to an item.

    Raises:
        DataContractError: A field is missing, unknown (with the nearest), or has a value it cannot have.
    """
    fields = {field["name"]: field for field in item.content["fields"]}
    for name in sent:
        if name not in fields:
            near = nearest(name, fields)
            raise DataContractError(f"there is no field {name[:80]!r}{near} (fields: {', '.join(fields)})")
    return {name: _value(item, field, sent.get(name)) for name, field in fields.items()}


def text_of(value: Any) -> str:
    """A value as the form shows it."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _value(item: Item, field: Mapping[str, Any], text: str | None) -> Any:
    name = field["name"]
    if field.get("fixed"):
        return field["value"]
    if text is None:
        raise DataContractError(f"field {name!r} is missing")
    if len(text) > _LONGEST:
        raise DataContractError(f"field {name!r} has more than {_LONGEST} characters")
    if "\0" in text or not is_unicode(text):
        raise DataContractError(f"field {name!r} holds a character that no file or database takes: leave it out")
    if item.kind == ROW:
        return text or None
    if field.get("choices") and text not in field["choices"]:
        raise DataContractError(f"field {name!r} is {text[:80]!r}; it is one of: {', '.join(field['choices'])}")
    return _typed(name, field["kind"], text.strip())


def _typed(name: str, kind: str, text: str) -> Any:
    if not text:
        raise DataContractError(f"field {name!r} is empty: say what came, or leave the item to somebody else")
    try:
        if kind == "boolean":
            return _FLAGS[text]
        if kind == "integer":
            return int(text)
        if kind == "float":
            number = float(text)
            if not math.isfinite(number):
                raise ValueError
            return number
    except (ValueError, KeyError):
        raise DataContractError(f"field {name!r} is {text[:80]!r}, and has to be {kind}") from None
    return text
