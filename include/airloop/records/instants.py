"""Instants as text: ISO 8601 with the UTC offset, never a local time."""

import re
from datetime import UTC, datetime

from airloop.errors import DataContractError

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 instant that carries its UTC offset; a day alone is its midnight UTC.

    Raises:
        DataContractError: The text is not an instant, or has a time without an offset: a local time is never guessed.
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
        DataContractError: Neither is given, or the text is not an instant with its UTC offset.
    """
    if text:
        return parse_instant(text)
    if default is None:
        raise DataContractError("give --start and --end: this pipeline's coverage has no end")
    return default
