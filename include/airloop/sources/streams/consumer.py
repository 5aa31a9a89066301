"""One stream, consumed: events are read, judged, put online, landed, and only then acknowledged.

Whatever is given and not acknowledged is given again after a kill, in the same order. Each step may be done twice: the
same event is remembered by its id, the online store keeps the newest value, a landed event is known by its file's name.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from airloop.errors import DataContractError
from airloop.settings import Settings
from airloop.sources.brokers.broker import Broker, DeadLetter, Event
from airloop.sources.streams import per_event
from airloop.sources.streams.declared import Stream
from airloop.sources.streams.good_rows import GoodRows
from airloop.sources.streams.landing import Landing
from airloop.sources.streams.reading import Row, marked, newest_by_key, read
from airloop.stores import stream_events
from airloop.stores.stream_events import Arrival

if TYPE_CHECKING:  # else Feast would be imported before its boot
    from feast import FeatureStore

logger = logging.getLogger(__name__)

LEASE_SECONDS = 10.0
_AT_ONCE = 1000


@dataclass
class Counts:
    """What became of the events since the start."""

    taken: int = 0
    dead: int = 0
    duplicates: int = 0
    online: int = 0
    landed: int = 0


@dataclass
class Consumer:
    """The one that consumes a stream; `step` until `close`.

    Attributes:
        held: Events that are read and not landed yet, in the order of the stream.
        holds: Whether it is the one that consumes; false while another one is.
    """

    stream: Stream
    broker: Broker
    settings: Settings
    counts: Counts = field(default_factory=Counts)
    held: list[Row] = field(default_factory=list)
    holds: bool = False
    _landing: Landing | None = None
    _good: GoodRows = field(init=False)
    _store: "FeatureStore | None" = None
    _landed_at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        """Check what is declared.

        Raises:
            ConfigError: A view of `online` reads more than one event, or expectations.yaml is wrong.
        """
        self._good = GoodRows(self.stream, self.settings)
        if per_event.online_sections(self.stream, self.settings):
            self._warm()

    def step(self, wait_seconds: float = 0.1) -> int:
        """Take what there is, and land what is due; how many events were taken. Nothing while another one consumes.

        Raises:
            UpstreamUnavailable: Broker, state database, online store or landing folder do not answer; what was taken
                and not landed stays at the broker.
        """
        self.holds = self.broker.hold(LEASE_SECONDS)
        if not self.holds:
            self._forget_held()
            return 0
        if self._landing is None:
            self._landing = Landing(self.stream, self.settings)
        events = self.broker.take(_AT_ONCE, wait_seconds)
        if events:
            self._take(events, self._landing)
        due = time.monotonic() - self._landed_at >= self.stream.options.land_minutes * 60
        if due or len(self.held) >= self.stream.options.land_rows:
            self.land()
        return len(events)

    def land(self) -> list[str]:
        """Land what is held, acknowledge it, and let periods without an event go on; the URIs of the files."""
        landing = self._landing or Landing(self.stream, self.settings)
        uris = landing.land(self.held)
        self.broker.acknowledge([row.event for row in self.held])
        self.counts.landed += len(self.held)
        self.held, self._landing, self._landed_at = [], landing, time.monotonic()
        uris += landing.quiet_periods(datetime.now(UTC))
        stream_events.forget(
            self.settings, self.stream.pipeline.name, self.stream.feed, hours=self.stream.options.remember_hours
        )
        if self.stream.keep_hours is not None:
            self.broker.forget(datetime.now(UTC) - timedelta(hours=self.stream.keep_hours))
        return uris

    def close(self) -> None:
        """Let another one consume; what is held is given to it."""
        self._forget_held()
        self.broker.close()

    def _forget_held(self) -> None:
        self.held, self._landing = [], None

    def _take(self, events: Sequence[Event], landing: Landing) -> None:
        rows = self._read(events)
        fresh = self._admitted(rows) if rows else []
        done = {row.event.id for row in fresh if landing.has(row)}
        new_rows = [row for row in fresh if row.event.id not in done]
        self._put_online(new_rows)
        self.held += new_rows
        waiting = {row.event.id for row in new_rows}
        self.broker.acknowledge([event for event in events if event.id not in waiting])
        self.counts.taken += len(events)

    def _read(self, events: Sequence[Event]) -> list[Row]:
        rows, letters = [], []
        for event in events:
            try:
                rows.append(read(event, self.stream))
            except DataContractError as error:
                letters.append(DeadLetter(event, str(error)))
        if letters:
            self.broker.set_aside(letters)
            self.counts.dead += len(letters)
            logger.warning("%s: %d dead letters: %s", self.stream.label, len(letters), letters[0].reason)
        return rows

    def _admitted(self, rows: Sequence[Row]) -> list[Row]:
        """The rows that were not sent before, those that came after something newer marked as late."""
        arrivals = [
            Arrival(row.content, row.event.id, row.event.arrived_at, row.entity, row.happened_at) for row in rows
        ]
        verdicts = stream_events.admit(self.settings, self.stream.pipeline.name, self.stream.feed, arrivals)
        judged = [(row, verdicts[row.content]) for row in rows]
        fresh = [
            marked(row, self.stream, late=verdict.late) for row, verdict in judged if verdict.first_id == row.event.id
        ]
        self.counts.duplicates += len(rows) - len(fresh)
        return fresh

    def _warm(self) -> None:
        """Do before the first event what takes seconds: import, and open Feast's store."""
        from airloop.data import judgement  # noqa: F401 imported for later
        from airloop.features import feature_store

        with feature_store.answering(self.settings):
            self._store = feature_store.open_store(self.stream.pipeline, self.settings)

    def _put_online(self, rows: Sequence[Row]) -> None:
        if not rows or self._store is None:
            return
        good = self._good.of(newest_by_key(rows, self.stream))
        if not good.num_rows:
            return
        from airloop.feast_stores.online_push import push
        from airloop.features import feature_store

        with feature_store.answering(self.settings):
            for view, values in per_event.compute(self.stream, good, self.settings).items():
                if values.num_rows:
                    push(self._store, view, values)
        self.counts.online += good.num_rows
