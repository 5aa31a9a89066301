"""Bodies of requests: at most so many bytes, JSON of the right shape, and every mistake named by its place."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request

from airloop.config.nearest import nearest
from airloop.serving.api import json_keys
from airloop.serving.instants import sent_instant
from airloop.serving.refused import Refused

MAX_BYTES = 4 << 20
_Shape = TypeVar("_Shape")
_PLACE = re.compile(r" - at `\$\.?(?P<place>[^`]*)`$")


async def read_body(request: Request) -> bytes:
    """The whole body.

    Raises:
        Refused: It is larger than MAX_BYTES (413); no more of it is read.
    """
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_BYTES:
            says = f"the body is larger than {MAX_BYTES >> 20} MiB: send several requests"
            raise Refused(413, "body_too_large", says, field="body")
    return bytes(content)


def decode(content: bytes, shape: type[_Shape], fewest_colons: Callable[[_Shape], int] | None = None) -> _Shape:
    """JSON as a struct.

    Args:
        fewest_colons: How many colons a body with such a content has at least; where it has no more, no key is there
            twice. Without it each body is read twice.

    Raises:
        Refused: No JSON (400), or of another shape (422), or a key twice in one object (422); says which field.
    """
    try:
        body = msgspec.json.decode(content, type=shape)
        # An escaped colon is counted where it is read, and not where it stands.
        if fewest_colons is None or b"\\u" in content or content.count(b":") > fewest_colons(body):
            json_keys.refuse_repeated(content)
    except msgspec.ValidationError as error:
        raise _wrong_shape(str(error), shape, content) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(400, "not_json", f"the body is not JSON: {error}", field="body") from error
    return body


def instant(text: str | None, *, default: datetime, field: str = "as_of") -> datetime:
    """An ISO instant with its UTC offset, or the default.

    Raises:
        Refused: It is none.
    """
    if text is None:
        return default
    return sent_instant(text, field)


def now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def _wrong_shape(text: str, shape: Any, content: bytes) -> Refused:
    named = _PLACE.search(text)
    place = named["place"] if named else ""
    says = _PLACE.sub("", text)
    if says.endswith("out of range"):
        key, number = json_keys.too_large(content)
        if key:
            says = f"{key!r} is a number beyond all that can be computed with; send null for a missing number"
            return Refused(422, "not_finite", says, field=key, value=number)
    if unknown := re.search(r"contains unknown field `(?P<name>.*)`", says):
        known = _fields(shape, place)
        says = f"unknown field {unknown['name']!r}{nearest(unknown['name'], known)} (fields: {', '.join(known)})"
        place = f"{place}.{unknown['name']}".lstrip(".")
    return Refused(422, "wrong_shape", f"{place or 'body'}: {says}", field=place or "body")


def _fields(shape: Any, place: str) -> tuple[str, ...]:
    inner = getattr(shape, "__item__", shape) if "[" in place else shape
    return tuple(getattr(inner, "__struct_fields__", ()))
