"""The bell of the inbox: it runs in the triggerer and watches one landing folder."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from airloop.errors import AirloopError

logger = logging.getLogger(__name__)

QUIET_POLLS = 2


@dataclass
class Bell:
    """Rings once per burst, and again for a burst that nobody answered.

    That is when a listing that differs from the one it last rang for was seen QUIET_POLLS times in a row, or when the
    folder has been changing for `longest_polls` polls (one that is never quiet must not be silent). A ring may be lost
    (the inbox is paused): every `again_polls` polls it is time to ask whether the last one was answered.
    """

    longest_polls: int
    again_polls: int
    rung: str = ""
    seen: str = ""
    same: int = 0
    unrest: int = 0
    silent: int = 0

    def hears(self, listing: str) -> bool:
        """Whether to ring, given the digest of the listing just seen ('' for an empty folder)."""
        self.same = self.same + 1 if listing == self.seen else 1
        self.seen = listing
        self.unrest = self.unrest + 1 if listing != self.rung else 0
        rings = listing != self.rung and (self.same >= QUIET_POLLS or self.unrest >= self.longest_polls)
        self.silent += 1
        if rings:
            self.rung, self.unrest, self.silent = listing, 0, 0
        return rings

    def is_time_to_ask(self) -> bool:
        """Whether `again_polls` polls have passed since it rang for the folder as it is, or since it was last asked."""
        due = self.rung != "" and self.seen == self.rung and self.silent >= self.again_polls
        if due:
            self.silent = 0
        return due


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
        longest, again = (round(span / self.poll_seconds) for span in (self.longest_wait_seconds, self.again_seconds))
        bell = Bell(longest_polls=max(QUIET_POLLS, longest), again_polls=max(QUIET_POLLS, again))
        while True:
            try:
                files, listing = await asyncio.to_thread(self.look)
                if bell.hears(listing) or (
                    bell.is_time_to_ask() and not await asyncio.to_thread(self.answered, listing)
                ):
                    yield TriggerEvent({"files": files, "listing": listing})  # type: ignore[no-untyped-call]
            except AirloopError as error:
                # A folder that does not answer, or a declaration being edited, must not end the watch.
                logger.warning("inbox of %s: %s", self.pipeline, error)
            await asyncio.sleep(self.poll_seconds)

    def look(self) -> tuple[int, str]:
        """Number of landed files, and a digest that changes when a file comes, goes or is replaced."""
        from airloop.config import load_pipeline
        from airloop.data import bell_answers
        from airloop.settings import load_settings

        settings = load_settings()
        return bell_answers.listing(load_pipeline(self.pipeline, settings), settings)

    def answered(self, listing: str) -> bool:
        """Whether the inbox has looked at the folder since it is as it is."""
        from airloop.data import bell_answers
        from airloop.settings import load_settings

        return bell_answers.is_answered(self.pipeline, listing, load_settings())
