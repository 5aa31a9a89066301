"""Which run a stage works for: told by whoever starts it, written beside rows it refuses, and no part of any input."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

BY_HAND = "by hand"

_run: ContextVar[str] = ContextVar("airloop_run", default=BY_HAND)


@contextmanager
def working_for(run: str) -> Iterator[None]:
    """Everything inside works for this run (Airflow's run id)."""
    token = _run.set(run)
    try:
        yield
    finally:
        _run.reset(token)


def current_run() -> str:
    """The run this code works for; `by hand` outside of any."""
    return _run.get()
