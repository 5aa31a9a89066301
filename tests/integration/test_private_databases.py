"""Who may read what airloop makes: its owner, whatever the umask."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.support import toy

from airloop.files.private_files import create_private, withdraw
from airloop.settings import Settings
from airloop.stores import state
from airloop.stores.mlflow import tracking
from airloop_platform.supervisor.databases import keep_private
from airloop_platform.supervisor.run_folder import run_folder

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def _open_umask() -> Iterator[None]:
    previous = os.umask(0o000)
    yield
    os.umask(previous)


def modes(*paths: Path) -> dict[str, str]:
    return {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in paths}


def test_the_state_database_and_its_companions_are_private(toy_settings: Settings) -> None:
    with state.transaction(toy_settings) as connection:
        connection.exec_driver_sql("SELECT 1 FROM ledger")
        companions = sorted(toy_settings.home.glob("state.db*"))
        assert {path.name for path in companions} == {"state.db", "state.db-shm", "state.db-wal"}
        assert set(modes(*companions).values()) == {"0o600"}


def test_mlflows_database_is_private(toy_settings: Settings) -> None:
    tracking.client(toy_settings)
    assert modes(toy_settings.home / "mlflow.db") == {"mlflow.db": "0o600"}


def test_feasts_databases_are_private(toy_settings: Settings) -> None:
    toy.land(toy_settings, days=range(2))
    toy.run_data(toy_settings, toy.days(0, 2))
    toy.run("materialize", toy_settings, toy.days(0, 2))
    paths = [toy_settings.home / name for name in ("feast_registry.db", "online_store.db")]
    assert set(modes(*paths).values()) == {"0o600"}


def test_what_an_earlier_version_left_readable_is_withdrawn_at_the_start(toy_settings: Settings) -> None:
    folder = run_folder(toy_settings)
    folder.lock.parent.chmod(0o755)
    readable = [toy_settings.home / "airflow" / "airflow.db", folder.mlflow_users, toy_settings.home / "state.db"]
    for path in readable:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
        path.with_name(f"{path.name}-wal").write_bytes(b"")
        assert modes(path) == {path.name: "0o666"}
    keep_private(toy_settings)
    wals = [path.with_name(f"{path.name}-wal") for path in readable]
    assert set(modes(*readable, *wals).values()) == {"0o600"}
    assert modes(folder.lock.parent, toy_settings.home / "airflow") == {"run": "0o700", "airflow": "0o700"}


def test_a_file_that_is_there_keeps_its_content_and_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "shared.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE kept (x)")
    path.chmod(0o660)
    create_private(path)
    assert modes(path) == {"shared.db": "0o660"}
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("kept",)]


def test_withdrawing_from_what_is_not_there_does_nothing(tmp_path: Path) -> None:
    withdraw(tmp_path / "missing.db")
    assert list(tmp_path.iterdir()) == []
