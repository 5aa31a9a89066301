"""Which run a stage works for, and which stage is at work: told by whoever starts it, and no part of any input."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

BY_HAND = "by hand"

_run: ContextVar[str] = ContextVar("airloop_run", default=BY_HAND)
_starter: ContextVar[str] = ContextVar("airloop_starter", default="")
_stage: ContextVar[str | None] = ContextVar("airloop_stage", default=None)


@contextmanager
def working_for(run: str, *, starter: str = "") -> Iterator[None]:
    """Everything inside works for this run (Airflow's run id), which a person started (empty: another run did)."""
    token, started = _run.set(run), _starter.set(starter)
    try:
        yield
    finally:
        _run.reset(token)
        _starter.reset(started)


def current_run() -> str:
    """The run this code works for; `by hand` outside of any."""
    return _run.get()


def current_starter() -> str:
    """Who started the run this code works for; empty where nobody knows, or another run did."""
    return _starter.get()


@contextmanager
def working_as(stage: str | None) -> Iterator[None]:
    """Everything inside is the work of this stage."""
    token = _stage.set(stage)
    try:
        yield
    finally:
        _stage.reset(token)


def current_stage() -> str | None:
    """The stage at work; None outside of any."""
    return _stage.get()
