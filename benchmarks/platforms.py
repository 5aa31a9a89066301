"""Platforms in temporary homes: airloop's, and Airflow and MLflow as they come; each is stopped whatever happens."""

import contextlib
import functools
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from airloop.errors import AirloopError
from airloop.settings import Settings
from airloop_platform import supervisor
from airloop_platform.supervisor import Platform
from airloop_platform.supervisor.environment import LOCALHOST
from airloop_platform.supervisor.ports import choose_ports
from airloop_platform.supervisor.presence import recorded_services
from airloop_platform.supervisor.presence import supervisor as supervising
from airloop_platform.supervisor.processes import Command, ProcessMark, mark, session, start, wait_until
from airloop_platform.supervisor.run_folder import run_folder
from airloop_platform.supervisor.services import airflow_health, log_tail, mlflow_healthy
from airloop_platform.supervisor.shutdown import stop_services
from benchmarks.flights import settings_below
from benchmarks.session import Session

LONGEST_START_SECONDS = 120
_SETTLED_SECONDS = 15
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Started:
    """A platform from its first process to a health endpoint of every service, and what it then held.

    Attributes:
        seconds: LONGEST_START_SECONDS when it was not healthy by then.
        megabytes: Proportional set size of all its processes, 15 s after it was healthy: shared pages count once.
    """

    seconds: float
    megabytes: float
    processes: int
    healthy: bool


@contextlib.contextmanager
def running(settings: Settings) -> Iterator[Platform]:
    """Airloop's platform, started and stopped."""
    try:
        yield supervisor.start_detached(settings, on_progress=lambda _line: None)
    finally:
        supervisor.down(settings, on_progress=lambda _line: None)


@functools.cache
def started(home: Session) -> tuple[Started, Started]:
    """Airloop's platform and its peer, one after the other, each in a home of its own; measured once."""
    return _start_ours(home), _start_peer(home)


def _start_ours(home: Session) -> Started:
    settings = settings_below(home.folder("platform"))
    began = time.perf_counter()
    with running(settings):
        seconds = time.perf_counter() - began
        home.say(f"  ours is healthy after {seconds:.0f} s")
        folder = run_folder(settings)
        return _look(seconds, [supervising(folder), *recorded_services(folder).values()], healthy=True)


def _start_peer(home: Session) -> Started:
    folder = home.folder("as_it_comes")
    airflow_port, mlflow_port = choose_ports(airflow_port=None, mlflow_port=None)
    commands = _commands(folder, airflow_port, mlflow_port)
    airflow_url, mlflow_url = (f"http://{LOCALHOST}:{port}" for port in (airflow_port, mlflow_port))
    leaders: dict[str, ProcessMark] = {}
    began = time.perf_counter()
    try:
        leaders["mlflow"] = _leader(commands.pop("mlflow"), folder)
        _migrate(commands.pop("migration"), folder, leaders)
        leaders |= {name: _leader(command, folder) for name, command in commands.items()}
        left = LONGEST_START_SECONDS - (time.perf_counter() - began)
        healthy = wait_until(lambda: all(airflow_health(airflow_url).values()) and mlflow_healthy(mlflow_url), left)
        seconds = time.perf_counter() - began if healthy else float(LONGEST_START_SECONDS)
        home.say(f"  Airflow and MLflow as they come {'are' if healthy else 'are not'} healthy after {seconds:.0f} s")
        return _look(seconds, list(leaders.values()), healthy=healthy)
    finally:
        stop_services(leaders)


def _commands(folder: Path, airflow_port: int, mlflow_port: int) -> dict[str, Command]:
    """What `airflow standalone` starts, and `mlflow server`; on 127.0.0.1, which is why they serve no logs."""
    ours = ("AIRLOOP_", "AIRFLOW", "_AIRFLOW", "MLFLOW_", "PYTHONDONTWRITEBYTECODE")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    url = f"http://{LOCALHOST}:{airflow_port}"
    environment = inherited | {
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__API__HOST": LOCALHOST,
        "AIRFLOW__API__PORT": str(airflow_port),
        "AIRFLOW__API__BASE_URL": url,
    }

    def command(name: str, *arguments: str, ends: bool = False) -> Command:
        return Command((sys.executable, "-P", "-m", *arguments), environment, folder / f"{name}.log", ends=ends)

    return {
        "mlflow": command("mlflow", "mlflow", "server", "--host", LOCALHOST, "--port", str(mlflow_port)),
        "migration": command("migration", "airflow", "db", "migrate", ends=True),
        "scheduler": command("scheduler", "airflow", "scheduler", "--skip-serve-logs"),
        "dag-processor": command("dag-processor", "airflow", "dag-processor"),
        "api-server": command("api-server", "airflow", "api-server"),
        "triggerer": command("triggerer", "airflow", "triggerer", "--skip-serve-logs"),
    }


def _leader(command: Command, folder: Path) -> ProcessMark:
    process = start(command, cwd=folder)
    leader = mark(process.pid)
    if leader is None:
        raise AirloopError(f"{command.log} did not start: {log_tail(command.log)}")
    return leader


def _migrate(command: Command, folder: Path, leaders: dict[str, ProcessMark]) -> None:
    leaders["migration"] = leader = _leader(command, folder)
    if not wait_until(lambda: not leader.lives(), LONGEST_START_SECONDS):
        raise AirloopError(f"`airflow db migrate` takes longer than {LONGEST_START_SECONDS} s")


def _look(seconds: float, leaders: list[ProcessMark | None], *, healthy: bool) -> Started:
    time.sleep(_SETTLED_SECONDS)
    processes = [process for leader in leaders if leader for process in session(leader)]
    proportional_bytes = 0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            proportional_bytes += process.memory_full_info().pss
    return Started(seconds, proportional_bytes / _MEGABYTE, len(processes), healthy)
