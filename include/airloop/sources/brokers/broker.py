"""What every broker answers: events in order, each until it is acknowledged, and a place for what cannot be read."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Address:
    """A stream, and who consumes it.

    Attributes:
        url: Of the broker; holds a password, and is shown nowhere.
        group: What remembers how far the stream was consumed.
    """

    url: str
    stream: str
    group: str


@dataclass(frozen=True)
class Event:
    """One event as the broker holds it.

    Attributes:
        id: The broker's own name for it.
        position: Two whole numbers that grow in the order of the stream, and stay when it is delivered again.
        payload: What the producer wrote; None where it wrote something else than an event.
        arrived_at: When the broker took it, in UTC to the microsecond; stays when it is delivered again, and no two
            events of a stream share it.
    """

    id: str
    position: tuple[int, int]
    payload: bytes | None
    arrived_at: datetime


@dataclass(frozen=True)
class DeadLetter:
    """An event that cannot be read, and why."""

    event: Event
    reason: str


@dataclass(frozen=True)
class Depth:
    """How much a stream holds.

    Attributes:
        waiting: Events that nobody was given yet; None where the broker does not know.
        pending: Those that were given and not acknowledged: they are not landed yet.
        dead: Dead letters.
    """

    waiting: int | None
    pending: int
    dead: int


class Broker(ABC):
    """One stream at one broker. Errors of the connection are OSErrors, or UpstreamUnavailable in words.

    Attributes:
        address: As declared.
    """

    def __init__(self, address: Address) -> None:
        """Nothing is connected yet."""
        self.address = address

    @abstractmethod
    def hold(self, seconds: float) -> bool:
        """Be the one that consumes the stream, for so long from now; False while another one is.

        Once it was lost, False is answered at least once, also where nobody else has taken it. After it is taken, all
        that was given to anyone and not acknowledged is given again by `take`.
        """

    @abstractmethod
    def take(self, most: int, wait_seconds: float) -> Sequence[Event]:
        """The next events in the order of the stream; waits for the first of them, and is empty when none came.

        An object that is new gets those first that were given to anyone before and not acknowledged.
        """

    @abstractmethod
    def acknowledge(self, events: Sequence[Event]) -> None:
        """These are done: they are not given again."""

    @abstractmethod
    def set_aside(self, letters: Sequence[DeadLetter]) -> None:
        """Keep what cannot be read, with the reason; the same event again is kept once."""

    @abstractmethod
    def dead_letters(self, most: int) -> Sequence[DeadLetter]:
        """The newest ones, oldest first."""

    @abstractmethod
    def drop_dead_letters(self, until: str | None) -> int:
        """Remove the dead letters up to an event's id, or all; how many those were."""

    @abstractmethod
    def forget(self, before: datetime) -> None:
        """Remove events that arrived before, unless they are not acknowledged."""

    @abstractmethod
    def send(self, payloads: Sequence[bytes]) -> None:
        """Write events, as a producer does."""

    @abstractmethod
    def depth(self) -> Depth:
        """How much the stream holds."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the stream and of the connection."""
