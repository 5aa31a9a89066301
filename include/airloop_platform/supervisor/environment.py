"""The complete environments of the platform's processes: Airflow's configuration, and the MLflow server's."""

import json
import os
import sys
import sysconfig
from pathlib import Path
from typing import Any

from airloop.settings import Settings, load_settings, quiet_environment
from airloop_platform.supervisor.credentials import USERNAME, credentials, mlflow_credentials
from airloop_platform.supervisor.run_folder import run_folder, write_private_text

LOCALHOST = "127.0.0.1"
_LIBRARY = Path(__file__).resolve().parents[2]
_AIRFLOW_CONFIG = _LIBRARY / "airloop_platform" / "airflow_config"
# How long a process waits for SQLite's write lock. The API server's requests give up first: they can be sent again,
# and a scheduler that gives up ends.
_API_BUSY_SECONDS, _BUSY_SECONDS = 30, 120

_AIRFLOW_CONSTANTS = {
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
    "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
    "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
    "AIRFLOW__API__HOST": LOCALHOST,
    "AIRFLOW__API__WORKERS": "1",
    "AIRFLOW__API_AUTH__JWT_ISSUER": "airloop",
    # A chain of ten tasks takes 5-7 s with these two and 12-21 s without: the scheduler looks again after 0.2 s, and a
    # worker slot is free at most 1 s (0.2 s with the patch in airflow_local_settings) after its task has ended.
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
    # A task waits for an API server that is being restarted: about 80 s, by default 10-20 s.
    "AIRFLOW__WORKERS__EXECUTION_API_RETRIES": "16",
    "AIRFLOW__WORKERS__EXECUTION_API_RETRY_WAIT_MAX": "10",
    # What a killed scheduler was running is taken up again once its heartbeat is 30 s old; by default that is looked at
    # every 300 s.
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "15",
    # By default a new DAG file is found after 300 s.
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
    "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
}
# What the caller's environment may say otherwise. Ten files every 15 s take a fifth of a core, of 200 pipelines nearly
# half a core. An edit does not wait for the minute: airloop_platform.supervisor.declarations.
_AIRFLOW_DEFAULTS = {
    "AIRFLOW__CORE__PARALLELISM": "2",
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "60",
}


# Without the cache every request of a page costs a password hash: 345 ms instead of 15.
_MLFLOW_LOGIN = """[mlflow]
default_permission = READ
database_uri = sqlite:///{users}
admin_username = {username}
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
auth_cache_ttl_seconds = 60
"""


def airflow_environment(
    settings: Settings, *, airflow_port: int, mlflow_url: str, service: str = "scheduler"
) -> dict[str, str]:
    """The complete environment of an Airflow process; holds secrets, so it is for `execve`, not for a log.

    The caller's environment passes through, except what would point Airflow elsewhere. Of its AIRFLOW__ variables those
    set here lose, apart from AIRFLOW__CORE__PARALLELISM (2 unless given) and
    AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL (60 s unless given).

    Args:
        settings: Passed on whole, as AIRLOOP_ variables.
        airflow_port: The API server's port on 127.0.0.1.
        mlflow_url: Where people see MLflow; tasks get it as AIRLOOP_MLFLOW_UI_URL, for links only.
        service: Whose it is: the API server waits less long for the database than the others.
    """
    secret, home, url = credentials(settings), settings.home / "airflow", f"http://{LOCALHOST}:{airflow_port}"
    busy_seconds = _API_BUSY_SECONDS if service == "api-server" else _BUSY_SECONDS
    return _AIRFLOW_DEFAULTS | _base_environment(settings) | _AIRFLOW_CONSTANTS | {
        "AIRLOOP_AIRFLOW_URL": url,
        "AIRLOOP_MLFLOW_UI_URL": mlflow_url,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(
            f"{name}:{role}" for name, role in {**settings.airflow_users, USERNAME: "admin"}.items()
        ),
        "AIRFLOW_CONFIG": str(home / "airflow.cfg"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(settings.project_dir / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(settings.project_dir / "plugins"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(run_folder(settings).passwords),
        "AIRFLOW__CORE__FERNET_KEY": secret.fernet_key,
        "AIRFLOW__API__PORT": str(airflow_port),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__SECRET_KEY": secret.api_secret_key,
        "AIRFLOW__API_AUTH__JWT_SECRET": secret.jwt_secret,
        # Airflow itself turns on WAL.
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db?timeout={busy_seconds}",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
    }  # fmt: skip


def mlflow_environment(settings: Settings) -> dict[str, str]:
    """The complete environment of `mlflow server`; holds secrets (the store's URI may), so it is for `execve` only.

    Writes the configuration of the server's login to `<home>/run/mlflow_auth.ini`.
    """
    secret, folder = mlflow_credentials(settings), run_folder(settings)
    write_private_text(folder.mlflow_auth, mlflow_login(folder.mlflow_users))
    return _without_connections(settings) | {
        "MLFLOW_AUTH_CONFIG_PATH": str(folder.mlflow_auth),
        "MLFLOW_AUTH_ADMIN_USERNAME": USERNAME,
        "MLFLOW_AUTH_ADMIN_PASSWORD": secret.password,
        "MLFLOW_FLASK_SERVER_SECRET_KEY": secret.secret_key,
        "MLFLOW_BACKEND_STORE_URI": settings.mlflow_tracking_uri,
        "MLFLOW_REGISTRY_STORE_URI": settings.mlflow_tracking_uri,
        "MLFLOW_DEFAULT_ARTIFACT_ROOT": settings.mlflow_artifact_uri,
        "MLFLOW_SERVER_ALLOWED_HOSTS": f"localhost,localhost:*,{LOCALHOST},{LOCALHOST}:*",
        # Jobs and four workers are 15 processes and 2 GB; without them it is 2 processes and 0.5 GB.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }


def serving_environment(settings: Settings) -> dict[str, str]:
    """The complete environment of the prediction service."""
    return _without_connections(settings)


def _without_connections(settings: Settings) -> dict[str, str]:
    """Without Airflow's connections and the engine's address, which only tasks have a use for: they hold passwords."""
    everything = _base_environment(settings)
    return {k: v for k, v in everything.items() if not k.startswith("AIRFLOW") and k != "AIRLOOP_ENGINE_URL"}


def mlflow_login(users: Path) -> str:
    """The text of MLFLOW_AUTH_CONFIG_PATH: the server keeps its users in the SQLite file `users`; holds no secret."""
    return _MLFLOW_LOGIN.format(username=USERNAME, users=str(users).replace("%", "%%"))


def settings_environment(settings: Settings) -> dict[str, str]:
    """The AIRLOOP_ variables with which a child of this process reads these settings, apart from `connections`.

    Those are for stages by hand: in Airflow its own connections take their place, and nobody else needs a password.
    """
    child_would_read = load_settings(project_dir=settings.project_dir, home=settings.home)
    environment = {"AIRLOOP_PROJECT_DIR": str(settings.project_dir), "AIRLOOP_HOME": str(settings.home)}
    for name in type(settings).model_fields:
        if name != "connections" and getattr(settings, name) != getattr(child_would_read, name):
            environment[f"AIRLOOP_{name.upper()}"] = _as_text(getattr(settings, name))
    return environment


def python_path(settings: Settings) -> str:
    """Where airloop is imported from here, what Airflow imports while it starts, then the caller's own."""
    # An installed package is found anyhow, and its folder in front would shadow the standard library.
    library = [] if str(_LIBRARY) in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")) else [str(_LIBRARY)]
    ours = [*library, str(_AIRFLOW_CONFIG)]
    others = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part and part not in ours]
    return os.pathsep.join(ours + others)


def _base_environment(settings: Settings) -> dict[str, str]:
    # Without PYTHONDONTWRITEBYTECODE the first start compiles the libraries, and each later one imports 2-3 x faster.
    # _AIRFLOW variables (a test's _AIRFLOW__AS_LIBRARY) would keep Airflow from initialising itself.
    # Feast gives the PROMETHEUS_ ones to the process that imports it: a folder that goes with that process.
    feasts = ("PROMETHEUS_MULTIPROCESS_DIR", "PROMETHEUS_MULTIPROC_DIR")
    dropped = ("PYTHONDONTWRITEBYTECODE", "AIRLOOP_CONNECTIONS", *feasts)
    inherited = {k: v for k, v in os.environ.items() if k not in dropped and not k.startswith("_AIRFLOW")}
    direct = ",".join(filter(None, [inherited.get("no_proxy") or inherited.get("NO_PROXY"), LOCALHOST, "localhost"]))
    return {
        **quiet_environment(),
        **inherited,
        **settings_environment(settings),
        "PYTHONPATH": python_path(settings),
        "PYTHONUNBUFFERED": "1",
        "NO_PROXY": direct,
        "no_proxy": direct,
        "TZ": "UTC",
        "TMPDIR": str(run_folder(settings).temporary),
        # DAG processor and triggerer fork without an exec, and macOS aborts such a child: apache/airflow#65691.
        **({"OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES"} if sys.platform == "darwin" else {}),
    }


def _as_text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict) else str(value)
