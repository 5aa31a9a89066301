"""A thread that does the same thing again and again, beside the requests."""

import logging
import threading
from collections.abc import Callable

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5


class Follower:
    """The thread that looks."""

    def __init__(self, look: Callable[[], None], seconds: float = POLL_SECONDS) -> None:
        """`look` is called at once and then every so many seconds; what it raises is logged."""
        self._look, self._seconds, self._stop = look, seconds, threading.Event()
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    def start(self) -> None:
        """Begin, with a first look at once."""
        self._thread.start()

    def stop(self) -> None:
        """End after the look under way, or leave it to die with the process."""
        self._stop.set()
        self._thread.join(timeout=1)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._look()
            except Exception:
                logger.exception("a look failed; the next one follows")
            self._stop.wait(self._seconds)
