"""Lets the API server write its access log without standing still.

Airflow 3.3.2 commits the log entry of a POST on the event loop (`log_action` is a coroutine, its session is not). On
SQLite that commit waits for the write lock, whose holder needs the same loop to commit: nothing moves for the busy
timeout, then requests fail and the other services meet a locked database. Here the commit has a thread, and few of
these requests are at work at a time, so that they cannot take all threads and connections from the one that holds the
lock either.
"""

import asyncio
import functools
import importlib.util
import sys
from collections.abc import Awaitable, Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

# FastAPI has 40 threads and SQLAlchemy 15 connections; the database takes one writer at a time.
AT_WORK = 8
_MODULE = "airflow.api_fastapi.logging.decorators"

LogAction = Callable[..., Awaitable[None]]


def install() -> None:
    """Mend the module once it is imported; importing it here, while Airflow initialises itself, would be too early."""
    sys.meta_path.insert(0, _MendingFinder())


def mend(module: ModuleType) -> None:
    """Let the log actions that the module makes from now on commit in a thread."""
    make: Callable[[str | None], LogAction] = vars(module)["action_logging"]
    turns = asyncio.Semaphore(AT_WORK)

    @functools.wraps(make)
    def action_logging(event: str | None = None) -> LogAction:
        return in_turn(make(event), turns)

    vars(module)["action_logging"] = action_logging


def in_turn(log_action: LogAction, turns: asyncio.Semaphore) -> LogAction:
    """The dependency `log_action`, which waits for its turn, and keeps it until the endpoint has answered.

    The turn ends before the request's session commits what the endpoint wrote, so it never waits for its successor.
    """
    from starlette.concurrency import run_in_threadpool

    @functools.wraps(log_action)
    async def log_in_turn(request: Any, session: Any, user: Any) -> None:
        await turns.acquire()
        request.scope["fastapi_function_astack"].callback(turns.release)
        entry = _Entry(session)
        await log_action(request=request, session=entry, user=user)
        if entry.complete:
            await run_in_threadpool(session.commit)

    return log_in_turn


class _Entry:
    """What `log_action` sees of a session: it takes the entry, and notes that it is complete."""

    def __init__(self, session: Any) -> None:
        self.add = session.add
        self.complete = False

    def commit(self) -> None:
        self.complete = True


class _MendingFinder:
    """Stands before the other finders until the module is imported."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != _MODULE:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_and_mend(module: ModuleType) -> None:
                execute(module)
                mend(module)

            spec.loader.exec_module = execute_and_mend  # type: ignore[method-assign]
        return spec
