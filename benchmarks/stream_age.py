"""From an event to the value that is served: a real Redis server, 500 events a second, the online file read meanwhile.

Ours is the 95th percentile of the seconds between the producer's write and the first read of the online store that
shows the event's value; the peer is the second that was asked for.
"""

import threading
from contextlib import ExitStack
from pathlib import Path

from tests.support import redis_server, stream_ages, toy_stream
from tests.support.waiting import until

from airloop.errors import UpstreamUnavailable
from airloop.feast_stores.online_file import OnlineFile, entity_key
from airloop.settings import Settings
from airloop.sources.streams.service import consume
from benchmarks.row import Row
from benchmarks.session import Session

NAME = "p95 from an event to its value online, 500 events a second / 1 s"
BOUND = 1.0
UNIT = "s"

_SECONDS = 30
_REPOSITORY = Path(__file__).resolve().parents[1]


def measure(session: Session) -> Row:
    """The age of the watched keys' values; all other events are load."""
    with ExitStack() as stack:
        server = stack.enter_context(redis_server.running(session.folder("redis")))
        settings = toy_stream.write_project(session.folder("stream"), _REPOSITORY, server.url)
        stop = threading.Event()
        stream = toy_stream.stream(settings)
        consumer = threading.Thread(target=consume, args=(stream, settings, stop.is_set))
        consumer.start()
        stack.callback(consumer.join)
        stack.callback(stop.set)
        until(lambda: _is_there(settings), seconds=120)
        stream_ages.ages(settings, stream, seconds=3)
        ages = stream_ages.ages(settings, stream, seconds=_SECONDS)
    p50, p95, worst = (stream_ages.quantile(ages, share) for share in (0.5, 0.95, 1.0))
    note = (
        f"{stream_ages.EVENTS_A_SECOND} events a second for {_SECONDS} s over {stream_ages.MACHINES} keys, consumed in "
        f"the producer's process; {len(ages)} of them watched in Feast's online file; p50 {p50:.2f} s, longest "
        f"{worst:.2f} s"
    )
    return Row(NAME, p95, 1.0, bound=BOUND, unit=UNIT, note=note)


def _is_there(settings: Settings) -> bool:
    """Whether the consumer has imported what it needs, and made the online store."""
    online = OnlineFile(Path(settings.online_store["path"]), "toy")
    try:
        online.read("machine_heat", entity_key({"machine": "STRING"}, [stream_ages.WATCHED[0]]))
    except UpstreamUnavailable:
        return False
    return True
