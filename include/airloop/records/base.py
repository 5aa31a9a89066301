"""Windows, and the base of all records: JSON in, JSON out."""

import dataclasses
import math
import typing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from airloop.errors import DataContractError
from airloop.records.decoding import decoded
from airloop.records.instants import parse_instant


class Record:
    """Base of all records: JSON in, JSON out; datetimes as ISO instants, a NaN as null."""

    def to_json(self) -> dict[str, Any]:
        """The record as JSON-able values."""
        return {
            field.name: _encode(getattr(self, field.name)) for field in dataclasses.fields(typing.cast("Any", self))
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read what `to_json` wrote.

        Raises:
            DataContractError: See airloop.records.decoding.
        """
        return typing.cast("Self", decoded(cls, data))


def _encode(value: Any) -> Any:
    if isinstance(value, Record):
        return value.to_json()
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


@dataclass(frozen=True)
class Window(Record):
    """A half-open UTC interval `[start, end)`.

    Raises:
        DataContractError: A bound has no timezone, or the window is empty or reversed.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is not UTC or self.end.tzinfo is not UTC:
            self._to_utc()
        if self.start >= self.end:
            raise DataContractError(
                f"window [{self.start}, {self.end}) is empty or reversed; start must lie before end"
            )

    def _to_utc(self) -> None:
        for name in ("start", "end"):
            value = getattr(self, name)
            if value.tzinfo is None:
                raise DataContractError(f"window {name} {value} has no timezone; windows are UTC")
            object.__setattr__(self, name, value.astimezone(UTC))

    @classmethod
    def parse(cls, start: str, end: str) -> "Window":
        """A window of two ISO instants."""
        return cls(parse_instant(start), parse_instant(end))

    def __str__(self) -> str:
        """`[2013-01-01T00:00Z, 2013-02-01T00:00Z)`."""
        return f"[{self.start:%Y-%m-%dT%H:%MZ}, {self.end:%Y-%m-%dT%H:%MZ})"
