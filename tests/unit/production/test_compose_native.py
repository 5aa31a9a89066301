"""The containers run what `airloop up` runs: the same commands and variables; each difference has its reason here."""

import os
from pathlib import Path
from typing import Any

import pytest
from tests.support import compose_file

from airloop.settings import Settings, load_settings
from airloop_platform.supervisor.container import prepare
from airloop_platform.supervisor.environment import airflow_environment, mlflow_environment, serving_environment
from airloop_platform.supervisor.services import airflow_commands, mlflow_command, serving_command

HERE = "a container listens on all its addresses; the port is published on 127.0.0.1"
PATHS = "the image has its own folders"
SECRET = "from .env, where the native platform generates its own"
DATABASE = "PostgreSQL in place of a SQLite file"
# What a container has and the native environment does not, and what has another value.
DIFFERENT = {
    "AIRFLOW_CONFIG": PATHS,
    "AIRFLOW_HOME": PATHS,
    "AIRLOOP_HOME": PATHS,
    "AIRLOOP_PROJECT_DIR": PATHS,
    "PYTHONPATH": PATHS,
    "AIRFLOW__CORE__DAGS_FOLDER": PATHS,
    "AIRFLOW__CORE__PLUGINS_FOLDER": PATHS,
    "AIRFLOW__LOGGING__BASE_LOG_FOLDER": PATHS,
    "MLFLOW_AUTH_CONFIG_PATH": PATHS,
    "MLFLOW_DEFAULT_ARTIFACT_ROOT": PATHS,
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": "a volume that only the API server has",
    "AIRFLOW__API__SECRET_KEY": SECRET,
    "AIRFLOW__API_AUTH__JWT_SECRET": SECRET,
    "AIRFLOW__CORE__FERNET_KEY": SECRET,
    "MLFLOW_AUTH_ADMIN_PASSWORD": SECRET,
    "MLFLOW_FLASK_SERVER_SECRET_KEY": SECRET,
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": DATABASE,
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": DATABASE,
    "AIRLOOP_STATE_URL": DATABASE,
    "AIRLOOP_MLFLOW_TRACKING_URI": DATABASE,
    "AIRLOOP_FEAST_REGISTRY_URL": DATABASE,
    "AIRLOOP_ONLINE_STORE": DATABASE,
    "MLFLOW_BACKEND_STORE_URI": DATABASE,
    "MLFLOW_REGISTRY_STORE_URI": DATABASE,
    "AIRFLOW__API__HOST": HERE,
    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": "workers reach the API server by its service's name",
    "AIRFLOW__CORE__EXECUTOR": "tasks run in the workers",
    "AIRFLOW__CELERY__BROKER_URL": "tasks run in the workers",
    "AIRFLOW__CELERY__WORKER_CONCURRENCY": "tasks run in the workers",
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "`airloop up` tells Airflow of edits; here nobody does",
    "AIRFLOW__CORE__PARALLELISM": "bounds all workers together, not one machine",
}
NATIVE_ONLY = {
    "NO_PROXY": "services are reached by name",
    "no_proxy": "services are reached by name",
    "TMPDIR": "a container's temporary files go with it",
}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in list(os.environ):
        monkeypatch.delenv(name)
    return load_settings(home=tmp_path)


@pytest.fixture
def services() -> dict[str, Any]:
    values = compose_file.example(compose_file.EXAMPLE.read_text())
    filled = {name: value or f"secret-{name}" for name, value in values.items()}
    tree = compose_file.interpolated(compose_file.parse(compose_file.text()), filled)
    found: dict[str, Any] = tree["services"]
    return found


def natively(settings: Settings, service: str) -> dict[str, str]:
    if service in ("mlflow", "serving"):
        found = {"mlflow": mlflow_environment, "serving": serving_environment}[service](settings)
    else:
        found = airflow_environment(settings, airflow_port=8080, mlflow_url="http://127.0.0.1:5000")
    # The caller's own passes through, and pytest puts one there.
    return {name: value for name, value in found.items() if not name.startswith("PYTEST_")}


@pytest.mark.parametrize(
    "service", ["api-server", "scheduler", "dag-processor", "triggerer", "worker", "serving", "mlflow"]
)
def test_a_service_has_the_variables_of_the_native_one(
    settings: Settings, services: dict[str, Any], service: str
) -> None:
    native, ours = natively(settings, service), services[service]["environment"]
    native = {name: value for name, value in native.items() if name not in NATIVE_ONLY}
    assert {name for name in ours.keys() ^ native.keys() if name not in DIFFERENT} == set()
    assert native.keys() - ours.keys() == set()
    assert {name: ours[name] for name in native if ours[name] != native[name] and name not in DIFFERENT} == {}


def test_every_difference_is_one(settings: Settings, services: dict[str, Any]) -> None:
    pairs = [(services[name]["environment"], natively(settings, name)) for name in ("worker", "mlflow")]
    same = [name for name in DIFFERENT if all(ours.get(name) == native.get(name) for ours, native in pairs)]
    assert same == []
    assert [name for name in NATIVE_ONLY if name not in pairs[0][1]] == []


def test_the_paths_lie_in_the_image_as_in_the_checkout(settings: Settings, services: dict[str, Any]) -> None:
    native, ours = natively(settings, "worker"), services["worker"]["environment"]
    for name in (name for name, why in DIFFERENT.items() if why == PATHS and name in native):
        moved = native[name].replace(str(settings.project_dir), "/opt/airloop").replace(str(settings.home), "/airloop")
        assert ours[name] == moved


def test_the_services_run_the_native_commands(settings: Settings, services: dict[str, Any]) -> None:
    native = airflow_commands(settings, airflow_port=8080, mlflow_url="")
    for name, command in native.items():
        assert services[name]["command"] == ["python", *command.arguments[1:]]
    mlflow = [*mlflow_command(settings, mlflow_port=5000).arguments[1:]]
    mlflow[mlflow.index("--host") + 1] = "0.0.0.0"
    assert services["mlflow"]["command"] == ["python", *mlflow]
    assert services["worker"]["command"][:6] == ["python", "-P", "-m", "airflow", "celery", "worker"]
    serving = [*serving_command(settings, serving_port=8099).arguments[1:]]
    serving[serving.index("--host") + 1] = "0.0.0.0"
    assert services["serving"]["command"] == ["python", *serving]
    own = {"mlflow", "worker", "serving", "postgres", "redis", "preparation"}
    assert services.keys() - native.keys() == own


def test_preparation_writes_the_login_files_where_the_services_read_them(
    settings: Settings, services: dict[str, Any], tmp_path: Path
) -> None:
    def moved(value: str) -> str:
        return str(tmp_path) + value if value.startswith(("/airflow-login", "/mlflow-login")) else value

    environment = {name: moved(value) for name, value in services["preparation"]["environment"].items()}
    environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = f"sqlite:///{tmp_path}/airflow.db"
    for folder in ("airflow-login", "mlflow-login"):
        (tmp_path / folder).mkdir()
    for _ in range(2):
        prepare(settings, environment)
    passwords = tmp_path / "airflow-login" / "airflow_passwords.json"
    assert passwords.read_text() == '{"admin": "secret-AIRFLOW_ADMIN_PASSWORD"}'
    assert passwords.stat().st_mode & 0o077 == 0
    login = (tmp_path / "mlflow-login" / "mlflow_auth.ini").read_text()
    assert f"sqlite:///{tmp_path}/mlflow-login/mlflow_users.db" in login
    assert "secret" not in login
    for name, folder in {"api-server": "airflow-login", "mlflow": "mlflow-login"}.items():
        assert f"{folder}:/{folder}" in services[name]["volumes"]
        others = [other for other in services if other not in (name, "preparation")]
        assert [other for other in others if f"{folder}:/{folder}" in services[other]["volumes"]] == []
