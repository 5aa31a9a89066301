"""Waiting for a condition, with a bound that only a fault reaches."""

import time
from collections.abc import Callable

_BUSY = 5
"""How much longer anything may take where other tests, and other people's work, hold the processor."""


def bound(seconds: float) -> float:
    """The timeout of what is waited for otherwise; `seconds` are those of a quiet machine."""
    return _BUSY * seconds


def until(condition: Callable[[], object], *, seconds: float, every: float = 0.3) -> bool:
    """Whether the condition came to hold; `seconds` are those of a quiet machine."""
    end = time.monotonic() + bound(seconds)
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(every)
    return True
