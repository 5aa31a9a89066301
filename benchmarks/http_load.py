"""A closed loop of HTTP requests over open connections: each is sent when the one before it is answered."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

_HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True)
class Load:
    """What a service did under load.

    Attributes:
        milliseconds: Between two answers, all connections together: 1000 / requests per second.
        p50, p99, slowest: Of single requests, in milliseconds.
        failed: Answers of another status than 200.
    """

    milliseconds: float
    p50: float
    p99: float
    failed: int
    slowest: float


def load(url: str, path: str, bodies: Sequence[bytes], *, connections: int, seconds: float) -> Load:
    """Ask for `seconds`, the bodies in turn."""
    return asyncio.run(_load(url, path, bodies, connections=connections, seconds=seconds))


async def _load(url: str, path: str, bodies: Sequence[bytes], *, connections: int, seconds: float) -> Load:
    place = urlsplit(url)
    head = f"POST {path} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: application/json\r\nContent-Length: "
    requests = [f"{head}{len(body)}\r\n\r\n".encode() + body for body in bodies]
    seconds_each: list[float] = []
    failed = 0
    end = time.perf_counter() + seconds

    async def connection(first: int) -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        at = first
        while (began := time.perf_counter()) < end:
            writer.write(requests[at % len(requests)])
            answer = (await reader.readuntil(_HEAD_END)).lower()
            await reader.readexactly(int(answer.split(b"content-length:")[1].split(b"\r\n")[0]))
            seconds_each.append(time.perf_counter() - began)
            failed += b" 200 " not in answer[:20]
            at += 1
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(connection(number) for number in range(connections)))
    passed = time.perf_counter() - began
    ordered = sorted(seconds_each)
    p50, p99 = (ordered[int(len(ordered) * share)] * 1000 for share in (0.5, 0.99))
    return Load(passed / len(ordered) * 1000, p50, p99, failed, ordered[-1] * 1000)
