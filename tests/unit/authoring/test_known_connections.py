"""The connection of an SQL feed is looked for where this installation can know it; one that nobody knows is said."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.support import toy_sql
from tests.support.command import in_checkout

from airloop.settings import Settings


@pytest.fixture
def shop(tmp_path: Path) -> Settings:
    return toy_sql.write_project(tmp_path / "project", Settings().project_dir, f"sqlite:///{tmp_path}/shop.db")


def looks(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    shown = in_checkout(settings, monkeypatch, capsys)("pipelines", "check", "toy")
    assert shown.code == 0
    return [line for line in shown.out.splitlines() if "no connection" in line]


def test_a_connection_that_nobody_knows_is_said_for_each_feed(shop, monkeypatch, capsys) -> None:
    said = looks(shop, monkeypatch, capsys)
    assert len(said) > 1
    assert all("no connection 'shop' is known here" in line for line in said)
    assert all("airflow connections add shop" in line for line in said)


def test_one_of_airloops_own_or_of_the_environment_is_known(shop, monkeypatch, capsys) -> None:
    monkeypatch.setenv("AIRLOOP_CONNECTIONS", '{"shop": "sqlite:///x.db"}')
    assert looks(shop, monkeypatch, capsys) == []
    monkeypatch.delenv("AIRLOOP_CONNECTIONS")
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", "sqlite:///x.db")
    assert looks(shop, monkeypatch, capsys) == []


def test_one_of_this_machines_airflow_is_known(shop, monkeypatch, capsys) -> None:
    path = shop.home / "airflow" / "airflow.db"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE connection (conn_id TEXT)")
    assert looks(shop, monkeypatch, capsys) != []
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("INSERT INTO connection VALUES ('shop')")
    assert looks(shop, monkeypatch, capsys) == []
