"""MLflow's first SQLite files: killed while they are made, and made again; made by two at once; kept when there."""

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from airloop.errors import UpstreamUnavailable
from airloop.settings import Settings
from airloop.stores.mlflow import tracking, tracking_tables
from airloop_platform.supervisor.environment import mlflow_environment
from airloop_platform.supervisor.run_folder import run_folder
from airloop_platform.supervisor.services import mlflow_tables_command

pytestmark = pytest.mark.integration

REPOSITORY = str(Path(__file__).resolve().parents[2])


# Where the process that makes the files is killed: as it opens one to make it, or between the two halves of MLflow's
# first migration on SQLite, which has added its column and not noted that it did.
OPENING = "from tests.support import marked_points; marked_points.die_before('sqlite3.connect', {name!r}, 1)"
MIGRATING = """
import os, signal
from alembic.runtime.migration import HeadMaintainer

HeadMaintainer.update_to_step = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
"""


def start(settings: Settings, moment: str = "") -> subprocess.Popen[bytes]:
    path, work = (
        f"import sys; sys.path.insert(0, {REPOSITORY!r})",
        "from airloop.stores.mlflow import tracking_tables; tracking_tables.main()",
    )
    code = f"{path}\n{moment}\n{work}"
    return subprocess.Popen([sys.executable, "-P", "-c", code], env=mlflow_environment(settings), cwd=settings.home)


def tables(path: Path) -> dict[str, str]:
    """The text that made each table, its later columns included."""
    with closing(sqlite3.connect(path)) as connection:
        return dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall())


def killed_at(settings: Settings, moment: str) -> None:
    assert start(settings, moment).wait() == -signal.SIGKILL


@pytest.fixture
def settings(toy_settings: Settings) -> Settings:
    toy_settings.home.mkdir(exist_ok=True)
    return toy_settings


@pytest.fixture
def runs(settings: Settings) -> Path:
    path = tracking_tables.missing(settings.mlflow_tracking_uri)
    assert path is not None
    return path


def test_a_kill_among_mlflows_own_migrations_is_what_it_cannot_repair(settings: Settings, runs: Path) -> None:
    """Why the module is there: when MLflow learns to, this test fails and the module can go."""
    making = runs.with_name(f".{runs.name}.making")
    killed_at(settings, MIGRATING)
    assert "step" in tables(making)["metrics"]
    making.rename(runs)
    with pytest.raises(UpstreamUnavailable, match="duplicate column name"):
        tracking.client(settings).search_experiments()


@pytest.mark.parametrize("moment", [OPENING.format(name=".mlflow.db.making"), MIGRATING], ids=["opening", "migrating"])
def test_killed_while_the_tables_are_made_it_makes_them_again(settings: Settings, runs: Path, moment: str) -> None:
    making = runs.with_name(f".{runs.name}.making")
    killed_at(settings, moment)
    assert making.exists()
    assert not runs.exists()
    assert tracking.client(settings).search_experiments()
    assert not making.exists()


def test_killed_while_the_users_are_made_it_makes_them_again(settings: Settings) -> None:
    users = run_folder(settings).mlflow_users
    making = users.with_name(f".{users.name}.making")
    killed_at(settings, OPENING.format(name=making.name))
    assert making.exists()
    assert not users.exists()
    assert mlflow_tables_command(settings) is not None
    assert start(settings).wait() == 0
    assert {"users", "alembic_version_auth"} <= set(tables(users))
    assert mlflow_tables_command(settings) is None


def test_two_at_once_make_one_file(settings: Settings, runs: Path) -> None:
    assert [one.wait() for one in [start(settings), start(settings)]] == [0, 0]
    assert len(tracking.client(settings).search_experiments()) == 1
    born = runs.stat().st_ino
    assert start(settings).wait() == 0
    assert runs.stat().st_ino == born


@pytest.mark.parametrize("url", ["postgresql+psycopg2://a@b/c", "http://127.0.0.1:5000", "sqlite://", "sqlite:///"])
def test_other_databases_are_left_to_mlflow(url: str) -> None:
    assert tracking_tables.missing(url) is None
    tracking_tables.make(url)


def test_a_place_where_no_file_can_be_is_said_in_one_line(settings: Settings) -> None:
    (settings.home / "taken").write_text("a file, no folder")
    here = settings.model_copy(update={"mlflow_tracking_uri": f"sqlite:///{settings.home}/taken/mlflow.db"})
    with pytest.raises(
        UpstreamUnavailable, match=r"^MLflow at sqlite:.*taken.*: .*(File exists|Not a directory)"
    ) as said:
        tracking.client(here)
    assert len(str(said.value).splitlines()) == 1
