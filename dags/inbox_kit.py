"""The bell of the inbox: it runs in the triggerer (dags/ is on its PYTHONPATH) and watches one landing folder."""

import asyncio
import hashlib
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
    """Rings once per burst.

    That is when a listing that differs from the one it last rang for was seen QUIET_POLLS times in a row, or when the
    folder has been changing for `longest_polls` polls (one that is never quiet must not be silent).
    """

    longest_polls: int
    rung: str = ""
    seen: str = ""
    same: int = 0
    unrest: int = 0

    def hears(self, listing: str) -> bool:
        """Whether to ring, given the digest of the listing just seen ('' for an empty folder)."""
        self.same = self.same + 1 if listing == self.seen else 1
        self.seen = listing
        self.unrest = self.unrest + 1 if listing != self.rung else 0
        rings = listing != self.rung and (self.same >= QUIET_POLLS or self.unrest >= self.longest_polls)
        if rings:
            self.rung, self.unrest = listing, 0
        return rings


class LandingTrigger(BaseEventTrigger):
    """Yields one event per burst of files in a pipeline's landing folder.

    It remembers nothing across a restart of the triggerer: it then rings for what lies there, and the inbox finds
    nothing to do.
    """

    def __init__(self, pipeline: str, poll_seconds: float = 3.0, longest_wait_seconds: float = 60.0) -> None:
        super().__init__()
        self.pipeline = pipeline
        self.poll_seconds = poll_seconds
        self.longest_wait_seconds = longest_wait_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """How the triggerer makes it again."""
        arguments = {"poll_seconds": self.poll_seconds, "longest_wait_seconds": self.longest_wait_seconds}
        return "inbox_kit.LandingTrigger", {"pipeline": self.pipeline, **arguments}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll the listing in a thread, because object stores answer slowly and the triggerer has one event loop."""
        bell = Bell(longest_polls=max(QUIET_POLLS, round(self.longest_wait_seconds / self.poll_seconds)))
        while True:
            try:
                files, listing = await asyncio.to_thread(self.look)
                if bell.hears(listing):
                    yield TriggerEvent({"files": files, "listing": listing})
            except AirloopError as error:
                # A folder that does not answer, or a declaration being edited, must not end the watch.
                logger.warning("inbox of %s: %s", self.pipeline, error)
            await asyncio.sleep(self.poll_seconds)

    def look(self) -> tuple[int, str]:
        """Number of landed files, and a digest that changes when a file comes, goes or is replaced."""
        from airloop.config import load_pipeline
        from airloop.landing import landed_files
        from airloop.settings import load_settings

        settings = load_settings()
        files = landed_files.list_files(load_pipeline(self.pipeline, settings), settings)
        text = "\n".join(f"{file.uri} {file.stamp}" for file in files)
        return len(files), hashlib.sha256(text.encode()).hexdigest() if files else ""
