"""What every kind of source answers."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from airloop.config import Feed
from airloop.config.node import Node
from airloop.config.options import read_options
from airloop.records import Window
from airloop.settings import Settings


class NoOptions(Node):
    """A source without options."""


class Source(ABC):
    """Fetches the rows of one feed; the stage extract judges them, writes them as files by day, and lands those.

    Attributes:
        Options: The schema of `source.options`: a subclass of airloop.config.node.Node, a docstring per key.
        name: The feed's name, for messages.
        feed: Its declaration: columns, key, event_time, source.watermark.
        options: As declared, read by `Options`.
    """

    Options: ClassVar[type[Node]] = NoOptions

    def __init__(self, name: str, feed: Feed, settings: Settings) -> None:
        """Read the options.

        Raises:
            ConfigError: One is unknown, missing or of another type.
        """
        declared = feed.source.options if feed.source else {}
        self.name, self.feed, self.settings = name, feed, settings
        self.options: Any = read_options(self.Options, declared, f"feeds.{name}.source.options")

    @abstractmethod
    def rows(self, over: Window | None) -> Iterator[Sequence[Any]]:
        """The rows, one after the other, values in the order of the feed's `columns`.

        A value is None where it is missing, a timestamp a datetime with a timezone (or text like
        2013-02-01T00:00:00Z), else str, int, float, Decimal or bool as its column is declared.

        Args:
            over: Rows with over.start <= watermark < over.end are asked for, ordered by event_time. None for a static
                table: all rows.

        Raises:
            UpstreamUnavailable: It does not answer: the stage is tried again. An OSError (a timeout, a refused
                connection) is taken for one.
            ConfigError: Its options or the declared columns do not fit what it has.
            DataContractError: What it has is wrong; nothing of the window lands.
        """
