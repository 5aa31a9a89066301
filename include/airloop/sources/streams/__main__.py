"""`python -m airloop.sources.streams`: the consumers as a supervisor starts them; by hand: `airloop streams run`."""

import logging
import signal
import sys
from types import FrameType

from airloop.settings import apply_quiet_environment, load_settings
from airloop.sources.streams.service import Service


def main(pipeline: str | None = None) -> int:
    """Consume until SIGINT or SIGTERM; returns the exit code."""
    apply_quiet_environment()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    received: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        received.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, note)
    Service(load_settings(), pipeline).run(lambda: bool(received))
    return 0


if __name__ == "__main__":
    sys.exit(main())
