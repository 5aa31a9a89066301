"""extract: fetch the rows that changed in a window from the feeds' databases, and land them as files by day."""

import itertools
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from operator import itemgetter
from typing import Any

from airloop.config import Feed
from airloop.deployment import Deployment
from airloop.errors import ConfigError, DataContractError, GuardRefused, UpstreamUnavailable
from airloop.records import Extracted, Window
from airloop.settings import Settings
from airloop.sources import database_lines, fetched
from airloop.stores import landed_files
from airloop.stores.hidden_files import HiddenFiles
from airloop.stores.landed_files import ListedFile

logger = logging.getLogger(__name__)

# Longer than most transactions; whoever knows better declares it.
_UNDECLARED_OVERLAP = timedelta(hours=1)
_STAMP = "%Y%m%dT%H%M%SZ"
_STAMPED = re.compile(r"\.to(\d{8}T\d{6}Z)\.from(\d{8}T\d{6}Z)")


def extract(at: Deployment, window: Window) -> Extracted:
    """Land what the databases hold of the window, as an upstream system would: files per feed and UTC day.

    A row that is committed after its window was fetched is found by the next one, if no later than the overlap, and
    counted. Fetches the rows with window.start - overlap <= watermark < window.end and lands them by the day of their
    event_time as `<day>.to<end>.from<start>.csv`, which is read after the files of earlier windows. So a row that was
    changed arrives as a correction of its own day, whichever window it changed in. A day of the window for which
    nothing has landed yet gets a file without rows. A row that an overlapping window has landed as it is does not land
    again. Static tables are landed whole, replacing the previous table.

    A file of a window and day is written once: what changed since has a newer watermark and comes with a later window.
    All files appear after the last row of the last feed was read and judged; killed while they appear, a rerun lands
    those that are missing. Rows deleted in the database stay.

    Returns:
        The URIs that landed for the window, by this run or by one that was killed, and by feed the rows this run has
        read for them and those of them that came late.

    Raises:
        ConfigError: No feed has a `source`, or see sql_source.read_rows.
        GuardRefused: The window is not over: rows may still be written into it, and its files are written once.
        DataContractError: A bound of the window is not a whole second, a value does not surely mean its declared type,
            or a row has no watermark, event_time or known_at.
        UpstreamUnavailable: A database or the landing folder does not answer.
    """
    pipeline, settings = at.pipeline, at.settings
    feeds = {name: feed for name, feed in pipeline.feeds.items() if feed.fetched}
    if not feeds:
        raise ConfigError(f"{pipeline.name}: no feed has a `source`; there is nothing to extract")
    _refuse_window(window)
    present = landed_files.list_files(pipeline, settings)
    try:
        with ExitStack() as stack:
            drafts, rows, late = {}, {}, Counter[str]()
            for name, feed in feeds.items():
                folder = HiddenFiles(f"{settings.landing_uri}/{pipeline.name}/{name}", settings.storage_options)
                drafts[name] = stack.enter_context(folder)
                part = _Part(name, feed, window, tuple(file for file in present if file.feed == name), settings)
                rows[name] = _write_table(part, drafts[name]) if feed.static else _write_days(part, drafts[name], late)
            landed = [uri for name, feed in feeds.items() for uri in drafts[name].publish(replace=feed.static)]
    except OSError as error:
        raise UpstreamUnavailable(f"landing folder {settings.landing_uri} cannot be written: {error}") from error
    logger.info("%s %s: %d files landed from SQL, rows %s", pipeline.name, window, len(landed), rows)
    for name, count in late.items():
        logger.warning(
            "%s %s: %d rows of %s were committed after their window was fetched, and land now; later than the overlap "
            "they are lost: is overlap_minutes the length of the longest transaction?",
            pipeline.name, window, count, name,
        )  # fmt: skip
    # A run that was killed has landed some of them: the record names all files of the window.
    own = f".to{window.end:{_STAMP}}.from{window.start:{_STAMP}}"
    before = [file.uri for file in present if file.feed in feeds and own in file.name]
    return Extracted(window=window, files=tuple(dict.fromkeys([*before, *landed])), rows=rows, late=dict(late))


def _refuse_window(window: Window) -> None:
    if window.start.microsecond or window.end.microsecond:
        raise DataContractError(f"extract takes windows of whole seconds, not [{window.start}, {window.end})")
    # The clock decides only whether to refuse.
    if window.end > datetime.now(UTC):
        raise GuardRefused(
            f"window {window} is not over: rows may still be written into it, and a window is fetched once; "
            f"extract it after {window.end:%Y-%m-%dT%H:%M:%SZ}"
        )


@dataclass(frozen=True)
class _Part:
    """One feed of a window; `present` are its landed files."""

    name: str
    feed: Feed
    window: Window
    present: tuple[ListedFile, ...]
    settings: Settings

    @property
    def over(self) -> Window:
        """The watermarks to fetch."""
        declared = self.feed.source.overlap_minutes if self.feed.source else 0
        if declared is not None:
            return Window(self.window.start - timedelta(minutes=declared), self.window.end)
        return Window(self.window.start - _UNDECLARED_OVERLAP, self.window.end) if self.follows else self.window

    @cached_property
    def follows(self) -> bool:
        """Whether the time just before was fetched already, so that a row of it that is new was committed late."""
        before = Window(self.window.start - _UNDECLARED_OVERLAP, self.window.start)
        own = f"from{self.window.start:{_STAMP}}"
        return any(_overlaps(file.name, before) and own not in file.name for file in self.present)

    def file_name(self, day: date) -> str:
        """By end, then start: of two windows that hold versions of a row the one that ends later holds the newer."""
        stamp = f"to{self.window.end:{_STAMP}}.from{self.window.start:{_STAMP}}"
        return self.feed.files.replace("{day}", f"{day}.{stamp}", 1)

    def landed_files(self, day: date) -> list[ListedFile]:
        """The landed files of this day, of whatever origin."""
        return landed_files.of_period(self.feed, landed_files.named(self.feed, day), self.present)


def _write_table(part: _Part, drafts: HiddenFiles) -> int:
    with closing(fetched.rows_of(part.name, part.feed, None, part.settings)) as rows:
        lines = (database_lines.line(part.name, part.feed, row) for row in rows)
        return _write_file(part, drafts, part.feed.files, lines)


def _write_days(part: _Part, drafts: HiddenFiles, late: Counter[str]) -> int:
    """Write the hidden files of all days; returns the rows in them, and counts those that came late."""
    count, days = 0, set()
    with closing(fetched.rows_of(part.name, part.feed, part.over, part.settings)) as rows:
        for day, dated in itertools.groupby(_dated_lines(part, rows), key=itemgetter(0)):
            if day in days:
                raise DataContractError(
                    f"feed {part.name}: rows do not come in the order of {part.feed.event_time}: {_way_out(part.feed)}"
                )
            days.add(day)
            has_landed = _landed_lines(part, day)
            fresh = _counted(part, (row for row in dated if not has_landed(row[1])), late)
            first = next(fresh, None)
            if first is not None:
                count += _write_file(part, drafts, part.file_name(day), itertools.chain([first], fresh))
    for day in _days(part.window):
        if day not in days and not part.landed_files(day):
            _write_file(part, drafts, part.file_name(day), ())
    return count


def _counted(part: _Part, rows: Iterable[tuple[date, str, datetime]], late: Counter[str]) -> Iterator[str]:
    """The lines, and how many of them were written before a window that was fetched already ended."""
    for _, line, mark in rows:
        if mark < part.window.start and part.follows:
            late[part.name] += 1
        yield line


def _write_file(part: _Part, drafts: HiddenFiles, name: str, lines: Iterable[str]) -> int:
    count = 0
    with drafts.open(name) as stream:
        stream.write(database_lines.header(part.feed))
        for count, line in enumerate(lines, start=1):  # noqa: B007 the count of lines
            stream.write(line)
    return count


def _dated_lines(part: _Part, rows: Iterable[Sequence[Any]]) -> Iterator[tuple[date, str, datetime]]:
    """(UTC day of event_time, line of the file, watermark), in the order of event_time."""
    feed, watermark = part.feed, part.feed.source.watermark if part.feed.source else None
    columns = list(feed.columns)
    for row in rows:
        line = database_lines.line(part.name, feed, row)
        event, mark = (database_lines.instant(row[columns.index(str(name))]) for name in (feed.event_time, watermark))
        if not part.over.start <= mark < part.over.end:
            raise DataContractError(
                f"feed {part.name}: {watermark} {mark:%Y-%m-%dT%H:%M:%S.%fZ} came for {part.over}: {_way_out(feed)}"
            )
        yield event.date(), line, mark


def _way_out(feed: Feed) -> str:
    if feed.source is None or feed.source.kind == "sql":
        return "the database compares it as text; write all of them like 2013-02-01T00:00:00Z"
    return f"{feed.source.kind} has to give rows of that span only, ordered by {feed.event_time}"


def _landed_lines(part: _Part, day: date) -> Callable[[str], bool]:
    """Whether a line stands in a file of the day that another window, which overlaps the one to fetch, has landed."""
    own = part.file_name(day)
    overlapping = [file for file in part.landed_files(day) if file.name != own and _overlaps(file.name, part.over)]
    contents = [landed_files.read_bytes(file.uri, part.settings) for file in overlapping]
    known = {line for content in contents for line in content.split(b"\n")}

    def has_landed(line: str) -> bool:
        row = line.encode().removesuffix(b"\n")
        # A text with a line end in it: only the whole row stands for the row.
        return any(b"\n" + row + b"\n" in content for content in contents) if b"\n" in row else row in known

    return has_landed


def _overlaps(name: str, over: Window) -> bool:
    stamped = _STAMPED.search(name)
    if stamped is None:
        return False
    end, start = (datetime.strptime(text, _STAMP).replace(tzinfo=UTC) for text in stamped.groups())
    return start < over.end and over.start < end


def _days(window: Window) -> Iterator[date]:
    day = window.start.date()
    while day <= (window.end - timedelta(microseconds=1)).date():
        yield day
        day += timedelta(days=1)
