"""Streams: nothing is fetched from them, events are consumed as they come."""

from collections.abc import Iterator, Sequence
from typing import Any

from airloop.config.stream import StreamOptions
from airloop.errors import ConfigError
from airloop.records import Window
from airloop.sources.kinds.source import Source


class Stream(Source):
    """Events one by one (Redis Streams), consumed by `airloop streams run`; part of `airloop up`."""

    Options = StreamOptions

    def rows(self, over: Window | None) -> Iterator[Sequence[Any]]:
        """Refuse.

        Raises:
            ConfigError: Always: no window asks a stream.
        """
        raise ConfigError(f"feed {self.name} is a stream: its events land by `airloop streams run`, not by extract")
