"""A stream under load, and how long its events take until the online store shows their values."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tests.support.waiting import bound

from airloop.feast_stores.online_file import OnlineFile, entity_key
from airloop.settings import Settings
from airloop.sources.brokers.broker import Broker
from airloop.sources.streams.declared import Stream, open_broker

EVENTS_A_SECOND, MACHINES = 500, 200
WATCHED = [f"watched{number}" for number in range(20)]
_AT_ONCE = 2
"""So many watched events a batch: each waits for its own value before the next one of its key is sent."""


def ages(settings: Settings, stream: Stream, *, seconds: float) -> list[float]:
    """Seconds from the producer's write of each watched event to the first read of the online store that shows it.

    Raises:
        RuntimeError: A value was never shown.
    """
    online = OnlineFile(Path(settings.online_store["path"]), stream.pipeline.name)
    keys = {name: entity_key({"machine": "STRING"}, [name]) for name in WATCHED}
    begun, sent, elapsed = time.monotonic(), 0, []
    waits: dict[str, tuple[float, float]] = {}
    with _broker(stream, settings) as broker:
        while (passed := time.monotonic() - begun) < seconds or (waits and passed < bound(2 * seconds + 30)):
            due = int(min(passed, seconds) * EVENTS_A_SECOND) - sent
            free = [name for name in WATCHED if name not in waits][: min(_AT_ONCE, max(0, due))]
            names = free + [f"m{(sent + n) % MACHINES}" for n in range(len(free), due)]
            if names:
                waits |= {name: (time.monotonic(), 1.5 * celsius(sent + n)) for n, name in enumerate(free)}
                broker.send([event(name, sent + n) for n, name in enumerate(names)])
                sent += due
            for name, (since, value) in list(waits.items()):
                if online.read("machine_heat", keys[name])[1].get("celsius") == value:
                    elapsed.append(time.monotonic() - since)
                    del waits[name]
            time.sleep(0.005)
    if waits:
        raise RuntimeError(f"{len(waits)} watched events were never online")
    return sorted(elapsed)


def quantile(ordered: list[float], share: float) -> float:
    """Of ordered values."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def event(machine: str, number: int) -> bytes:
    at = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return json.dumps({"machine": machine, "measured_at": at, "celsius": celsius(number)}).encode()


def celsius(number: int) -> float:
    """Another one for each of a hundred thousand events."""
    return float(number % 100_000) / 1000


@contextmanager
def _broker(stream: Stream, settings: Settings) -> Iterator[Broker]:
    broker = open_broker(stream, settings)
    try:
        yield broker
    finally:
        broker.close()
