"""The streams that pipelines declare, and the broker of each."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from airloop.config import Feed, Pipeline
from airloop.config.nearest import nearest
from airloop.config.stream import BROKER, StreamOptions
from airloop.errors import ConfigError, UpstreamUnavailable
from airloop.settings import Settings
from airloop.sources.brokers.broker import Address, Broker


@dataclass(frozen=True)
class Stream:
    """One streamed feed.

    Attributes:
        feed: Its name; `declared` is its declaration.
        address: Without the broker's URL.
    """

    pipeline: Pipeline
    feed: str

    @property
    def declared(self) -> Feed:
        """The feed."""
        return self.pipeline.feeds[self.feed]

    @property
    def options(self) -> StreamOptions:
        """What is declared of the stream."""
        options = self.declared.stream
        if options is None:
            raise ConfigError(f"feed {self.feed} of {self.pipeline.name} is not a stream")
        return options

    @property
    def name(self) -> str:
        """What it is called at the broker."""
        return self.options.stream or f"{self.pipeline.name}.{self.feed}"

    @property
    def label(self) -> str:
        """For messages."""
        return f"{self.pipeline.name} {self.feed}"

    @property
    def is_local(self) -> bool:
        """Whether it lies on the server that airloop runs."""
        return self.declared.source is not None and self.declared.source.connection is None

    @property
    def keep_hours(self) -> float | None:
        """How long landed events stay in the stream; None for ever."""
        return self.options.keep_hours or (24 if self.is_local else None)


def streams(pipeline: Pipeline) -> Iterator[Stream]:
    """The streamed feeds of a pipeline."""
    return (Stream(pipeline, name) for name, feed in pipeline.feeds.items() if feed.stream)


def stream_of(pipeline: Pipeline, feed: str) -> Stream:
    """The stream of a feed.

    Raises:
        ConfigError: The pipeline has no such feed, or it is not a stream; names the nearest that is.
    """
    by_feed = {one.feed: one for one in streams(pipeline)}
    if feed not in by_feed:
        says = ", ".join(by_feed) or "none: declare source: {kind: stream} at a feed"
        raise ConfigError(f"{pipeline.name} has no stream {feed!r}{nearest(feed, by_feed)} (its streams: {says})")
    return by_feed[feed]


def open_broker(stream: Stream, settings: Settings) -> Broker:
    """The broker, not yet connected.

    Raises:
        ConfigError: Its connection is not known, or the broker's class cannot be used.
        UpstreamUnavailable: airloop's own server does not run.
    """
    kind: Any = BROKER.load(stream.options.broker)
    broker: Broker = kind(Address(url_of(stream, settings), stream.name, stream.options.group))
    return broker


def url_of(stream: Stream, settings: Settings) -> str:
    """The broker's URL; it holds a password.

    Raises:
        ConfigError: The connection is not known here.
        UpstreamUnavailable: airloop's own server does not run.
    """
    connection = stream.declared.source.connection if stream.declared.source else None
    if connection is None:
        return local_url(settings)
    if connection not in settings.connections:
        raise ConfigError(
            f"{stream.label}: no connection {connection!r} is known here: the consumer reads AIRLOOP_CONNECTIONS="
            f'{{"{connection}": "redis://:password@host:6379/0"}}'
        )
    return settings.connections[connection]


def local_url(settings: Settings) -> str:
    """The URL of the server that `airloop up` runs.

    Raises:
        UpstreamUnavailable: It was never started here.
    """
    path = settings.home / "run" / "redis.json"
    try:
        server = json.loads(path.read_text())
        return f"redis://:{server['password']}@127.0.0.1:{server['port']}/0"
    except (OSError, ValueError, KeyError) as error:
        raise UpstreamUnavailable(
            f"{path}: no Redis server was started here: `airloop up` starts one where a pipeline declares a stream"
        ) from error
