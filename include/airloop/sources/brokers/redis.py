"""Redis Streams, with consumer groups."""

import os
import re
import socket
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from airloop.errors import ConfigError, UpstreamUnavailable
from airloop.sources.brokers.broker import Address, Broker, DeadLetter, Depth, Event

FIELD = "event"
"""The field of an entry that holds the event."""

_ID = re.compile(r"\d{1,19}(-\d{1,19})?", re.ASCII)
_TIMEOUT_SECONDS = 10
_CLAIMED_AT_ONCE = 1000
# Only the holder renews and releases, in one step each: between a look and a write another one may have taken it.
_MINE = "if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end "
_RENEW, _RELEASE = _MINE + "return redis.call('pexpire', KEYS[1], ARGV[2])", _MINE + "return redis.call('del', KEYS[1])"


class Redis(Broker):
    """A stream of Redis 6.2 or newer; each entry has one field, `event`, with a JSON object."""

    def __init__(self, address: Address) -> None:
        """Make a client; the server is not asked yet.

        Raises:
            ConfigError: The client is not installed, or the URL is none of Redis.
        """
        super().__init__(address)
        try:
            import redis
        except ImportError as error:
            raise ConfigError("a stream needs Redis' client: pip install 'airloop[streams]'") from error
        try:
            self._client: Any = redis.Redis.from_url(
                address.url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS
            )
        except ValueError:
            raise ConfigError(
                f"stream {address.stream}: its connection is not a Redis URL, like redis://:password@host:6379/0"
            ) from None
        self._errors = redis.RedisError
        self._me = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._holds, self._after = False, "0-0"

    @property
    def _dead(self) -> str:
        return f"{self.address.stream}.dead"

    @property
    def _lease(self) -> str:
        return f"{self.address.stream}.{self.address.group}.consumer"

    def hold(self, seconds: float) -> bool:
        """See Broker. A key that expires names the one that consumes."""
        milliseconds = int(seconds * 1000)
        with self._answering():
            if self._holds:
                # Once lost it is taken again by the next call: what was given before is given again then.
                self._holds = bool(self._client.eval(_RENEW, 1, self._lease, self._me, milliseconds))
                return self._holds
            self._holds = bool(self._client.set(self._lease, self._me, nx=True, px=milliseconds))
            if self._holds:
                self._make_group()
                self._claim()
            return self._holds

    def take(self, most: int, wait_seconds: float) -> Sequence[Event]:
        """See Broker."""
        with self._answering():
            if self._after != ">":
                # What was given before comes first, in order, and only once.
                events = self._read(self._after, most, None)
                self._after = events[-1].id if events else ">"
                if events:
                    return events
            return self._read(">", most, max(1, int(wait_seconds * 1000)))

    def acknowledge(self, events: Sequence[Event]) -> None:
        """See Broker."""
        with self._answering():
            if events:
                self._client.xack(self.address.stream, self.address.group, *(event.id for event in events))

    def set_aside(self, letters: Sequence[DeadLetter]) -> None:
        """See Broker. A dead letter has the id of its event, so the second one is refused by Redis."""
        with self._answering():
            for letter in letters:
                fields = {FIELD: letter.event.payload or b"", "reason": letter.reason}
                if not self._client.xrange(self._dead, letter.event.id, letter.event.id):
                    newest = self._client.xrevrange(self._dead, count=1)
                    later = not newest or _position(newest[0][0]) < letter.event.position
                    self._client.xadd(self._dead, fields, id=letter.event.id if later else "*")

    def dead_letters(self, most: int) -> Sequence[DeadLetter]:
        """See Broker."""
        with self._answering():
            newest = self._client.xrevrange(self._dead, count=most)
        return [DeadLetter(_event(key, fields), _text(fields.get(b"reason", b""))) for key, fields in reversed(newest)]

    def drop_dead_letters(self, until: str | None) -> int:
        """See Broker.

        Raises:
            ConfigError: `until` is not an id of Redis.
        """
        if until is not None and not _ID.fullmatch(until):
            raise ConfigError(f"{until!r} is not the id of a dead letter, like 1577836800000-0")
        with self._answering():
            ids = [key for key, _ in self._client.xrange(self._dead, max=until or "+")]
            return int(self._client.xdel(self._dead, *ids)) if ids else 0

    def forget(self, before: datetime) -> None:
        """See Broker."""
        with self._answering():
            pending = self._client.xpending(self.address.stream, self.address.group)
            oldest = (int(before.timestamp() * 1000), 0)
            if pending["pending"]:
                oldest = min(oldest, _position(pending["min"]))
            # What nobody was given yet lies behind the group's newest, however old it is.
            (group,) = [one for one in self._groups() if _text(one["name"]) == self.address.group]
            oldest = min(oldest, _position(group["last-delivered-id"]))
            self._client.xtrim(self.address.stream, minid="{}-{}".format(*oldest), approximate=True)

    def send(self, payloads: Sequence[bytes]) -> None:
        """See Broker."""
        with self._answering(), self._client.pipeline(transaction=False) as pipe:
            for payload in payloads:
                pipe.xadd(self.address.stream, {FIELD: payload})
            pipe.execute()

    def depth(self) -> Depth:
        """See Broker."""
        with self._answering():
            dead = int(self._client.xlen(self._dead))
            groups = [one for one in self._groups() if _text(one["name"]) == self.address.group]
            if not groups:
                return Depth(int(self._client.xlen(self.address.stream)), 0, dead)
            after = f"({_text(groups[0]['last-delivered-id'])}"
            waiting = len(self._client.xrange(self.address.stream, after, "+", count=_CLAIMED_AT_ONCE))
            return Depth(waiting if waiting < _CLAIMED_AT_ONCE else None, int(groups[0]["pending"]), dead)

    def close(self) -> None:
        """See Broker; a server that is gone is let go of too."""
        with suppress(UpstreamUnavailable), self._answering():
            if self._holds:
                self._client.eval(_RELEASE, 1, self._lease, self._me)
        self._client.close()

    def _groups(self) -> list[Any]:
        return list(self._client.xinfo_groups(self.address.stream)) if self._client.exists(self.address.stream) else []

    def _make_group(self) -> None:
        if not any(_text(one["name"]) == self.address.group for one in self._groups()):
            with suppress(self._errors):  # another one was faster
                self._client.xgroup_create(self.address.stream, self.address.group, id="0", mkstream=True)

    def _claim(self) -> None:
        """Take over what others were given and did not finish: nobody but the holder consumes."""
        place, start = (self.address.stream, self.address.group), "0-0"
        while True:
            answer = self._client.xautoclaim(
                *place, self._me, min_idle_time=0, start_id=start, count=_CLAIMED_AT_ONCE, justid=False
            )
            start = _text(answer[0])
            if start == "0-0":
                break
        for consumer in self._client.xinfo_consumers(*place):
            if not consumer["pending"] and _text(consumer["name"]) != self._me:
                self._client.xgroup_delconsumer(*place, consumer["name"])
        self._after = "0-0"

    def _read(self, after: str, most: int, wait_milliseconds: int | None) -> list[Event]:
        answer = self._client.xreadgroup(
            self.address.group, self._me, {self.address.stream: after}, count=most, block=wait_milliseconds
        )
        entries = answer[0][1] if answer else []
        return [_event(key, fields) for key, fields in entries]

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except self._errors as error:
            says = " ".join(str(error).strip().splitlines()[:1])
            raise UpstreamUnavailable(f"stream {self.address.stream}: Redis does not answer: {says}") from None


def _event(key: bytes, fields: dict[bytes, bytes] | None) -> Event:
    milliseconds, number = _position(key)
    # Two events of one millisecond are told apart by their number: features are known one after the other.
    arrived = datetime.fromtimestamp(milliseconds // 1000, UTC) + timedelta(
        milliseconds=milliseconds % 1000, microseconds=min(number, 999)
    )
    return Event(_text(key), (milliseconds, number), (fields or {}).get(FIELD.encode()), arrived)


def _position(key: bytes | str) -> tuple[int, int]:
    milliseconds, _, number = _text(key).partition("-")
    return int(milliseconds), int(number or 0)


def _text(value: bytes | str) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value
