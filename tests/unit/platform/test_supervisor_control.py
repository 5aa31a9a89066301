"""Who may start, what is refused and why, and what the answers are while nothing runs."""

import importlib.metadata
import json
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from airloop.errors import AirloopError, ConfigError
from airloop.settings import Settings, load_settings
from airloop_platform import supervisor
from airloop_platform.supervisor.databases import mark_migrated, migration_due, prefer_wal
from airloop_platform.supervisor.ports import choose_port, choose_ports
from airloop_platform.supervisor.presence import SUPERVISOR, holder, refusal
from airloop_platform.supervisor.records import Platform
from airloop_platform.supervisor.run_folder import create_private, read_private, run_folder, try_lock, write_private
from airloop_platform.supervisor.services import airflow_health, log_tail, mlflow_healthy

PLATFORM = {
    "airflow_url": "http://127.0.0.1:1",
    "mlflow_url": "http://127.0.0.1:2",
    "username": "a",
    "password": "pw",
    "mlflow_password": "mlflow-pw",
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "dags").mkdir()
    return load_settings(project_dir=tmp_path, home=tmp_path / "home")


def ignore(_: object) -> None:
    """A callback that is not interested."""


def test_nothing_runs_and_everything_says_so(settings: Settings) -> None:
    assert supervisor.current(settings) is None
    assert supervisor.down(settings, on_progress=ignore) is False
    found = supervisor.status(settings)
    airflow = ["api-server", "scheduler", "dag-processor", "triggerer"]
    assert [service.name for service in found] == [*airflow, "mlflow", "serving"]
    assert {(service.url, service.healthy, service.pid) for service in found} == {("", False, None)}
    assert found[0].to_dict() == {"name": "api-server", "url": "", "healthy": False, "pid": None, "restarts": 0}


def test_a_second_supervisor_is_refused_and_told_where_the_first_is(settings: Settings) -> None:
    folder = run_folder(settings)
    with try_lock(folder.lock, holder(SUPERVISOR)) as first:
        write_private(folder.platform, PLATFORM)
        assert first
        assert supervisor.current(settings) == Platform(**PLATFORM)
        with pytest.raises(AirloopError, match=r"already running at http://127.0.0.1:1: stop it with `airloop down`"):
            supervisor.run(settings, on_progress=ignore, on_ready=ignore)
    assert supervisor.current(settings) == Platform(**PLATFORM)


def test_both_logins_are_told_and_no_password_is_in_a_repr() -> None:
    platform = Platform(**PLATFORM)
    assert platform.logins() == (
        "Airflow  http://127.0.0.1:1   login a / pw",
        "MLflow   http://127.0.0.1:2   login a / mlflow-pw",
    )
    assert not [word for word in ("pw", "mlflow-pw") if word in repr(platform)]


def test_the_login_of_somebody_elses_mlflow_is_not_ours_to_tell() -> None:
    platform = Platform(**{**PLATFORM, "mlflow_password": ""})
    assert platform.logins()[1] == "MLflow   http://127.0.0.1:2"


def test_a_start_during_a_start_or_a_stop_is_refused(settings: Settings) -> None:
    folder = run_folder(settings)
    for role, reason in ((SUPERVISOR, "already being started"), ("down", "just being stopped")):
        with try_lock(folder.lock, holder(role)):
            assert reason in str(refusal(folder))


def test_the_record_of_a_dead_supervisor_is_not_believed(settings: Settings) -> None:
    folder = run_folder(settings)
    write_private(folder.platform, PLATFORM)
    write_private(folder.lock, {"role": SUPERVISOR, "pid": 2**22 + 1, "born": "boot/1"})
    assert supervisor.current(settings) is None


def test_of_two_locks_at_the_same_moment_one_is_given(settings: Settings) -> None:
    lock = run_folder(settings).lock
    with try_lock(lock, {"role": "run"}) as first, try_lock(lock, {"role": "other"}) as second:
        assert (first, second) == (True, False)
        assert read_private(lock) == {"role": "run"}
    with try_lock(lock, {"role": "later"}) as third:
        assert third


def test_of_two_first_writers_both_read_what_one_wrote(tmp_path: Path) -> None:
    path = tmp_path / "secret.json"
    assert create_private(path, {"key": "first"}) == {"key": "first"}
    assert create_private(path, {"key": "second"}) == {"key": "first"}
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret.json"]


def test_a_project_without_dags_is_refused(tmp_path: Path) -> None:
    settings = load_settings(project_dir=tmp_path, home=tmp_path / "home")
    with pytest.raises(ConfigError, match="no dags folder"):
        supervisor.run(settings, on_progress=ignore, on_ready=ignore)


def test_a_taken_port_is_refused_by_name_and_a_free_one_is_kept() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(AirloopError, match=f"port {port} for Airflow"):
            choose_ports(airflow_port=port, mlflow_port=None)
        with pytest.raises(AirloopError, match=f"port {port} for MLflow"):
            choose_ports(airflow_port=None, mlflow_port=port)
    assert choose_ports(airflow_port=port, mlflow_port=None)[0] == port


def test_free_ports_differ() -> None:
    airflow, mlflow = choose_ports(airflow_port=None, mlflow_port=None)
    assert airflow != mlflow
    assert choose_port("the prediction service", None, besides=(airflow, mlflow)) not in (airflow, mlflow)
    with pytest.raises(AirloopError, match=f"port {mlflow} was asked for twice: choose another for the prediction"):
        choose_port("the prediction service", mlflow, besides=(airflow, mlflow))


def test_a_migration_is_due_for_a_missing_database_and_for_another_version(settings: Settings) -> None:
    home = settings.home / "airflow"
    home.mkdir(parents=True)
    assert migration_due(settings)
    (home / "airflow.db").touch()
    assert migration_due(settings)
    mark_migrated(settings)
    assert not migration_due(settings)
    (home / "airflow.db.migrated").write_text("3.0.0")
    assert migration_due(settings)
    mark_migrated(settings)
    assert (home / "airflow.db.migrated").read_text() == importlib.metadata.version("apache-airflow-core")
    (home / "airflow.db").unlink()
    assert migration_due(settings)


def test_a_sqlite_store_gets_wal_and_another_is_left_alone(tmp_path: Path) -> None:
    prefer_wal(f"sqlite:///{tmp_path}/new/mlflow.db")
    prefer_wal("postgresql://nobody@nowhere/mlflow")
    with closing(sqlite3.connect(tmp_path / "new" / "mlflow.db")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@contextmanager
def server(answer: Any) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


def test_a_heartbeat_of_an_earlier_start_does_not_count() -> None:
    now = datetime.now(UTC)
    answer = {
        "metadatabase": {"status": "healthy"},
        "scheduler": {"status": "healthy", "latest_scheduler_heartbeat": (now - timedelta(seconds=9)).isoformat()},
        "triggerer": {"status": "healthy", "latest_triggerer_heartbeat": now.isoformat()},
        "dag_processor": {"status": None, "latest_dag_processor_heartbeat": None},
    }
    fresh = {"api-server": True, "scheduler": False, "dag-processor": False, "triggerer": True}
    with server(answer) as url:
        assert airflow_health(url, since=now) == fresh
        assert airflow_health(url) == fresh | {"scheduler": True}


def test_who_does_not_answer_is_not_healthy() -> None:
    with server({}) as url:
        assert mlflow_healthy(url)
    assert not mlflow_healthy(url)
    assert set(airflow_health(url).values()) == {False}


def test_the_end_of_a_log_is_bounded(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("".join(f"line {number}\n" for number in range(5000)))
    assert log_tail(log, lines=2) == "line 4998\nline 4999"
    assert log_tail(tmp_path / "missing.log") == "(no log)"
