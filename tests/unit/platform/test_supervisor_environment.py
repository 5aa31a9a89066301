"""The environments: tuned, complete, and secret only where they must be."""

import configparser
import os
import stat
from pathlib import Path

import pytest

from airloop.errors import ConfigError
from airloop.settings import Settings, load_settings
from airloop_platform.supervisor.credentials import credentials, mlflow_credentials
from airloop_platform.supervisor.environment import (
    airflow_environment,
    mlflow_environment,
    serving_environment,
    settings_environment,
)
from airloop_platform.supervisor.run_folder import run_folder, write_private
from airloop_platform.supervisor.services import airflow_commands, mlflow_command, runs_mlflow, serving_command


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in list(os.environ):
        if name.startswith(("AIRLOOP_", "AIRFLOW")):
            monkeypatch.delenv(name)
    return load_settings(project_dir=tmp_path / "project", home=tmp_path / "home")


def environment(settings: Settings) -> dict[str, str]:
    return airflow_environment(settings, airflow_port=8080, mlflow_url="http://127.0.0.1:5000")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AIRFLOW__CORE__EXECUTOR", "LocalExecutor"),
        ("AIRFLOW__CORE__PARALLELISM", "2"),
        ("AIRFLOW__CORE__LOAD_EXAMPLES", "False"),
        ("AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION", "False"),
        ("AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME", "0.2"),
        ("AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL", "1"),
        ("AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL", "15"),
        ("AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL", "10"),
        ("AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL", "60"),
        ("AIRFLOW__API__HOST", "127.0.0.1"),
        ("AIRFLOW__API__PORT", "8080"),
        ("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", "http://127.0.0.1:8080/execution/"),
        ("AIRLOOP_AIRFLOW_URL", "http://127.0.0.1:8080"),
        ("AIRLOOP_MLFLOW_UI_URL", "http://127.0.0.1:5000"),
        ("OMP_NUM_THREADS", "1"),
        ("TZ", "UTC"),
    ],
)
def test_airflow_runs_with_the_tuned_settings(settings: Settings, name: str, value: str) -> None:
    assert environment(settings)[name] == value


def test_airflow_lives_in_home_and_reads_the_dags_of_the_project(settings: Settings) -> None:
    found = environment(settings)
    assert found["AIRFLOW_HOME"] == f"{settings.home}/airflow"
    assert found["AIRFLOW__CORE__DAGS_FOLDER"] == f"{settings.project_dir}/dags"
    assert found["AIRFLOW__CORE__PLUGINS_FOLDER"] == f"{settings.project_dir}/plugins"
    database = f"sqlite:///{settings.home}/airflow/airflow.db?timeout=120"
    assert found["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == database


def test_the_api_server_gives_up_a_locked_database_before_the_services_that_end_with_it(settings: Settings) -> None:
    commands = airflow_commands(settings, airflow_port=8080, mlflow_url="")
    urls = {name: command.environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] for name, command in commands.items()}
    seconds = {name: int(url.partition("?timeout=")[2]) for name, url in urls.items()}
    patient = seconds.keys() - {"api-server"}
    assert seconds["api-server"] == 30
    assert {"scheduler", "dag-processor", "triggerer"} < patient
    assert {seconds[name] for name in patient} == {120}


def test_the_callers_airflow_cannot_leak_in(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql://company/airflow")
    monkeypatch.setenv("AIRFLOW_CONFIG", "/etc/airflow.cfg")
    monkeypatch.setenv("_AIRFLOW__AS_LIBRARY", "1")
    found = environment(settings)
    assert found["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].startswith("sqlite:///")
    assert found["AIRFLOW_CONFIG"] == f"{settings.home}/airflow/airflow.cfg"
    assert "_AIRFLOW__AS_LIBRARY" not in found


def test_what_airloop_does_not_set_passes_through(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__PARALLELISM", "7")
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL", "20")
    monkeypatch.setenv("AIRFLOW__SMTP__SMTP_HOST", "mail")
    monkeypatch.setenv("AIRFLOW_CONN_REDIS_DEFAULT", "redis://r")
    found = environment(settings)
    given = ("AIRFLOW__CORE__PARALLELISM", "AIRFLOW__SMTP__SMTP_HOST", "AIRFLOW_CONN_REDIS_DEFAULT")
    assert [found[name] for name in given] == ["7", "mail", "redis://r"]
    assert found["AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL"] == "20"


def test_byte_code_is_written(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert "PYTHONDONTWRITEBYTECODE" not in environment(settings)


def test_the_library_and_the_local_settings_are_importable(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/mine")
    library, local_settings, mine = environment(settings)["PYTHONPATH"].split(os.pathsep)
    assert (Path(library) / "airloop" / "settings.py").is_file()
    assert (Path(local_settings) / "airflow_local_settings.py").is_file()
    assert mine == "/mine"


def test_a_task_reads_exactly_the_settings_of_the_supervisor(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRLOOP_LAKE_URI", "s3://of-the-shell")
    given = load_settings(
        project_dir=settings.project_dir,
        home=settings.home,
        lake_uri="s3://lake",
        online_store={"type": "redis", "connection_string": "r:6379"},
        storage_options={"key": "k"},
    )
    for name, value in settings_environment(given).items():
        monkeypatch.setenv(name, value)
    assert load_settings() == given


def test_services_keep_temporary_files_in_the_run_folder(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROCESS_DIR", "feast_metrics_of_this_process")
    for found in (airflow_environment(settings, airflow_port=1, mlflow_url=""), mlflow_environment(settings)):
        assert found["TMPDIR"] == str(run_folder(settings).temporary)
        assert "PROMETHEUS_MULTIPROCESS_DIR" not in found


def test_defaults_are_left_to_follow_home(settings: Settings) -> None:
    assert set(settings_environment(settings)) == {"AIRLOOP_HOME", "AIRLOOP_PROJECT_DIR"}


def test_secrets_are_private_and_survive_a_restart(settings: Settings) -> None:
    first, folder = credentials(settings), run_folder(settings)
    assert credentials(settings) == first
    logins = mlflow_credentials(settings)
    mlflow_environment(settings)
    assert mlflow_credentials(settings) == logins
    for path in (folder.secrets, folder.passwords, folder.mlflow_secrets, folder.mlflow_auth):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.secrets.parent.stat().st_mode) == 0o700


def test_damaged_secrets_are_refused(settings: Settings) -> None:
    write_private(run_folder(settings).secrets, {"jwt_secret": "x"})
    with pytest.raises(ConfigError, match="damaged"):
        credentials(settings)
    write_private(run_folder(settings).mlflow_secrets, {"password": "x"})
    with pytest.raises(ConfigError, match=r"remove it together with .*mlflow_users\.db"):
        mlflow_credentials(settings)


def test_no_secret_is_in_an_argv_or_a_repr(settings: Settings) -> None:
    secret, login = credentials(settings), mlflow_credentials(settings)
    hidden = [secret.admin_password, secret.fernet_key, secret.api_secret_key, secret.jwt_secret, "db-password"]
    hidden += [login.password, login.secret_key]
    remote = settings.model_copy(update={"mlflow_tracking_uri": "postgresql://u:db-password@h/mlflow"})
    commands = [
        *airflow_commands(remote, airflow_port=1, mlflow_url="").values(),
        mlflow_command(remote, mlflow_port=2),
        serving_command(remote, serving_port=3),
    ]
    visible = repr(secret) + repr(login) + " ".join(argument for command in commands for argument in command.arguments)
    assert not [value for value in hidden if value in visible]


def test_the_mlflow_server_is_small_local_and_knows_no_secret_of_airflow(settings: Settings) -> None:
    found, arguments = mlflow_environment(settings), mlflow_command(settings, mlflow_port=5000).arguments
    assert found["MLFLOW_BACKEND_STORE_URI"] == settings.mlflow_tracking_uri
    assert found["MLFLOW_DEFAULT_ARTIFACT_ROOT"] == settings.mlflow_artifact_uri
    assert found["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"
    assert found["MLFLOW_SERVER_ALLOWED_HOSTS"] == "localhost,localhost:*,127.0.0.1,127.0.0.1:*"
    assert " ".join(arguments[1:]) == (
        "-P -m mlflow server --app-name basic-auth --host 127.0.0.1 --port 5000 --workers 1 --no-serve-artifacts"
    )
    assert not [name for name in found if name.startswith("AIRFLOW")]


def test_the_prediction_service_is_local_asks_for_keys_and_knows_no_secret_of_airflow(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_BILLING", "postgresql://u:secret@h/d")
    command = serving_command(settings, serving_port=5001)
    assert " ".join(command.arguments[1:]) == "-P -m airloop.serving.api --host 127.0.0.1 --port 5001"
    assert not [name for name in command.environment if name.startswith("AIRFLOW")]
    assert command.environment["TZ"] == "UTC"


def test_only_tasks_are_told_where_the_engine_answers(settings: Settings) -> None:
    told = settings.model_copy(update={"engine": "postgres", "engine_url": "postgresql://me:sesame@host/db"})
    assert airflow_environment(told, airflow_port=1, mlflow_url="")["AIRLOOP_ENGINE_URL"] == told.engine_url
    for others in (mlflow_environment, serving_environment):
        assert "sesame" not in str(others(told))


def test_the_mlflow_server_asks_for_the_generated_login_whatever_the_caller_has_set(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_AUTH_ADMIN_PASSWORD", "of-the-shell")
    odd = settings.model_copy(update={"home": settings.home / "100%"})
    found, login, written = mlflow_environment(odd), mlflow_credentials(odd), configparser.ConfigParser()
    written.read(found["MLFLOW_AUTH_CONFIG_PATH"])
    assert found["MLFLOW_AUTH_ADMIN_PASSWORD"] == login.password != "of-the-shell"
    assert written["mlflow"]["database_uri"] == f"sqlite:///{run_folder(odd).mlflow_users}"
    assert written["mlflow"].getint("auth_cache_ttl_seconds") == 60
    assert login.password not in Path(found["MLFLOW_AUTH_CONFIG_PATH"]).read_text()


@pytest.mark.parametrize(
    ("uri", "here"),
    [("sqlite:////m.db", True), ("postgresql://h/m", True), ("http://h:1", False), ("https://h", False)],
)
def test_a_tracking_server_of_somebody_else_is_used_and_not_started(settings: Settings, uri: str, here: bool) -> None:
    assert runs_mlflow(settings.model_copy(update={"mlflow_tracking_uri": uri})) is here
