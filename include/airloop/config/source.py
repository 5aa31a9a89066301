"""Where the rows of a feed are fetched from."""

import re
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from airloop.config.families import Family
from airloop.config.node import Node
from airloop.config.options import read_options
from airloop.config.stream import StreamOptions
from airloop.errors import ConfigError

_SELECT = re.compile(r"(?:\s|\(|--[^\n]*\n|/\*.*?\*/)*(?:select|with)\b", re.IGNORECASE | re.DOTALL)


SOURCE = Family("source", "airloop.sources.kinds.source:Source")


class Source(Node):
    """Where the rows of a feed are fetched from, by the stage extract; they then land as files.

    Of kind `stream` nothing is fetched: events come one by one and are consumed (`airloop streams`).

    A window fetches the rows whose watermark lies in it, so a row that was changed has to get a newer watermark; it
    then arrives as a correction of the day it is about. A row that is deleted is not noticed. Neither is another
    event_time under the same key: the old row stays where it was.
    """

    kind: str = "sql"
    """`sql`, `stream`, or `module:Class` of the project's own; `airloop list source` prints airloop's."""
    connection: str | None = Field(pattern=r"^[\w.-]+$", default=None)
    """Id of an Airflow connection; by hand a key of AIRLOOP_CONNECTIONS. Never a URL: those hold passwords. A stream
    without one is on the Redis server that `airloop up` runs."""
    query: str | None = None
    """Of kind `sql`: one SELECT without parameters; its columns are exactly `columns`."""
    options: dict[str, Any] = Field(default_factory=dict)
    """What a stream or a source of the project's own asks for; it has a schema of its own."""
    watermark: str | None = None
    """Column of type timestamp with the instant a row was last written. None for a static table, fetched whole."""
    overlap_minutes: int | None = Field(ge=0, default=None)
    """A window looks this far back for rows that were committed late: the length of the longest transaction. Not
    declared, a window that follows another one looks an hour back, and `pipelines check` asks for it."""

    @field_validator("kind")
    @classmethod
    def _known_kind(cls, value: str) -> str:
        try:
            return SOURCE.refuse_unknown(value)
        except ConfigError as error:
            raise ValueError(str(error)) from None

    @property
    def stream(self) -> StreamOptions | None:
        """What is declared of the stream; None for a source that is fetched."""
        return read_options(StreamOptions, self.options, "options") if self.kind == "stream" else None

    @model_validator(mode="after")
    def _stream_options(self) -> Self:
        try:
            stream = self.stream
        except ConfigError as error:
            raise ValueError(str(error)) from None
        if stream is not None and (self.watermark or self.overlap_minutes is not None):
            raise ValueError("a stream is not fetched by windows: leave out `watermark` and `overlap_minutes`")
        return self

    @model_validator(mode="after")
    def _keys_of_its_kind(self) -> Self:
        if self.kind == "sql":
            missing = [name for name in ("connection", "query") if getattr(self, name) is None]
            if missing:
                raise ValueError(
                    f"{missing[0]}: required key is missing: a source of kind sql has connection and query"
                )
            if self.options:
                raise ValueError("options are for a source of the project's own; kind sql has connection and query")
        elif self.query is not None:
            raise ValueError(f"query belongs to kind sql; what {self.kind} asks for stands in options")
        return self

    @field_validator("query")
    @classmethod
    def _one_select(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not _SELECT.match(value):
            raise ValueError("write one SELECT (a WITH may stand before it)")
        return value.rstrip().rstrip(";")
