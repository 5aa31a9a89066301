"""The landing folder: what an upstream system put there, at any fsspec URL."""

import functools
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import fsspec

from airloop.config import Feed, Pipeline
from airloop.errors import ConfigError, DataContractError, UpstreamUnavailable
from airloop.records import LandedFile, Window
from airloop.settings import Settings

# Local files, S3, Google and Azure each tell something else; equal size and a time to the second are not enough.
_CHANGES = ("size", "mtime", "created", "ino", "LastModified", "ETag", "last_modified", "etag", "updated")
_ETAGS, _TIMES = ("ETag", "etag"), ("mtime", "created", "LastModified")
_NUMBERS = re.compile(r"(\d+)")


class ListedFile(NamedTuple):
    """A file as the landing folder lists it, unread.

    Attributes:
        stamp: Changes when the file is replaced.
        changed_at: When it last changed, in seconds since 1970; 0 where the store tells more than a time.
    """

    feed: str
    uri: str
    name: str
    stamp: str
    changed_at: float = 0.0


def list_files(pipeline: Pipeline, settings: Settings) -> tuple[ListedFile, ...]:
    """Every file of every declared feed, by feed and name; temporary names (leading dot) are not listed.

    Raises:
        UpstreamUnavailable: The landing folder cannot be listed.
        ConfigError: No file system is known, or installed, for landing_uri.
    """
    return tuple(file for feed in pipeline.feeds for file in _list_feed(pipeline, feed, settings))


def _list_feed(pipeline: Pipeline, feed: str, settings: Settings) -> Iterator[ListedFile]:
    root, listed = f"{settings.landing_uri}/{pipeline.name}/{feed}", []
    try:
        system, path = fsspec.core.url_to_fs(root, **settings.storage_options)
        system.invalidate_cache()
        # Not `exists` first: for fsspec a store that does not answer holds nothing.
        with suppress(FileNotFoundError):
            listed = list(system.ls(path, detail=True))
    except (ValueError, ImportError) as error:
        raise ConfigError(f"AIRLOOP_LANDING_URI {settings.landing_uri} cannot be used: {error}") from error
    except Exception as error:  # stores have errors of their own: no such bucket
        raise UpstreamUnavailable(f"landing folder {root} cannot be listed: {error}") from error
    _, after = _around_day(pipeline.feeds[feed])
    by_name = ((info["name"].rsplit("/", 1)[-1], info) for info in listed if info["type"] == "file")
    landed = sorted((_landing_order(name, after), name, info) for name, info in by_name if not name.startswith("."))
    folder_of = functools.cache(system.unstrip_protocol)  # one folder's files: a thousand times the same answer
    known = set().union(*(info for *_, info in landed))
    changes = [key for key in _CHANGES if key in known and any(info.get(key) for *_, info in landed)]
    etags, times = ([key for key in keys if key in changes] for keys in (_ETAGS, _TIMES))
    for _, name, info in landed:
        stamp = "-".join([str(info[key]) for key in changes if info.get(key)])
        uri = f"{folder_of(info['name'].removesuffix(f'/{name}'))}/{name}"
        yield ListedFile(feed, uri, name, stamp, _changed_at(info, etags, times))


def _changed_at(info: dict[str, Any], etags: Sequence[str], times: Sequence[str]) -> float:
    if any(map(info.get, etags)):
        return 0.0
    instants = [info[key] for key in times if info.get(key)]
    return max([at.timestamp() if isinstance(at, datetime) else float(at) for at in instants], default=0.0)


def _landing_order(name: str, after: str) -> list[str | int]:
    # 2013-01-31.csv, its corrections .1.csv, .2.csv, .10.csv, then the next day: numbers count as numbers.
    stem = name.removesuffix(after) if after and name.endswith(after) else name.rpartition(".")[0]
    parts: list[str | int] = [*_NUMBERS.split(stem or name)]
    parts[1::2] = map(int, parts[1::2])
    return parts


def _around_day(feed: Feed) -> tuple[str, str]:
    before, _, after = feed.files.partition("{day}")
    return before, after.partition("{hour}")[2] if feed.hourly else after


def named(feed: Feed, day: date, hour: int = 0) -> str:
    """The declared name of the file of a local day; of an hour of it where files are named by hours."""
    return feed.files.replace("{day}", str(day), 1).replace("{hour}", f"{hour:02}", 1)


def of_period(feed: Feed, name: str, files: Iterable[ListedFile]) -> list[ListedFile]:
    """The landed files about the day, or hour, that a file of this name is about; of a static feed those of the name.

    In the order of `files`: as they are listed, the one that is read last is the last.
    """
    if feed.static:
        return [file for file in files if file.name == name]
    span = file_span(feed, name)
    return [file for file in files if span is not None and file_span(feed, file.name) == span]


def corrected(feed: Feed, name: str, number: int) -> str:
    """The name of a later file about the same period: `2013-01-31.1.csv` after `2013-01-31.csv`."""
    _, after = _around_day(feed)
    return f"{name.removesuffix(after)}.{number}{after}"


def release_name(feed: Feed, name: str, landed: Sequence[str]) -> str:
    """The name of a file of repaired rows: read after every landed file of its period, before the next numbered one.

    `2013-01-31.csv` is followed by `2013-01-31.0.release.1.csv`, `2013-01-31.3.csv` by `2013-01-31.3.release.1.csv`,
    and that by `2013-01-31.3.release.2.csv`.

    Args:
        name: The declared name of the period's file.
        landed: Names of the period's files in landing order.
    """
    _, after = _around_day(feed)
    stem = name.removesuffix(after)
    latest = landed[-1].removesuffix(after) if landed else stem
    if earlier := re.fullmatch(r"(.*\.release\.)(\d+)", latest):
        return f"{earlier[1]}{int(earlier[2]) + 1}{after}"
    numbered = re.search(r"\.\d+$", latest.removeprefix(stem))
    return f"{latest}{'' if numbered else '.0'}.release.1{after}"


def is_release(name: str) -> bool:
    """Whether a file holds rows that a person released from quarantine."""
    return re.search(r"\.release\.\d+", name) is not None


def file_span(feed: Feed, name: str) -> Window | None:
    """The UTC span of the local day, or hour, in a file's name; an hour that a clock repeats is both of them.

    None for static feeds and for names that differ from the declared ones by more than what follows the period: files
    half written (`2013-01-31.csv.part`) and files of somebody else; and for an hour that a clock skips.
    """
    parts = None if feed.static else _named_like(feed.files, feed.hourly).fullmatch(name)
    if parts is None:
        return None
    try:
        day = date.fromisoformat(parts[1])
        at = datetime(day.year, day.month, day.day, int(parts[2] or 0), tzinfo=ZoneInfo(feed.day_timezone))
        return period_of(feed, at)
    except (ValueError, OverflowError, DataContractError):
        return None


@functools.cache
def _named_like(files: str, hourly: bool) -> re.Pattern[str]:
    """The names of files of a feed: their day, their hour, and what follows."""
    before, _, rest = (re.escape(part) for part in files.partition("{day}"))
    between, _, after = rest.partition(re.escape("{hour}")) if hourly else ("", "", rest)
    hour = r"([0-9]{2})" if hourly else "()"
    return re.compile(rf"{before}([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}){between}{hour}([^0-9].*)?{after}")


def reaches(feed: Feed, span: Window) -> datetime:
    """How far data time has come where a file of this period landed.

    To its end; of a stream to its start, for events of the period may land until a file of a later one does.
    """
    return span.start if feed.stream else span.end


def has_come(span: Window) -> bool:
    """Whether a period has begun by the wall clock: a file about a later one lies there ahead, or has a wrong name."""
    return span.start <= datetime.now(UTC)


def period_of(feed: Feed, local: datetime) -> Window:
    """The UTC span of the period that files of a feed are named by, which holds an instant of its local time.

    Raises:
        DataContractError: The hour is one that the clock skips.
    """
    if feed.hourly:
        start = local.replace(minute=0, second=0, microsecond=0, fold=0)
        return Window(start, start.replace(fold=1).astimezone(UTC) + timedelta(hours=1))
    start = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return Window(start.astimezone(UTC), (start + timedelta(days=1)).astimezone(UTC))


def name_at(feed: Feed, instant: datetime) -> str:
    """The name by which the file of the period that holds an instant is expected."""
    local = instant.astimezone(ZoneInfo(feed.day_timezone))
    return feed.files.replace("{day}", f"{local:%Y-%m-%d}").replace("{hour}", f"{local:%H}")


def file_day(feed: Feed, name: str) -> date | None:
    """The local day in a file's name; None where `file_span` is."""
    span = file_span(feed, name)
    return None if span is None else span.start.astimezone(ZoneInfo(feed.day_timezone)).date()


def window_files(pipeline: Pipeline, window: Window, settings: Settings) -> tuple[LandedFile, ...]:
    """The landed files that may hold rows of the window, with the checksum of what they hold now.

    A file belongs to a window when its local day overlaps it; a corrected file of the day may carry a suffix
    (`2013-01-31.1.csv`) and is read after the file it corrects. Static files belong to every window.
    """
    return tuple(file for file, _ in window_contents(pipeline, window, settings, feeds=pipeline.feeds))


def window_contents(
    pipeline: Pipeline, window: Window, settings: Settings, *, feeds: Iterable[str]
) -> Iterator[tuple[LandedFile, bytes]]:
    """The files of `window_files` of some feeds, each read once, with what it holds."""
    for feed_name in feeds:
        feed = pipeline.feeds[feed_name]
        for file in _list_feed(pipeline, feed_name, settings):
            span = file_span(feed, file.name)
            if (feed.static and file.name == feed.files) or (
                span is not None and span.start < window.end and window.start < span.end
            ):
                content = read_bytes(file.uri, settings)
                yield _landed(file, content), content


def checksum(file: ListedFile, settings: Settings) -> LandedFile:
    """Read a listed file once and record its SHA-256."""
    return _landed(file, read_bytes(file.uri, settings))


def _landed(file: ListedFile, content: bytes) -> LandedFile:
    return LandedFile(file.feed, file.uri, hashlib.sha256(content).hexdigest(), len(content))


def read_bytes(uri: str, settings: Settings) -> bytes:
    """What a landed file holds.

    Raises:
        UpstreamUnavailable: It cannot be read.
    """
    try:
        with fsspec.open(uri, "rb", **settings.storage_options) as handle:
            return bytes(handle.read())
    except Exception as error:  # stores have errors of their own
        raise UpstreamUnavailable(f"{uri} cannot be read: {error}") from error
