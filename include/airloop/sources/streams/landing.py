"""Events as landed files of their feed, so that they go through the one door: contract, quarantine, corrections.

A file is named `<period>.stream.<first>.<last>.csv` by the positions of its first and last event. Files are read by
name, so a row that came later in the stream wins whenever its file was written; and an event that is delivered again
after a kill has landed already when a file of its period spans its position.
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from airloop.settings import Settings
from airloop.sources import database_lines
from airloop.sources.streams.declared import Stream
from airloop.sources.streams.reading import Row, line, newest_by_key
from airloop.stores import landed_files
from airloop.stores.files import put

logger = logging.getLogger(__name__)

Position = tuple[int, int]
_STAMPED = re.compile(r"^(.*)\.stream\.(\d+)-(\d+)\.(\d+)-(\d+)\.csv$")
# Of a consumer that was away for long: as many periods without an event get a file without rows.
_MOST_EMPTY = 1000


@dataclass
class Landing:
    """The landed files of one stream.

    Raises:
        UpstreamUnavailable: The landing folder does not answer; so do the methods.
    """

    stream: Stream
    settings: Settings
    _spans: dict[str, list[tuple[Position, Position]]] = field(default_factory=dict)
    _periods: set[str] = field(default_factory=set)
    _reached: datetime | None = None

    def __post_init__(self) -> None:
        """List what is there, once."""
        feed = self.stream.declared
        for file in landed_files.list_files(self.stream.pipeline, self.settings):
            span = landed_files.file_span(feed, file.name) if file.feed == self.stream.feed else None
            if span is None:
                continue
            self._reached = max(filter(None, (self._reached, span.start)))
            self._periods.add(landed_files.name_at(feed, span.start))
            if named := _STAMPED.match(file.name):
                first, last = ((int(named[at]), int(named[at + 1])) for at in (2, 4))
                self._spans.setdefault(f"{named[1]}.csv", []).append((first, last))

    def has(self, row: Row) -> bool:
        """Whether the event has landed."""
        return any(first <= row.event.position <= last for first, last in self._spans.get(row.file, ()))

    def land(self, rows: Sequence[Row]) -> list[str]:
        """A file for each period that has rows; their URIs. The rows are in the order of the stream."""
        by_file: dict[str, list[Row]] = {}
        for row in rows:
            by_file.setdefault(row.file, []).append(row)
        return [self._write(file, rows_of_file) for file, rows_of_file in sorted(by_file.items())]

    def quiet_periods(self, now: datetime) -> list[str]:
        """A file without rows for each period up to now's that has no file: nothing came, and the windows may go on."""
        feed, coverage = self.stream.declared, self.stream.pipeline.coverage
        names, start = [], self._reached or now
        for _ in range(_MOST_EMPTY):
            span = landed_files.period_of(feed, start.astimezone(ZoneInfo(feed.day_timezone)))
            if span.start > now:
                break
            name = landed_files.name_at(feed, span.start)
            if name not in self._periods and coverage.holds(start):
                names.append(self._publish(name, name.removesuffix(".csv") + ".stream.0-0.0-0.csv", ""))
            start = span.end
        self._reached = now
        return names

    def _write(self, file: str, rows: Sequence[Row]) -> str:
        first, last = rows[0].event.position, rows[-1].event.position
        name = f"{file.removesuffix('.csv')}.stream.{first[0]}-{first[1]}.{last[0]}-{last[1]}.csv"
        # Of one key the file holds the row that came last: two would dispute it.
        uri = self._publish(file, name, "".join(line(row, self.stream) for row in newest_by_key(rows, self.stream)))
        self._spans.setdefault(file, []).append((first, last))
        logger.info("%s: %d events landed as %s", self.stream.label, len(rows), uri)
        return uri

    def _publish(self, file: str, name: str, lines: str) -> str:
        uri = f"{self.settings.landing_uri}/{self.stream.pipeline.name}/{self.stream.feed}/{name}"
        text = database_lines.header(self.stream.declared) + lines
        put(uri, text.encode(), self.settings, meanwhile="the events wait in the stream")
        self._periods.add(file)
        return uri
