"""The rows of a feed from its source, whatever kind that is; what a project's own gives is looked at."""

from collections.abc import Generator, Mapping, Sequence
from typing import Any

from airloop.config import Feed
from airloop.config.source import SOURCE
from airloop.errors import ConfigError, DataContractError, UpstreamUnavailable
from airloop.records import Window
from airloop.settings import Settings
from airloop.sources.kinds.source import Source


def source_of(name: str, feed: Feed, settings: Settings) -> Source:
    """The source of a feed, its options read.

    Raises:
        ConfigError: The feed has none, it cannot be imported, is not a source, or its options do not fit.
    """
    if feed.source is None:
        raise ConfigError(f"feed {name} has no `source`: its files are landed by an upstream system")
    try:
        kind = SOURCE.load(feed.source.kind)
    except ConfigError as error:
        raise ConfigError(f"feeds.{name}.source.kind: {error}") from error
    source: Source = kind(name, feed, settings)
    return source


def rows_of(name: str, feed: Feed, over: Window | None, settings: Settings) -> Generator[Sequence[Any], None, None]:
    """The rows of a feed, values in the order of `columns`; close it after use.

    Raises:
        ConfigError: See source_of, and the kind.
        DataContractError: A row has another number of values than the feed has columns; also see the kind.
        UpstreamUnavailable: The source does not answer.
    """
    source = source_of(name, feed, settings)
    place = f"feed {name}, source {feed.source.kind if feed.source else ''}"
    try:
        for row in source.rows(over):
            if isinstance(row, Mapping) or len(row) != len(feed.columns):
                raise DataContractError(
                    f"{place}: a row has to hold {len(feed.columns)} values, those of {', '.join(feed.columns)}; "
                    f"this one is {row!r:.200}"
                )
            yield row
    except OSError as error:
        raise UpstreamUnavailable(f"{place}: {type(error).__name__}: {error}") from error
