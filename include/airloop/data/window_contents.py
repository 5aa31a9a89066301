"""What landed for a window, each file read once: its checksum is in the input key, its bytes are what is parsed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airloop.config import Pipeline
from airloop.records import LandedFile, Record, Window
from airloop.settings import Settings
from airloop.stores.landed_files import window_contents


@dataclass(frozen=True)
class WindowContents(Record):
    """Files in the order they are read in.

    Attributes:
        contents: URI -> bytes; no part of the record's JSON or of its equality, the checksums stand for them.
    """

    files: tuple[LandedFile, ...]
    contents: Mapping[str, bytes] = field(compare=False, repr=False)

    def to_json(self) -> dict[str, Any]:
        """URI -> SHA-256."""
        return {file.uri: file.sha256 for file in self.files}

    def of_feed(self, feed: str) -> dict[LandedFile, bytes]:
        """The files of a feed with what they hold."""
        return {file: self.contents[file.uri] for file in self.files if file.feed == feed}


def read_window(pipeline: Pipeline, window: Window, settings: Settings, *, outcomes: bool) -> WindowContents:
    """Read the files of a window, those of outcome feeds only when asked for.

    Raises:
        UpstreamUnavailable: The landing folder cannot be listed, or a file cannot be read.
    """
    feeds = [name for name, feed in pipeline.feeds.items() if outcomes or not feed.outcome]
    read = list(window_contents(pipeline, window, settings, feeds=feeds))
    return WindowContents(tuple(file for file, _ in read), {file.uri: content for file, content in read})
