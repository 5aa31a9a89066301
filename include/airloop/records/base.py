"""Instants, windows, and the base of all records: JSON in, JSON out."""

import dataclasses
import functools
import math
import re
import types
import typing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from airloop.errors import DataContractError

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 instant that carries its UTC offset; a day alone is its midnight UTC.

    Raises:
        DataContractError: The text is no instant, or has a time without an offset: a local time is never guessed.
    """
    try:
        if isinstance(text, str) and _DAY.fullmatch(text):
            return datetime.fromisoformat(text).replace(tzinfo=UTC)
        instant = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise DataContractError(f"{text!r} is not an ISO 8601 instant like 2013-02-01T00:00:00Z") from error
    if instant.tzinfo is None:
        raise DataContractError(f"{text!r} has no UTC offset; write 2013-02-01T00:00:00Z or +00:00")
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise DataContractError(f"{text!r} is before the year 1 or after the year 9999 in UTC") from error


def instant_or_default(text: str, default: datetime | None) -> datetime:
    """`text` as an instant, or the default when it is empty.

    Raises:
        DataContractError: Neither is given, or the text is no instant with its UTC offset.
    """
    if text:
        return parse_instant(text)
    if default is None:
        raise DataContractError("give --start and --end: this pipeline's coverage has no end")
    return default


class Record:
    """Base of all records: JSON in, JSON out; datetimes as ISO instants, a NaN as null."""

    def to_json(self) -> dict[str, Any]:
        """The record as JSON-able values."""
        return typing.cast("dict[str, Any]", _encode(self))

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read what `to_json` wrote; unknown keys raise TypeError."""
        hints = _hints(typing.cast("Any", cls))
        return cls(**{key: _decode(hints.get(key), value) for key, value in data.items()})


@functools.cache
def _hints(record: type[Record]) -> dict[str, Any]:
    return typing.get_type_hints(record)


def _encode(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _encode(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, dict):
        return {str(key): _encode(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_encode(item) for item in value]
    if isinstance(value, float) and math.isnan(value):
        return None
    return value


def _decode(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return _decode(next(item for item in arguments if item is not type(None)), value)
    if origin is tuple:
        return tuple(_decode(arguments[0], item) for item in value)
    if origin is dict:
        return {key: _decode(arguments[1], item) for key, item in value.items()}
    if isinstance(hint, type) and issubclass(hint, Record):
        return hint.from_json(value)
    if hint is datetime:
        return parse_instant(value)
    return value


@dataclass(frozen=True)
class Window(Record):
    """A half-open UTC interval `[start, end)`.

    Raises:
        DataContractError: A bound has no timezone, or the window is empty or reversed.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            value = getattr(self, name)
            if value.tzinfo is None:
                raise DataContractError(f"window {name} {value} has no timezone; windows are UTC")
            object.__setattr__(self, name, value.astimezone(UTC))
        if self.start >= self.end:
            raise DataContractError(
                f"window [{self.start}, {self.end}) is empty or reversed; start must lie before end"
            )

    @classmethod
    def parse(cls, start: str, end: str) -> "Window":
        """A window of two ISO instants."""
        return cls(parse_instant(start), parse_instant(end))

    def __str__(self) -> str:
        """`[2013-01-01T00:00Z, 2013-02-01T00:00Z)`."""
        return f"[{self.start:%Y-%m-%dT%H:%MZ}, {self.end:%Y-%m-%dT%H:%MZ})"
