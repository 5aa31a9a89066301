"""A record out of JSON, every value checked against the type of its field."""

import dataclasses
import functools
import types
import typing
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from airloop.errors import DataContractError
from airloop.records.instants import parse_instant

_SHOWN_CHARACTERS = 80


class _Wrong(Exception):
    """A value is not of its field's type; the place is completed on the way out."""

    def __init__(self, place: str, value: Any, expected: str) -> None:
        super().__init__(place)
        self.place, self.value, self.expected = place, value, expected


def decoded(record: type[Any], data: Any) -> Any:
    """The record that JSON holds.

    A number without a fraction passes for an integer, an integer for a float, and null for a float: JSON has no NaN. A
    field with a default may be absent, which is how records of an older airloop stay readable.

    Raises:
        DataContractError: A key is unknown or missing, or a value is not of its field's type; names record, field and
            value.
    """
    try:
        return _record(record, data)
    except _Wrong as wrong:
        value = repr(wrong.value)
        shown = value if len(value) <= _SHOWN_CHARACTERS else f"{value[:_SHOWN_CHARACTERS]}..."
        raise DataContractError(
            f"record {record.__name__}: {wrong.place} is {shown}, which is not {wrong.expected}: the stored record was "
            "changed or damaged; run its stage again"
        ) from None


def _record(record: type[Any], data: Any) -> Any:
    if not isinstance(data, Mapping):
        raise _Wrong("the whole", data, f"the fields of {record.__name__}")
    hints = _hints(typing.cast("Any", record))
    unknown = sorted(set(map(str, data)) - set(hints))
    if unknown:
        raise DataContractError(
            f"record {record.__name__} has no field {unknown[0]!r} (fields: {', '.join(hints)}): a newer airloop wrote "
            "it; run that one"
        )
    lacking = [name for name in _required(typing.cast("Any", record)) if name not in data]
    if lacking:
        raise DataContractError(f"record {record.__name__} lacks its field {lacking[0]!r}; run its stage again")
    return record(**{name: _value(hints[name], value, name) for name, value in data.items()})


@functools.cache
def _hints(record: type[Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(record)
    return {field.name: hints[field.name] for field in dataclasses.fields(record)}


@functools.cache
def _required(record: type[Any]) -> tuple[str, ...]:
    missing = dataclasses.MISSING
    return tuple(
        field.name
        for field in dataclasses.fields(record)
        if field.default is missing and field.default_factory is missing
    )


def _value(hint: Any, value: Any, place: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return _one_of(arguments, value, place)
    if origin is tuple:
        if not isinstance(value, (list, tuple)):
            raise _Wrong(place, value, "a list")
        return tuple(_value(arguments[0], item, f"{place}[{number}]") for number, item in enumerate(value))
    if origin is dict:
        if not isinstance(value, Mapping):
            raise _Wrong(place, value, "an object")
        return {key: _value(arguments[1], item, f"{place}.{key}") for key, item in value.items()}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _nested(hint, value, place)
    reader = _READERS.get(hint)
    return value if reader is None else reader(value, place)


def _nested(record: type[Any], value: Any, place: str) -> Any:
    try:
        return _record(record, value)
    except _Wrong as wrong:
        inner = place if wrong.place == "the whole" else f"{place}.{wrong.place}"
        raise _Wrong(inner, wrong.value, wrong.expected) from None


def _one_of(kinds: tuple[Any, ...], value: Any, place: str) -> Any:
    """The value as the first of the kinds that it fits."""
    if value is None and type(None) in kinds:
        return None
    tried = [kind for kind in kinds if kind is not type(None)]
    for kind in tried[:-1]:
        try:
            return _value(kind, value, place)
        except _Wrong:
            continue
    return _value(tried[-1], value, place)


def _integer(value: Any, place: str) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _Wrong(place, value, "an integer")
    return value


def _float(value: Any, place: str) -> Any:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _Wrong(place, value, "a number")
    return value


def _flag(value: Any, place: str) -> bool:
    if not isinstance(value, bool):
        raise _Wrong(place, value, "true or false")
    return value


def _text(value: Any, place: str) -> str:
    if not isinstance(value, str):
        raise _Wrong(place, value, "a text")
    return value


def _instant(value: Any, place: str) -> datetime:
    try:
        return parse_instant(value)
    except DataContractError as error:
        raise _Wrong(place, value, "an ISO 8601 instant with its UTC offset") from error


_READERS: dict[Any, Callable[[Any, str], Any]] = {
    int: _integer,
    float: _float,
    bool: _flag,
    str: _text,
    datetime: _instant,
}
