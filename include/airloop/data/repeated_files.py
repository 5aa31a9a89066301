"""Files whose rows belong to another day: which file they repeat, when it is that."""

from collections.abc import Sequence

from airloop.config import Feed
from airloop.data.file_rows import event_times
from airloop.errors import DataContractError
from airloop.records import LandedFile
from airloop.settings import Settings
from airloop.stores import landed_files
from airloop.stores.landed_files import ListedFile


def repeated_name(file: LandedFile, feed: Feed, listed: Sequence[ListedFile], settings: Settings) -> str:
    """The name of the feed's file of another day that holds the same lines in any order; empty when there is none.

    Only files of the day that the first row is about are read.

    Raises:
        UpstreamUnavailable: The landing folder does not answer.
    """
    name = file.uri.rsplit("/", 1)[-1]
    own = landed_files.file_span(feed, name)
    content = landed_files.read_bytes(file.uri, settings)
    try:
        times = event_times(file.uri, content, feed)
    except DataContractError:
        return ""
    if own is None or not times.len() or own.start <= times[0] < own.end:
        return ""
    at = times[0]
    for other in listed:
        span = landed_files.file_span(feed, other.name)
        about = span is not None and span != own and span.start <= at < span.end
        if about and _lines(landed_files.read_bytes(other.uri, settings)) == _lines(content):
            return other.name
    return ""


def _lines(content: bytes) -> list[bytes]:
    return sorted(content.splitlines())
