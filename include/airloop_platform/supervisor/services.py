"""The commands of the six services, and what their health endpoints say."""

import http.client
import json
import signal
import sys
import urllib.request
from datetime import datetime
from pathlib import Path
from typing import Any

from airloop.settings import Settings
from airloop.stores.mlflow import tracking_tables
from airloop_platform.supervisor.environment import (
    LOCALHOST,
    airflow_environment,
    mlflow_environment,
    serving_environment,
)
from airloop_platform.supervisor.processes import Command
from airloop_platform.supervisor.run_folder import run_folder

# Requests go to this machine; a proxy from the environment must not see them.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
# -P: the working directory is <home>, whose folders (airflow/ among them) are not modules.
_PYTHON_MODULE = (sys.executable, "-P", "-m")
_AIRFLOW_PARTS = {
    "scheduler": ("scheduler", "latest_scheduler_heartbeat"),
    "dag-processor": ("dag_processor", "latest_dag_processor_heartbeat"),
    "triggerer": ("triggerer", "latest_triggerer_heartbeat"),
}


def airflow_commands(settings: Settings, *, airflow_port: int, mlflow_url: str) -> dict[str, Command]:
    """The four Airflow services and `migration`, by name."""
    logs = logs_dir(settings)

    def airflow(*arguments: str, name: str = "", **how: Any) -> Command:
        argv = (*_PYTHON_MODULE, "airflow", *arguments)
        environment = airflow_environment(
            settings, airflow_port=airflow_port, mlflow_url=mlflow_url, service=arguments[0]
        )
        return Command(argv, environment, logs / f"{name or arguments[0]}.log", **how)

    return {
        "migration": airflow("db", "migrate", name="migration", ends=True),
        "api-server": airflow("api-server"),
        # On SIGTERM it would wait for its tasks, and those for an API server that is gone too.
        "scheduler": airflow("scheduler", "--skip-serve-logs", when_orphaned=signal.SIGKILL),
        "dag-processor": airflow("dag-processor"),
        "triggerer": airflow("triggerer", "--skip-serve-logs"),
    }


def mlflow_command(settings: Settings, *, mlflow_port: int) -> Command:
    """The MLflow server, behind a login; on SIGTERM it forwards the signal to the one worker it starts."""
    login = ("--app-name", "basic-auth")
    options = (*login, "--host", LOCALHOST, "--port", str(mlflow_port), "--workers", "1", "--no-serve-artifacts")
    return Command(
        arguments=(*_PYTHON_MODULE, "mlflow", "server", *options),
        environment=mlflow_environment(settings),
        log=logs_dir(settings) / "mlflow.log",
    )


def serving_command(settings: Settings, *, serving_port: int) -> Command:
    """The prediction service; on SIGTERM it answers what it has accepted."""
    options = ("--host", LOCALHOST, "--port", str(serving_port))
    return Command(
        arguments=(*_PYTHON_MODULE, "airloop.serving.api", *options),
        environment=serving_environment(settings),
        log=logs_dir(settings) / "serving.log",
    )


def mlflow_tables_command(settings: Settings) -> Command | None:
    """Makes the SQLite files the MLflow server needs; None when they are there, or it needs none."""
    users = run_folder(settings).mlflow_users
    if tracking_tables.missing(settings.mlflow_tracking_uri) is None and users.exists():
        return None
    arguments = (*_PYTHON_MODULE, "airloop.stores.mlflow.tracking_tables")
    return Command(arguments, mlflow_environment(settings), logs_dir(settings) / "mlflow-tables.log", ends=True)


def runs_mlflow(settings: Settings) -> bool:
    """Whether an MLflow server is started here; not when the tracking URI already is one (http, https)."""
    return not settings.mlflow_tracking_uri.startswith(("http://", "https://"))


def airflow_health(url: str, *, since: datetime | None = None) -> dict[str, bool]:
    """Which Airflow services are healthy, by name; the API server is when it answers and reaches its database.

    Args:
        url: Airflow's address.
        since: Heartbeats before this instant (timezone-aware) do not count: for 30 s a dead service's look healthy.
    """
    body = _get(f"{url}/api/v2/monitor/health")
    report = body if isinstance(body, dict) else {}
    healthy = {"api-server": report.get("metadatabase", {}).get("status") == "healthy"}
    for name, (key, heartbeat) in _AIRFLOW_PARTS.items():
        part = report.get(key, {})
        beats = since is None or datetime.fromisoformat(part.get(heartbeat) or "0001-01-01T00:00:00+00:00") >= since
        healthy[name] = part.get("status") == "healthy" and beats
    return healthy


def mlflow_healthy(url: str) -> bool:
    """Whether the tracking server answers its health endpoint."""
    return _get(f"{url.rstrip('/')}/health") is not None


def serving_healthy(url: str) -> bool:
    """Whether the prediction service answers; whether it has a champion to answer with is another question."""
    return bool(url) and _get(f"{url}/livez") is not None


def warm_execution_api(url: str, *, timeout_seconds: float = 60) -> bool:
    """Make the API server build the app its tasks talk to, which otherwise costs the first task 4-8 s.

    Returns whether it answers; it goes on building when it does not in time.
    """
    return _get(f"{url}/execution/health", timeout_seconds=timeout_seconds) is not None


def logs_dir(settings: Settings) -> Path:
    """Where each service writes `<name>.log`; task logs are Airflow's, below `<home>/airflow/logs`."""
    return settings.home / "logs"


def log_tail(path: Path, *, lines: int = 15) -> str:
    """The last lines of a log, bounded to 4 kB."""
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - 4096))
            return "\n".join(stream.read().decode(errors="replace").splitlines()[-lines:])
    except OSError:
        return "(no log)"


def _get(url: str, *, timeout_seconds: float = 5) -> Any | None:
    """The answer of a GET, parsed where it is JSON; None when there is no answer of status 200."""
    try:
        with _DIRECT.open(url, timeout=timeout_seconds) as response:
            text = response.read().decode()
    except (OSError, http.client.HTTPException):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text
