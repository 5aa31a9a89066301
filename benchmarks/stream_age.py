"""From an event to the value that is served: a real Redis server, 500 events a second, the online file read meanwhile.

Ours is the 95th percentile of the seconds between the producer's write and the first read of the online store that
shows the event's value; the peer is the second that was asked for.
"""

import json
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from tests.support import redis_server, toy_stream
from tests.support.waiting import until

from airloop.errors import UpstreamUnavailable
from airloop.feast_stores.online_file import OnlineFile, entity_key
from airloop.settings import Settings
from airloop.sources.streams.declared import open_broker
from airloop.sources.streams.service import consume
from benchmarks.row import Row
from benchmarks.session import Session

NAME = "p95 from an event to its value online, 500 events a second / 1 s"
BOUND = 1.0
UNIT = "s"

_EVENTS_A_SECOND, _SECONDS, _MACHINES = 500, 30, 200
_WATCHED = [f"watched{number}" for number in range(20)]
_REPOSITORY = Path(__file__).resolve().parents[1]


def measure(session: Session) -> Row:
    """The age of the watched keys' values; all other events are load."""
    with ExitStack() as stack:
        server = stack.enter_context(redis_server.running(session.folder("redis")))
        settings = toy_stream.write_project(session.folder("stream"), _REPOSITORY, server.url)
        stop = threading.Event()
        consumer = threading.Thread(target=consume, args=(toy_stream.stream(settings), settings, stop.is_set))
        consumer.start()
        stack.callback(consumer.join)
        stack.callback(stop.set)
        until(lambda: _is_there(settings), seconds=120)
        _ages(settings, seconds=3)
        ages = sorted(_ages(settings, seconds=_SECONDS))
    p50, p95, worst = (ages[min(len(ages) - 1, int(share * len(ages)))] for share in (0.5, 0.95, 1.0))
    note = (
        f"{_EVENTS_A_SECOND} events a second for {_SECONDS} s over {_MACHINES} keys, consumed in the producer's "
        f"process; {len(ages)} of them watched in Feast's online file; p50 {p50:.2f} s, longest {worst:.2f} s"
    )
    return Row(NAME, p95, 1.0, bound=BOUND, unit=UNIT, note=note)


def _is_there(settings: Settings) -> bool:
    """Whether the consumer has imported what it needs, and made the online store."""
    online = OnlineFile(Path(settings.online_store["path"]), "toy")
    try:
        online.read("machine_heat", entity_key({"machine": "STRING"}, [_WATCHED[0]]))
    except UpstreamUnavailable:
        return False
    return True


def _ages(settings: Settings, *, seconds: float) -> list[float]:
    """Seconds until each watched event was read back."""
    broker = open_broker(toy_stream.stream(settings), settings)
    online = OnlineFile(Path(settings.online_store["path"]), "toy")
    keys = {name: entity_key({"machine": "STRING"}, [name]) for name in _WATCHED}
    begun, sent, ages = time.monotonic(), 0, []
    waits: dict[str, tuple[float, float]] = {}
    while time.monotonic() - begun < seconds or (waits and time.monotonic() - begun < 2 * seconds + 30):
        due = int(min(time.monotonic() - begun, seconds) * _EVENTS_A_SECOND) - sent
        free = [name for name in _WATCHED if name not in waits] if due > 0 else []
        names = free[: min(2, due)]
        names += [f"m{(sent + n) % _MACHINES}" for n in range(len(names), due)]
        batch = [_event(name, sent + n) for n, name in enumerate(names)]
        for at, name in enumerate(free[: min(2, due)]):
            waits[name] = (time.monotonic(), float((sent + at) % 100_000) / 1000 * 1.5)
        if batch:
            broker.send(batch)
            sent += due
        for name, (since, value) in list(waits.items()):
            if online.read("machine_heat", keys[name])[1].get("celsius") == value:
                ages.append(time.monotonic() - since)
                del waits[name]
        time.sleep(0.005)
    broker.close()
    if waits:
        raise RuntimeError(f"{len(waits)} watched events were never served")
    return ages


def _event(machine: str, number: int) -> bytes:
    at = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return json.dumps({"machine": machine, "measured_at": at, "celsius": float(number % 100_000) / 1000}).encode()
