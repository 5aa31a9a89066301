"""Feeds: the files an upstream system lands, and what their rows mean."""

from typing import Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from airloop.config.node import Node

ColumnType = Literal["string", "integer", "float", "boolean", "timestamp"]

# ingest adds the first two, the lake the last.
RESERVED_COLUMNS = ("known_at", "created_at", "month")


class Feed(Node):
    """One kind of files an upstream system lands."""

    files: str
    """File name below `<landing>/<pipeline>/<feed>/`; `{day}` stands for a local day like 2013-01-31.
    Without `{day}` the feed is a static table, read whole."""
    columns: dict[str, ColumnType]
    """Every column of the file and its type; a missing, extra or renamed column is refused."""
    key: tuple[str, ...] = Field(min_length=1)
    """Columns that identify a row: a row that lands twice is one row, the one landed last."""
    event_time: str | None = None
    """Column with the instant the row is about; it assigns the row to a window. None for a static table."""
    known_at: str | None = None
    """Column with the instant the row became known; default is event_time plus delay_minutes."""
    delay_minutes: int = Field(ge=0, default=0)
    day_timezone: str = "UTC"
    """Time zone of the local day in the file name."""
    outcome: bool = False
    """Lands after the prediction is made: feeds labels, never waited for by scoring."""

    @property
    def static(self) -> bool:
        """Whether the feed is one table without time."""
        return self.event_time is None

    @model_validator(mode="after")
    def _columns_exist(self) -> Self:
        named = [*self.key, *filter(None, (self.event_time, self.known_at))]
        missing = [column for column in named if column not in self.columns]
        if missing:
            raise ValueError(f"{missing[0]!r} is used as key or time but is not among columns {sorted(self.columns)}")
        if ("{day}" in self.files) == self.static:
            raise ValueError("a feed with {day} in `files` needs `event_time`, and one without is static and has none")
        for column in filter(None, (self.event_time, self.known_at)):
            if self.columns[column] != "timestamp":
                raise ValueError(f"{column!r} is used as time but is a {self.columns[column]}, not a timestamp")
        taken = [
            column
            for column in RESERVED_COLUMNS
            if column in self.columns and not column == self.known_at == "known_at"
        ]
        if taken:
            raise ValueError(f"the column name {taken[0]!r} is airloop's own; the feed needs another")
        return self

    @field_validator("day_timezone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, OSError) as error:
            raise ValueError("no such time zone; write a name like Europe/Berlin") from error
        return value
