"""Feeds from SQL in Airflow: extract comes first, the task looks its connection up, the password is seen nowhere."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG
from dag_runs import DAGS, states
from tests.support import postgresql, toy_sql

from airloop.settings import Settings

pytestmark = pytest.mark.filterwarnings("ignore")

PROJECT = DAGS.parent
GOLDEN = PROJECT / "tests" / "golden"
PASSWORD = "pA55/word of the shop"
DAY = {"start": "2020-01-01T00:00:00Z", "end": "2020-01-02T00:00:00Z"}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    made = toy_sql.write_project(tmp_path / "project", PROJECT, f"sqlite:///{tmp_path}/shop.db")
    monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(made.project_dir))
    monkeypatch.setenv("AIRLOOP_HOME", str(made.home))
    return made


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    import airflow.sdk.execution_time.context as lookups

    asked: list[str] = []
    found = lookups._get_connection

    def record(conn_id: str) -> Any:
        asked.append(conn_id)
        return found(conn_id)

    monkeypatch.setattr(lookups, "_get_connection", record)
    return asked


def parse() -> DAG:
    bag = DagBag(dag_folder=str(DAGS / "airloop_data_dag.py"))
    assert bag.import_errors == {}
    return bag.dags["toy__data"]


def edges(dag: DAG) -> dict[str, list[str]]:
    return {task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks}


def test_extract_comes_before_the_tasks_of_every_other_pipeline(settings: Settings) -> None:
    names = ("data.json", "data_joined.json", "data_sql.json")
    every, joined, sql = (json.loads((GOLDEN / name).read_text()) for name in names)
    assert edges(parse()) == every | joined | sql


def test_parsing_looks_no_connection_up(settings: Settings, looked_up: list[str]) -> None:
    parse()
    assert looked_up == []


@pytest.mark.integration
@pytest.mark.usefixtures("airflow_database", "settings")
def test_a_connection_that_airflow_does_not_have_fails_without_retry(
    looked_up: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    done = parse().test(run_conf=DAY)
    assert (states(done)["extract"], states(done)["ingest"]) == ("failed", "upstream_failed")
    assert looked_up == ["shop"]
    assert "airflow connections add shop" in capsys.readouterr().out


@pytest.fixture(scope="module")
def socket_folder() -> Iterator[Path]:
    with postgresql.server() as folder:
        yield folder


@pytest.mark.integration
def test_the_password_is_seen_nowhere(
    *,
    settings: Settings,
    socket_folder: Path,
    airflow_database: Path,
    looked_up: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    url = sa.URL.create(
        "postgresql+psycopg2", "postgres", PASSWORD, database="postgres", query={"host": str(socket_folder)}
    )
    text = url.render_as_string(hide_password=False)
    made = settings.model_copy(update={"connections": {"shop": text}})
    toy_sql.METADATA.create_all(engine := sa.create_engine(text))
    engine.dispose()
    toy_sql.fill(made, range(1))
    how = {"conn_type": "postgres", "login": "postgres", "password": PASSWORD, "schema": "postgres"}
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps(how | {"extra": {"host": str(socket_folder)}}))
    done = parse().test(run_conf=DAY)
    assert {task: state for task, state in states(done).items() if state != "success"} == {"alone": "skipped"}
    # A database that is gone: the error says why, and nothing else.
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps(how | {"host": "127.0.0.1", "port": 1}))
    day = {"start": "2020-01-02T00:00:00Z", "end": "2020-01-03T00:00:00Z"}
    assert states(parse().test(run_conf=day))["extract"] != "success"
    assert set(looked_up) == {"shop"}
    out, err = capfd.readouterr()
    assert "the database does not answer" in out + err + caplog.text
    seen = {"output": out.encode(), "errors": err.encode(), "log": caplog.text.encode()}
    for folder in (settings.home, airflow_database):
        seen |= {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    secrets = [secret.encode() for secret in (PASSWORD, PASSWORD.split()[0], text.split(":")[2].split("@")[0])]
    assert [place for place, content in seen.items() if any(secret in content for secret in secrets)] == []
