"""Who supervises this home now, and what one that was killed left behind."""

import os
from collections.abc import Callable
from typing import Any

from airloop.errors import AirloopError
from airloop_platform.supervisor.processes import ProcessMark, mark
from airloop_platform.supervisor.records import Platform
from airloop_platform.supervisor.run_folder import RunFolder, read_private
from airloop_platform.supervisor.shutdown import stop_services

SUPERVISOR, STOPPER = "run", "down"


def holder(role: str) -> dict[str, Any]:
    """This process as the holder of the lock."""
    this = mark(os.getpid())
    return {"role": role, **(this.to_dict() if this else {})}


def supervisor(folder: RunFolder) -> ProcessMark | None:
    """The living supervisor; None when there is none."""
    held_by = read_private(folder.lock) or {}
    leader = as_mark(held_by)
    return leader if held_by.get("role") == SUPERVISOR and leader is not None and leader.lives() else None


def platform_of(folder: RunFolder) -> Platform | None:
    """The platform of the living supervisor; None while it starts or stops."""
    fields = read_private(folder.platform)
    return Platform(**fields) if fields and supervisor(folder) else None


def recorded_services(folder: RunFolder) -> dict[str, ProcessMark]:
    """The services as they were started, alive or not, by name."""
    services = (read_private(folder.processes) or {}).get("services", {})
    return {name: leader for name, fields in services.items() if (leader := as_mark(fields))}


def clean_leftovers(folder: RunFolder, *, on_progress: Callable[[str], None]) -> bool:
    """End what the last supervisor left; only for the holder of the lock. Returns whether a process was there."""
    stopped = stop_services(recorded_services(folder))
    if stopped:
        on_progress(f"ended what a killed supervisor had left: {', '.join(stopped)}")
    folder.platform.unlink(missing_ok=True)
    folder.processes.unlink(missing_ok=True)
    return bool(stopped)


def refusal(folder: RunFolder) -> AirloopError:
    """Why a start is refused while another process holds the lock."""
    platform = platform_of(folder)
    if platform is not None:
        return AirloopError(f"the platform is already running at {platform.airflow_url}: stop it with `airloop down`")
    if (read_private(folder.lock) or {}).get("role") == STOPPER:
        return AirloopError("the platform is just being stopped: try again in a moment")
    return AirloopError("the platform is already being started or stopped: wait, or stop it with `airloop down`")


def as_mark(fields: dict[str, Any]) -> ProcessMark | None:
    """The mark in a record read from a file; None when the record is not complete."""
    pid, born = fields.get("pid"), fields.get("born")
    return ProcessMark(pid, born) if isinstance(pid, int) and isinstance(born, str) else None
