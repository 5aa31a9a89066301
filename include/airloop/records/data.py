"""What the data stages hand on: landed files, lake tables, validation, features."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from airloop.records.alarm import Alarm
from airloop.records.base import Record, Window


@dataclass(frozen=True)
class Extracted(Record):
    """What a run fetched from the feeds' databases: the URIs it landed, and by feed the rows it read for them.

    Attributes:
        late: By feed the rows that were committed after their window was fetched, and have landed now.
    """

    window: Window
    files: tuple[str, ...]
    rows: dict[str, int]
    late: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class LandedFile(Record):
    """One file of the landing folder as it was read: its feed, URI, SHA-256 of the bytes, size."""

    feed: str
    uri: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class SetAside(Record):
    """A landed file that breaks its contract and was not read; `why` names file, line, column and value."""

    feed: str
    uri: str
    sha256: str
    why: str


@dataclass(frozen=True)
class TableVersion(Record):
    """A window of a lake table as written: Delta version, rows of the window, SHA-256 of its sorted content."""

    table: str
    uri: str
    version: int
    rows: int
    digest: str


@dataclass(frozen=True)
class Arrived(Record):
    """Whether a window's files were there when waiting for them was over; `stalled` names the feeds whose were not."""

    window: Window
    stalled: tuple[str, ...]
    alarms: tuple[Alarm, ...] = ()


@dataclass(frozen=True)
class Ingested(Record):
    """Raw rows of a window, and the files they came from.

    Attributes:
        files: The files that were read.
        missing: Feeds without any file for the window yet.
        set_aside: Files that were not read because they break their contract.
        missing_days: `feed 2013-04-07`: a local day of the window, as the feed counts it, without a file to read.
        short_days: `feed 2013-04-07: 412 rows, usually 986`: far fewer than the same weekday has.
        replaced: Feed -> rows that lost their place to another event under their key.
        empty: Dated feed without a row of the window -> why; see airloop.data.empty_windows.
    """

    window: Window
    files: tuple[LandedFile, ...]
    tables: tuple[TableVersion, ...]
    missing: tuple[str, ...]
    set_aside: tuple[SetAside, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    missing_days: tuple[str, ...] = ()
    short_days: tuple[str, ...] = ()
    replaced: dict[str, int] = field(default_factory=dict)
    empty: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TableCheck(Record):
    """The verdict on one table: rows seen, rows that broke a critical row rule, broken rules by severity."""

    table: str
    rows: int
    bad_rows: int
    bad_share: float
    critical: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Validated(Record):
    """A window that passed: what was checked, what was published (`tables`), where the page lies."""

    window: Window
    layer: str
    checks: tuple[TableCheck, ...]
    tables: tuple[TableVersion, ...]
    report_uri: str
    alarms: tuple[Alarm, ...] = ()

    @classmethod
    def of_all(cls, records: Sequence["Validated"]) -> "Validated":
        """The record of the windows that follow each other, for a stage over all of them.

        Of each table it names the newest version, and it says of no check how it came out: the records of the windows
        do.
        """
        newest: dict[str, TableVersion] = {}
        for table in sorted((table for record in records for table in record.tables), key=lambda item: item.version):
            newest[table.table] = table
        first, last = records[0], records[-1]
        over = Window(first.window.start, last.window.end)
        return cls(over, first.layer, (), tuple(newest.values()), last.report_uri)

    @property
    def bad_rows(self) -> int:
        """Rows refused in this window, over all tables."""
        return sum(check.bad_rows for check in self.checks)


@dataclass(frozen=True)
class BuiltFeatures(Record):
    """Feature rows whose known_at lies in the window, one table per view.

    Attributes:
        fingerprint: Of the definitions they were built by; empty in older records.
        examples: How many rows are predicted in the window; None in older records.
        engine: Name and version of what ran features.sql, like `duckdb 2.0.0`; empty in older records. It is not part
            of the input key: engines give equal rows, so another one builds nothing again.
    """

    window: Window
    views: tuple[TableVersion, ...]
    fingerprint: str = ""
    examples: int | None = None
    engine: str = ""


@dataclass(frozen=True)
class Profiled(Record):
    """A window was described: rows of each table (`clean/<feed>`, `features/<view>`), where the page lies."""

    window: Window
    rows: dict[str, int]
    report_uri: str


@dataclass(frozen=True)
class Materialized(Record):
    """The newest value of each key of the window, online; `checked_keys` were read back and compared."""

    window: Window
    rows: dict[str, int]
    checked_keys: int
