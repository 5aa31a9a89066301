"""Instants that callers send: with their UTC offset, and of a year that data can be about."""

from datetime import datetime

from airloop.errors import DataContractError
from airloop.records import parse_instant
from airloop.serving.refused import Refused

_YEARS = range(1900, 2200)


def sent_instant(text: str, field: str) -> datetime:
    """What a field says, in UTC.

    Raises:
        Refused: It is not an instant, has no offset, or lies outside the years 1900 to 2199, where local days and file
            formats have no common answer.
    """
    try:
        instant = parse_instant(text)
    except DataContractError as error:
        raise Refused(422, "wrong_instant", f"{field}: {error}", field=field, value=text) from error
    if instant.year not in _YEARS:
        says = f"{field}: {text!r} lies outside the years {_YEARS.start} to {_YEARS.stop - 1}"
        raise Refused(422, "wrong_instant", says, field=field, value=text)
    return instant
