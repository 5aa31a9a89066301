"""The order in which the services stop, so that running tasks are reported and nothing stays behind.

Airflow's task runner survives SIGTERM (and a child it interrupts may make the task a success), so tasks are killed and
the executor, still alive, reports them as failed to the API server, which therefore stops last.
"""

import contextlib
import os
import signal
from collections.abc import Iterable, Mapping

import psutil

from airloop_platform.supervisor.processes import ProcessMark, send, session, wait_until

_DRAIN_SECONDS = 5.0
_REPORT_SECONDS = 4.0
_EXIT_SECONDS = 3.0
_API_SECONDS = 4.0
_KILL_SECONDS = 2.0


def stop_services(services: Mapping[str, ProcessMark]) -> list[str]:
    """Stop the sessions of the services, within 20 seconds; returns the names of those that had a process left.

    SIGTERM to the leaders; after a drain the running tasks are killed; after a grace the session is. A second call
    finds nothing and does nothing.
    """
    left = [name for name, leader in services.items() if session(leader)]
    running = {name: services[name] for name in left}
    last = running.pop("api-server", None)
    for leader in running.values():
        _terminate(leader)
    scheduler = running.get("scheduler")
    if scheduler is not None and scheduler.lives() and not _gone([scheduler], _DRAIN_SECONDS):
        send(_tasks(scheduler), signal.SIGKILL)
        _gone([scheduler], _REPORT_SECONDS)
    _end(running.values(), _EXIT_SECONDS)
    if last is not None:
        _terminate(last)
        _end([last], _API_SECONDS)
    return left


def kill_session(leader: ProcessMark) -> None:
    """End what is left of a session at once: for one whose leader died, so that nobody would report its tasks."""
    send(session(leader), signal.SIGKILL)
    _gone([leader], _KILL_SECONDS)


def _terminate(leader: ProcessMark) -> None:
    send([process for process in session(leader) if process.pid == leader.pid], signal.SIGTERM)


def _end(leaders: Iterable[ProcessMark], grace_seconds: float) -> None:
    """Wait for what has a living leader to end it, then kill."""
    remaining = list(leaders)
    _gone([leader for leader in remaining if leader.lives()], grace_seconds)
    for leader in remaining:
        send(session(leader), signal.SIGKILL)
    _gone(remaining, _KILL_SECONDS)


def _gone(leaders: list[ProcessMark], seconds: float) -> bool:
    return wait_until(lambda: not any(session(leader) for leader in leaders), seconds)


def _tasks(scheduler: ProcessMark) -> list[psutil.Process]:
    tasks = []
    for process in session(scheduler):
        with contextlib.suppress(ProcessLookupError):
            if os.getpgid(process.pid) != scheduler.pid:
                tasks.append(process)
    return tasks
