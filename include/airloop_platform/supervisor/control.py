"""The platform from outside: start it detached, look at it, stop it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import IO

from airloop.errors import AirloopError
from airloop.settings import Settings
from airloop_platform.supervisor.environment import python_path, settings_environment
from airloop_platform.supervisor.presence import (
    STOPPER,
    clean_leftovers,
    holder,
    platform_of,
    recorded_services,
    supervisor,
)
from airloop_platform.supervisor.processes import ProcessMark, wait_until
from airloop_platform.supervisor.records import SERVICES, STREAM_SERVICES, Platform, ServiceStatus
from airloop_platform.supervisor.run_folder import RunFolder, read_private, refuse_unusable_home, run_folder, try_lock
from airloop_platform.supervisor.services import (
    airflow_health,
    log_tail,
    logs_dir,
    mlflow_healthy,
    runs_mlflow,
    serving_healthy,
)
from airloop_platform.supervisor.streams import stream_health

# A supervisor that was told to stop needs at most 20 s.
_STOP_SECONDS = 30.0


def current(settings: Settings) -> Platform | None:
    """The running platform; None while it is not running, still starting, or stopping."""
    return platform_of(run_folder(settings))


def status(settings: Settings) -> tuple[ServiceStatus, ...]:
    """The services as they are now, asked at their health endpoints; in the order of `SERVICES`.

    Those of streams follow, where they were started.
    """
    folder = run_folder(settings)
    recorded = recorded_services(folder)
    pids = {name: leader.pid for name, leader in recorded.items() if leader.lives()}
    record = (read_private(folder.processes) or {}) if pids else {}
    airflow_url, mlflow_url = record.get("airflow_url", ""), record.get("mlflow_url", "")
    if not runs_mlflow(settings):
        mlflow_url = settings.mlflow_tracking_uri
    healthy = airflow_health(airflow_url) if "api-server" in pids else {}
    healthy["mlflow"] = ("mlflow" in pids or not runs_mlflow(settings)) and mlflow_healthy(mlflow_url)
    urls = {"mlflow": mlflow_url, "serving": record.get("serving_url", "")}
    healthy["serving"] = "serving" in pids and serving_healthy(urls["serving"])
    healthy |= stream_health(settings) if recorded else {}
    names = (*SERVICES, *(name for name in STREAM_SERVICES if name in recorded))
    urls |= dict.fromkeys(STREAM_SERVICES, "")
    return tuple(
        ServiceStatus(
            name=name,
            url=urls.get(name, airflow_url),
            healthy=healthy.get(name, False) and (name in pids or name == "mlflow"),
            pid=pids.get(name),
            restarts=record.get("restarts", {}).get(name, 0),
        )
        for name in names
    )


def start_detached(
    settings: Settings,
    *,
    on_progress: Callable[[str], None],
    airflow_port: int | None = None,
    mlflow_port: int | None = None,
    serving_port: int | None = None,
) -> Platform:
    """Start the platform under a supervisor of its own and wait until it is healthy; it outlives the caller.

    When the caller goes away before that (Ctrl-C among others), the start is given up and nothing stays.

    Args:
        settings: As for `run`.
        on_progress: Gets one short line per step; never a secret.
        airflow_port: Of the API server; None takes any free port.
        mlflow_port: Of the MLflow server; None takes any free port.
        serving_port: Of the prediction service; None takes any free port.

    Raises:
        AirloopError: As `run`; or the supervisor was killed: then with the end of its log.
    """
    refuse_unusable_home(settings)
    log = logs_dir(settings) / "supervisor.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    ports = {"--airflow-port": airflow_port, "--mlflow-port": mlflow_port, "--serving-port": serving_port}
    options = [text for name, port in ports.items() if port is not None for text in (name, str(port))]
    environment = {**os.environ, **settings_environment(settings), "PYTHONPATH": python_path(settings)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with (
        log.open("ab") as stderr,
        subprocess.Popen(
            [sys.executable, "-m", "airloop_platform.supervisor", *options],
            env=environment,
            cwd=settings.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
            text=True,
        ) as process,
    ):
        try:
            failure = _follow(process.stdout, on_progress)
        except BaseException:
            down(settings, on_progress=lambda _: None)
            raise
    platform = current(settings)
    if failure is None and platform is not None:
        return platform
    raise AirloopError(failure or f"the supervisor died. The end of {log}:\n{log_tail(log)}")


def down(settings: Settings, *, on_progress: Callable[[str], None]) -> bool:
    """Stop the platform of this home, whoever started it, and whatever a killed supervisor left.

    Returns:
        False when nothing ran; so a second call is harmless.

    Raises:
        AirloopError: The supervisor could not be ended.
    """
    folder, target, end = run_folder(settings), None, time.monotonic() + _STOP_SECONDS
    while time.monotonic() < end:
        with try_lock(folder.lock, holder(STOPPER), named=False) as free:
            if free and (target is None or not target.lives()):
                return clean_leftovers(folder, on_progress=on_progress) or target is not None
        leader = supervisor(folder)
        if leader is not None and target is None:
            on_progress("stopping the platform")
            _signal(leader, signal.SIGTERM)
            target = leader
        elif leader is not None and leader != target:
            return True  # ours is gone and somebody has started another
        time.sleep(0.1)
    if target is None:
        message = "another `airloop down` is at work: try again in a moment"
        raise AirloopError(message)
    return _kill(folder, target, on_progress=on_progress)


def _kill(folder: RunFolder, target: ProcessMark, *, on_progress: Callable[[str], None]) -> bool:
    on_progress("the supervisor does not stop: killing it")
    _signal(target, signal.SIGKILL)
    wait_until(lambda: not target.lives(), 5)
    with try_lock(folder.lock, holder(STOPPER), named=False) as free:
        if not free:
            message = f"the supervisor (pid {target.pid}) cannot be killed"
            raise AirloopError(message)
        clean_leftovers(folder, on_progress=on_progress)
    return True


def _signal(target: ProcessMark, number: signal.Signals) -> None:
    if target.lives():
        with contextlib.suppress(ProcessLookupError):
            os.kill(target.pid, number)


def _follow(messages: IO[str] | None, on_progress: Callable[[str], None]) -> str | None:
    """Pass on the progress of a detached start until it is ready, failed (returns why) or dead (end of file)."""
    for line in messages or ():
        message = json.loads(line)
        if "progress" in message:
            on_progress(message["progress"])
        elif "failed" in message:
            return str(message["failed"])
        else:
            break
    return None
