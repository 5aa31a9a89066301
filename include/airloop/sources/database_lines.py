"""Rows of a database as lines of a landing file: the text that landing reads back as the same values."""

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from airloop.config import Feed
from airloop.config.feed import ColumnType
from airloop.data import key_text
from airloop.data.value_rules import parse_instant_text, why_not
from airloop.errors import DataContractError

_CAST = "cast it in the query"
_SHOWN_CHARACTERS = 100
# What a driver makes of PostgreSQL's infinity.
_INFINITE = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


def header(feed: Feed) -> str:
    """The first line of a file: the columns as declared."""
    return ",".join(map(_string, feed.columns)) + "\n"


def line(name: str, feed: Feed, row: Sequence[Any]) -> str:
    """One row of the feed `name`, values in the order of `columns`; null is an empty field, an empty text is quoted.

    Raises:
        DataContractError: A value that does not surely mean the declared type, or no value in a column of time; the
            message names column, value and key. A file is never replaced, so what landing would refuse is refused here.
    """
    times, texts, fields = _times(feed), key_text.judged(feed), []
    for (column, kind), value in zip(feed.columns.items(), row, strict=True):
        try:
            if value is None and column in times:
                raise DataContractError("every row needs one")
            fields.append("" if value is None else _TEXT[kind](value))
            if value is not None and column in texts:
                _refuse_key(value)
        except (DataContractError, ValueError, OverflowError) as error:
            key = ", ".join(f"{part} {row[list(feed.columns).index(part)]}" for part in feed.key)
            shown = str(value)[:_SHOWN_CHARACTERS]
            raise DataContractError(f"feed {name}: column {column!r} of the row {key}: {shown!r}: {error}") from None
    return ",".join(fields) + "\n"


def instant(value: Any) -> datetime:
    """A database's timestamp in UTC; a text is read as landing reads it.

    Raises:
        DataContractError: It has no time zone, or is not a timestamp at all.
    """
    if isinstance(value, str):
        if (instant := parse_instant_text(value)) is None:
            raise DataContractError(why_not("timestamp", value))
        return instant
    if not isinstance(value, datetime):
        raise DataContractError(f"a {type(value).__name__}, not a timestamp: {_CAST}")
    if value.tzinfo is None:
        raise DataContractError(f"no time zone, which is never guessed: {_CAST}, like updated_at AT TIME ZONE 'UTC'")
    if value in _INFINITE:
        raise DataContractError("infinity, which is not an instant: write NULL, or the instant that is meant")
    return value.astimezone(UTC)


def text_of(kind: ColumnType, value: Any) -> str:
    """A value as the text that a landing file holds, without quotes.

    Raises:
        DataContractError: It is not surely of that type; see `line`.
    """
    return str(value) if kind == "string" and _string(value) else _TEXT[kind](value)


def _times(feed: Feed) -> set[str | None]:
    """The columns without which a row cannot be placed."""
    return {feed.event_time, feed.known_at, feed.source.watermark if feed.source else None}


def _refuse_key(value: Any) -> None:
    says = key_text.unseen(str(value))
    if says:
        raise DataContractError(f"has {says}: trim it in the query, or name the column in `as_written`")
    if key_text.is_no_value(str(value)):
        raise DataContractError(
            "is a word for a missing value: leave it out in the query (NULLIF), or name the column in `as_written`"
        )
    if key_text.is_float(str(value), whole=isinstance(value, Decimal)):
        raise DataContractError(f"is a number as a float is written: {_CAST}, or name the column in `as_written`")


def _string(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal, UUID)):
        raise DataContractError(f"a {type(value).__name__}, not text: {_CAST}")
    return '"' + str(value).replace('"', '""') + '"'


def _integer(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or value != int(value):
        raise DataContractError(f"no integer: {_CAST}")
    if not -(2**63) <= value < 2**63:
        raise DataContractError("does not fit into 64 bits")
    return str(int(value))


def _float(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise DataContractError(f"a {type(value).__name__}, not a number: {_CAST}")
    if not math.isfinite(float(value)):
        raise DataContractError("not finite: write NULL for what is missing, like NULLIF(x, 'NaN')")
    if isinstance(value, int) and abs(value) >= 2**53:
        raise DataContractError("a float does not hold all its digits: declare it as integer or string")
    return str(value)


def _boolean(value: Any) -> str:
    # SQLite and MySQL have no type of their own for it.
    if type(value) not in (bool, int) or value not in (0, 1):
        raise DataContractError(f"no boolean: {_CAST}")
    return "true" if value else "false"


def _timestamp(value: Any) -> str:
    return instant(value).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


_TEXT: dict[ColumnType, Callable[[Any], str]] = {
    "string": _string,
    "integer": _integer,
    "float": _float,
    "boolean": _boolean,
    "timestamp": _timestamp,
}
