"""The bell of the inbox: it runs in the triggerer and watches one landing folder."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from airloop.errors import AirloopError

logger = logging.getLogger(__name__)

QUIET_POLLS = 2

_QUIET_SECONDS = 300.0
_SLOWER_WHEN_QUIET = 4
_POLLS_PER_COST = 100
_LONGEST_PAUSE_SECONDS = 60.0
_FIRST_ASKED_AFTER = 1 / 8

_watching: set[int] = set()
"""Whose watches run in this process: together they take what one alone would."""


@dataclass
class Bell:
    """Rings once per burst, and again for a burst that nobody answered.

    That is when a listing that differs from the one it last rang for was seen QUIET_POLLS times in a row, or when the
    folder has been changing for `longest_seconds` (one that is never quiet must not be silent). A ring may be lost (the
    inbox is paused, or was a moment ago): after an eighth of `again_seconds` it is time to ask whether the last one was
    answered, then after twice as long each time, up to every `again_seconds`.

    Attributes:
        quiet_seconds: How long the listing has been the same.
        stirred: Whether the last look was the first at a change, and it has not rung for it.
    """

    longest_seconds: float
    again_seconds: float
    rung: str = ""
    seen: str = ""
    same: int = 0
    quiet_seconds: float = 0.0
    unrest: float = 0.0
    silent: float = 0.0
    asked: int = 0
    stirred: bool = False

    def hears(self, listing: str, *, after: float) -> bool:
        """Whether to ring, given the digest of the listing just seen ('' for an empty folder).

        Args:
            after: Seconds since the listing before it was seen.
        """
        unchanged = listing == self.seen
        self.same = self.same + 1 if unchanged else 1
        self.quiet_seconds = self.quiet_seconds + after if unchanged else 0.0
        stirs = self.seen == self.rung != listing
        self.seen = listing
        self.unrest = self.unrest + after if listing != self.rung else 0.0
        rings = listing != self.rung and (self.same >= QUIET_POLLS or self.unrest >= self.longest_seconds)
        self.silent += after
        self.stirred = stirs and not rings
        if rings:
            self.rung, self.unrest, self.silent, self.asked = listing, 0.0, 0.0, 0
        return rings

    def is_time_to_ask(self) -> bool:
        """Whether it is long enough since it rang for the folder as it is, or since it was last asked."""
        after = self.again_seconds * min(1.0, _FIRST_ASKED_AFTER * 2**self.asked)
        due = self.rung != "" and self.seen == self.rung and self.silent >= after
        if due:
            self.silent, self.asked = 0.0, self.asked + 1
        return due

    def pause(self, poll_seconds: float, *, took: float, watches: int = 1) -> float:
        """Seconds until the next look, so that looking takes a hundredth of a core at most, of all watches together.

        A folder that has been quiet for five minutes is looked at a quarter as often. Whether a change is over is asked
        at once, however long a look takes: a file in a large folder waits for one long pause, and not for two.

        Args:
            took: Seconds of computing the last look took.
            watches: How many share the hundredth.
        """
        if self.stirred:
            return poll_seconds
        by_quiet = poll_seconds * (_SLOWER_WHEN_QUIET if self.quiet_seconds >= _QUIET_SECONDS else 1)
        return max(by_quiet, min(took * watches * _POLLS_PER_COST, _LONGEST_PAUSE_SECONDS))


class LandingTrigger(BaseEventTrigger):
    """Yields one event per burst of files in a pipeline's landing folder, and again until the inbox answers it.

    It remembers nothing across a restart of the triggerer: it then rings for what lies there, and the inbox finds
    nothing to do.
    """

    def __init__(
        self,
        pipeline: str,
        poll_seconds: float = 3.0,
        longest_wait_seconds: float = 60.0,
        again_seconds: float = 300.0,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.pipeline = pipeline
        self.poll_seconds = poll_seconds
        self.longest_wait_seconds = longest_wait_seconds
        self.again_seconds = again_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """How the triggerer makes it again."""
        names = ("pipeline", "poll_seconds", "longest_wait_seconds", "again_seconds")
        return "airloop_airflow.bell.LandingTrigger", {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll the listing in a thread, because object stores answer slowly and the triggerer has one event loop."""
        _watching.add(id(self))
        try:
            async for event in self._rings():
                yield event
        finally:
            _watching.discard(id(self))

    async def _rings(self) -> AsyncIterator[TriggerEvent]:
        bell = Bell(self.longest_wait_seconds, self.again_seconds)
        pause, took = self.poll_seconds, 0.0
        while True:
            try:
                (files, listing), took = await asyncio.to_thread(self._timed_look)
                if bell.hears(listing, after=pause) or (
                    bell.is_time_to_ask() and not await asyncio.to_thread(self.answered, listing)
                ):
                    yield TriggerEvent({"files": files, "listing": listing})  # type: ignore[no-untyped-call]
            except AirloopError as error:
                # A folder that does not answer, or a declaration being edited, must not end the watch.
                logger.warning("inbox of %s: %s", self.pipeline, error)
            pause = bell.pause(self.poll_seconds, took=took, watches=len(_watching))
            await asyncio.sleep(pause)

    def _timed_look(self) -> tuple[tuple[int, str], float]:
        started = time.thread_time()
        return self.look(), time.thread_time() - started

    def look(self) -> tuple[int, str]:
        """Number of landed files, and a digest that changes when a file comes, goes or is replaced."""
        from airloop.config import load_declared
        from airloop.data import bell_answers
        from airloop.settings import load_settings

        settings = load_settings()
        return bell_answers.listing(load_declared(self.pipeline, settings), settings)

    def answered(self, listing: str) -> bool:
        """Whether the inbox has looked at the folder since it is as it is."""
        from airloop.data import bell_answers
        from airloop.settings import load_settings

        return bell_answers.is_answered(self.pipeline, listing, load_settings())
