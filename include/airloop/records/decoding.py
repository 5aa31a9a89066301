"""A record out of JSON, every value checked against the type of its field."""

import dataclasses
import functools
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from airloop.errors import DataContractError
from airloop.records.instants import parse_instant

_SHOWN_CHARACTERS = 80


_Reader = Callable[[Any], Any]


class _Wrong(Exception):
    """A value is not of its field's type; the place is completed on the way out."""

    def __init__(self, value: Any, expected: str) -> None:
        super().__init__(expected)
        self.place, self.value, self.expected = "", value, expected

    def within(self, place: str) -> "_Wrong":
        """The same of a part that has the value at `place`."""
        self.place = f"{place}{self.place}"
        return self


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
        value, place = repr(wrong.value), wrong.place.removeprefix(".") or "the whole"
        shown = value if len(value) <= _SHOWN_CHARACTERS else f"{value[:_SHOWN_CHARACTERS]}..."
        raise DataContractError(
            f"record {record.__name__}: {place} is {shown}, which is not {wrong.expected}: the stored record was "
            "changed or damaged; run its stage again"
        ) from None


def _record(record: type[Any], data: Any) -> Any:
    if not isinstance(data, Mapping):
        raise _Wrong(data, f"the fields of {record.__name__}")
    readers = _readers(typing.cast("Any", record))
    if unknown := data.keys() - readers.keys():
        raise DataContractError(
            f"record {record.__name__} has no field {min(map(str, unknown))!r} (fields: {', '.join(readers)}): a newer "
            "airloop wrote it; run that one"
        )
    if len(data) < len(readers):
        _refuse_lacking(record, data)
    return record(**_each(data.items(), readers))


def _each(items: Iterable[tuple[str, Any]], readers: Mapping[str, _Reader]) -> dict[str, Any]:
    values = {}
    for name, value in items:
        try:
            values[name] = readers[name](value)
        except _Wrong as wrong:
            raise wrong.within(f".{name}") from None
    return values


def _refuse_lacking(record: type[Any], data: Mapping[str, Any]) -> None:
    lacking = [name for name in _required(typing.cast("Any", record)) if name not in data]
    if lacking:
        raise DataContractError(f"record {record.__name__} lacks its field {lacking[0]!r}; run its stage again")


@functools.cache
def _readers(record: type[Any]) -> dict[str, _Reader]:
    """What reads each field: looked up once for all records of a class, for a look at a long past reads thousands."""
    hints = typing.get_type_hints(record)
    return {field.name: _reader(hints[field.name]) for field in dataclasses.fields(record)}


@functools.cache
def _required(record: type[Any]) -> tuple[str, ...]:
    missing = dataclasses.MISSING
    return tuple(
        field.name
        for field in dataclasses.fields(record)
        if field.default is missing and field.default_factory is missing
    )


def _reader(hint: Any) -> _Reader:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        kinds = [_reader(kind) for kind in arguments if kind is not type(None)]
        return functools.partial(_one_of, kinds, type(None) in arguments)
    if origin is tuple:
        return functools.partial(_tuple, _reader(arguments[0]))
    if origin is dict:
        return functools.partial(_mapping, _reader(arguments[1]))
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return functools.partial(_record, hint)
    return _READERS.get(hint, _as_it_is)


def _tuple(reader: _Reader, value: Any) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise _Wrong(value, "a list")
    items = []
    for number, item in enumerate(value):
        try:
            items.append(reader(item))
        except _Wrong as wrong:
            raise wrong.within(f"[{number}]") from None
    return tuple(items)


def _mapping(reader: _Reader, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise _Wrong(value, "an object")
    return _each(value.items(), dict.fromkeys(value, reader))


def _one_of(kinds: Sequence[_Reader], nothing: bool, value: Any) -> Any:
    """The value as the first of the kinds that it fits."""
    if nothing and value is None:
        return None
    for kind in kinds[:-1]:
        try:
            return kind(value)
        except _Wrong:
            continue
    return kinds[-1](value)


def _as_it_is(value: Any) -> Any:
    return value


def _integer(value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _Wrong(value, "an integer")
    return value


def _float(value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _Wrong(value, "a number")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Wrong(value, "true or false")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _Wrong(value, "a text")
    return value


def _instant(value: Any) -> datetime:
    try:
        return parse_instant(value)
    except DataContractError as error:
        raise _Wrong(value, "an ISO 8601 instant with its UTC offset") from error


_READERS: dict[Any, _Reader] = {
    int: _integer,
    float: _float,
    bool: _flag,
    str: _text,
    datetime: _instant,
}
