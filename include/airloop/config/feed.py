"""Feeds: the files an upstream system lands, or the query that fetches them, and what their rows mean."""

from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, field_validator, model_validator

from airloop.config.nearest import nearest
from airloop.config.node import Name, Node
from airloop.config.source import Source
from airloop.config.stream import StreamOptions

ColumnType = Literal["string", "integer", "float", "boolean", "timestamp"]

# ingest adds the first two, the lake the last.
RESERVED_COLUMNS = ("known_at", "created_at", "month")


class Feed(Node):
    """One kind of files an upstream system lands."""

    files: str = ""
    """File name below `<landing>/<pipeline>/<feed>/`; `{day}` stands for a local day like 2013-01-31, and `{hour}`
    after it for a local hour of that day, like 07. Without `{day}` the feed is a static table, read whole. With a
    `source` it may be left out."""
    source: Source | None = None
    """Where the rows are fetched from; None when an upstream system lands the files."""
    columns: dict[str, ColumnType]
    """Every column of the file and its type; a missing, extra or renamed column is refused."""
    key: tuple[str, ...] = Field(min_length=1)
    """Columns that identify a row: a row that lands twice is one row, the one landed last;
    rows of one file that share a key and differ are refused."""
    as_written: tuple[str, ...] = ()
    """Key columns of type string whose texts are taken exactly as they stand. Others are refused where two could look
    the same (blanks at an end, characters that are not seen) or where a number has passed through a float."""
    event_time: str | None = None
    """Column with the instant the row is about; it assigns the row to a window. None for a static table."""
    known_at: str | None = None
    """Column with the instant the row became known; default is event_time plus delay_minutes."""
    delay_minutes: int = Field(ge=0, default=0)
    day_timezone: str = "UTC"
    """Time zone of the local day in the file name."""
    outcome: bool = False
    """Lands after the prediction is made: feeds labels, never waited for by scoring."""
    empty_windows: Literal["refused", "normal"] = "refused"
    """`normal`: a window in which nothing happens, an hour of the night or a file with its header alone, goes on.
    Otherwise a window without a row of an input feed fails. A window of which no file landed is never normal."""
    lateness_hours: int | None = Field(gt=0, default=None)
    """Its files may land so long after the end of their period. Until then a run of the calendar waits for them, and
    holds no worker; after that the source has stalled. Not declared: a window whose files are not there fails."""

    @property
    def hourly(self) -> bool:
        """Whether each file is named by its hour."""
        return "{hour}" in self.files

    @property
    def stream(self) -> StreamOptions | None:
        """The stream its events come from; None for files that somebody lands and for rows that are fetched."""
        return self.source.stream if self.source else None

    @property
    def fetched(self) -> bool:
        """Whether the stage extract asks a source for its rows, window by window."""
        return self.source is not None and self.source.kind != "stream"

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
        if not self.files:
            raise ValueError("a feed needs `files`, or a `source` to fetch them from")
        self._refuse_elsewhere()
        if "{hour}" in self.files and "{day}" not in self.files.partition("{hour}")[0]:
            raise ValueError("{hour} in `files` is an hour of a day: write {day} before it, like {day}T{hour}.csv")
        if "{hour}" in self.files and self.fetched:
            raise ValueError("rows from a `source` land by UTC days: leave {hour} out of `files`")
        if ("{day}" in self.files) == self.static:
            raise ValueError("a feed with {day} in `files` needs `event_time`, and one without is static and has none")
        for column in filter(None, (self.event_time, self.known_at)):
            if self.columns[column] != "timestamp":
                raise ValueError(f"{column!r} is used as time but is a {self.columns[column]}, not a timestamp")
        reserved = [
            column
            for column in RESERVED_COLUMNS
            if column in self.columns and not column == self.known_at == "known_at"
        ]
        if reserved:
            raise ValueError(f"the column name {reserved[0]!r} is airloop's own; the feed needs another")
        return self

    def _refuse_elsewhere(self) -> None:
        """A name below the feed's own folder; nothing in it leads out of it."""
        parts = self.files.split("/")
        if not self.files.isprintable() or "\\" in self.files or not all(part.strip(". ") for part in parts):
            raise ValueError(
                f"files is {self.files!r}; it is a name below the feed's own landing folder, like {{day}}.csv: no path "
                "from elsewhere, no `..`"
            )

    @model_validator(mode="after")
    def _lateness_means_something(self) -> Self:
        if self.lateness_hours is not None and (self.static or self.outcome or self.fetched):
            kind = "a static table" if self.static else "an outcome" if self.outcome else "rows from a `source`"
            raise ValueError(f"`lateness_hours` says how long a window waits, and none waits for {kind}: leave it out")
        return self

    @model_validator(mode="after")
    def _texts_as_written(self) -> Self:
        texts = [name for name in self.key if self.columns.get(name) == "string"]
        strange = next((column for column in self.as_written if column not in texts), None)
        if strange is not None:
            raise ValueError(
                f"as_written names {strange!r}{nearest(strange, texts)}; it takes key columns of type string: {texts}"
            )
        return self

    @model_validator(mode="after")
    def _source_fits(self) -> Self:
        source = self.source
        if source is None:
            return self
        if source.kind == "stream":
            self._refuse_stream(source.stream)
            return self
        if self.static and (source.watermark or source.overlap_minutes):
            raise ValueError("a static table is fetched whole: leave out `watermark` and `overlap_minutes`")
        if not self.static and self.columns.get(source.watermark or "") != "timestamp":
            raise ValueError(f"`watermark` is {source.watermark!r}; it has to be one of columns, of type timestamp")
        if self.day_timezone != "UTC":
            # A local day overlaps two windows: each extraction would make the window before it run again.
            raise ValueError("rows from a `source` land by UTC days: leave out `day_timezone`")
        return self

    def _refuse_stream(self, declared: StreamOptions | None) -> None:
        if self.static:
            raise ValueError("a stream has events, and each is about an instant: name its column in `event_time`")
        if self.known_at in (None, self.event_time):
            raise ValueError(
                "a stream's feed needs `known_at`: a column of type timestamp besides event_time, like arrived_at; "
                "airloop fills it with the instant an event arrived, and events leave it out"
            )
        late, entity = (declared.late, declared.entity) if declared else (None, ())
        for name in (self.known_at, late):
            if name in self.key:
                raise ValueError(f"{name!r} is filled when an event arrives: sent again it would have another key")
        if late is not None and self.columns.get(late) != "boolean":
            raise ValueError(f"source.options.late is {late!r}; it has to be one of columns, of type boolean")
        for name in entity:
            if name not in self.columns or name in (self.known_at, late):
                sent = [column for column in self.columns if column not in (self.known_at, late)]
                near = nearest(name, sent)
                raise ValueError(f"source.options.entity names {name!r}{near} (columns: {', '.join(sent)})")
        if not self.files.endswith(".csv"):
            raise ValueError("events land as CSV: let `files` end in .csv, or leave it out")

    @field_validator("day_timezone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, OSError) as error:
            raise ValueError("no such time zone; write a name like Europe/Berlin") from error
        return value


def _name_files(feeds: Any) -> Any:
    return {name: _with_files(name, feed) for name, feed in feeds.items()} if isinstance(feeds, dict) else feeds


def _with_files(name: str, feed: Any) -> Any:
    if not isinstance(feed, dict) or not feed.get("source") or feed.get("files"):
        return feed
    return {**feed, "files": "{day}.csv" if feed.get("event_time") else f"{name}.csv"}


Feeds = Annotated[dict[Name, Feed], BeforeValidator(_name_files), Field(min_length=1)]
