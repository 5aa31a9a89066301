"""Migrations: an older home opens and is what a new one is, a newer one is refused, and nothing is half done."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.support.command import Airloop

from airloop.errors import ConfigError
from airloop.records import Window
from airloop.settings import Settings, load_settings
from airloop.stores import claims, ledger, migrations, state
from airloop.stores.state import database

WINDOW = Window.parse("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z")
# The tables as the release before revisions made them, with a record, an entry of the ledger and an answered reason.
OLD_HOME = """
CREATE TABLE stage_runs (id INTEGER NOT NULL, pipeline VARCHAR(100) NOT NULL, stage VARCHAR(40) NOT NULL,
  input_key VARCHAR(64) NOT NULL, window_start VARCHAR(32) NOT NULL, window_end VARCHAR(32) NOT NULL,
  record TEXT NOT NULL, finished_at VARCHAR(32) NOT NULL, PRIMARY KEY (id), UNIQUE (pipeline, stage, input_key));
CREATE TABLE ledger (pipeline VARCHAR(100) NOT NULL, sequence INTEGER NOT NULL, kind VARCHAR(20) NOT NULL,
  effective_at VARCHAR(32) NOT NULL, payload TEXT NOT NULL, recorded_at VARCHAR(32) NOT NULL,
  previous_hash VARCHAR(64) NOT NULL, hash VARCHAR(64) NOT NULL, PRIMARY KEY (pipeline, sequence));
CREATE TABLE answered_reasons (pipeline VARCHAR(100) NOT NULL, reason_key VARCHAR(200) NOT NULL,
  run_key VARCHAR(300) NOT NULL, claimed_at VARCHAR(32) NOT NULL, PRIMARY KEY (pipeline, reason_key));
INSERT INTO stage_runs VALUES (1, 'toy', 'ingest', 'key', '2020-01-01T00:00:00.000000Z', '2020-01-02T00:00:00.000000Z',
  '{"rows": 3}', '2020-01-03T00:00:00.000000Z');
INSERT INTO answered_reasons VALUES ('toy', 'probe:1', 'run', '2020-01-03T00:00:00.000000Z');
"""


def old_home(home: Path) -> Settings:
    home.mkdir(exist_ok=True)
    with sqlite3.connect(home / "state.db") as database:
        database.executescript(OLD_HOME)
    database.close()
    return load_settings(home=home)


def schema(path: Path) -> dict[str, str]:
    """What made each table and index, white space aside; a later column or index shows."""
    with sqlite3.connect(path) as database:
        rows = database.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    database.close()
    return {name: " ".join(text.replace('"', "").replace("( ", "(").split()) for name, text in rows}


def columns(settings: Settings) -> dict[str, list[str]]:
    inspector = sa.inspect(sa.create_engine(settings.state_url))
    return {
        table: sorted([column["name"] for column in inspector.get_columns(table)])
        + sorted(str(index["name"]) for index in inspector.get_indexes(table))
        for table in inspector.get_table_names()
    }


def test_an_old_home_opens_with_all_it_holds_and_is_what_a_new_one_is(tmp_path: Path) -> None:
    old, new = old_home(tmp_path / "old"), load_settings(home=tmp_path / "new")
    assert state.find_record(old, "toy", "ingest", "key") == {"rows": 3}
    assert claims.reason_owner(old, "toy", "probe:1") == "run"
    assert ledger.head(new, "toy") == 0
    assert columns(old) == columns(new)
    entry = ledger.append(old, "toy", kind="alarm", effective_at=WINDOW.end, payload={"why": "x"})
    assert (entry.sequence, ledger.verify(old, "toy")) == (1, [])


def test_a_home_of_a_newer_airloop_is_refused_with_one_line_and_left_alone(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path)
    state.find_record(settings, "toy", "ingest", "key")
    database._engine.cache_clear()
    with sqlite3.connect(tmp_path / "state.db") as connection:
        connection.execute("UPDATE airloop_version SET version_num = '0099'")
    connection.close()
    before = schema(tmp_path / "state.db")
    with pytest.raises(ConfigError, match="at revision 0099, and this airloop knows up to"):
        state.find_record(settings, "toy", "ingest", "key")
    assert schema(tmp_path / "state.db") == before


def test_a_revision_that_fails_half_way_leaves_the_database_as_it_was(tmp_path: Path, monkeypatch) -> None:
    settings = old_home(tmp_path / "old")
    before = schema(tmp_path / "old" / "state.db")
    from alembic import op

    def fail(*_arguments: object, **_options: object) -> None:
        raise RuntimeError("out of the blue")

    with monkeypatch.context() as patch:
        patch.setattr(op, "create_index", fail)
        with pytest.raises(RuntimeError, match="out of the blue"):
            state.find_record(settings, "toy", "ingest", "key")
    assert schema(tmp_path / "old" / "state.db") == before
    assert state.find_record(settings, "toy", "ingest", "key") == {"rows": 3}


def test_processes_that_open_an_old_home_at_once_both_find_its_record(tmp_path: Path) -> None:
    settings = old_home(tmp_path / "old")
    code = (
        "import sys; from airloop.settings import load_settings; from airloop.stores import state;"
        "print(state.find_record(load_settings(home=sys.argv[1]), 'toy', 'ingest', 'key'))"
    )
    command = [sys.executable, "-W", "ignore", "-c", code, str(settings.home)]
    include = Settings().project_dir / "include"
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=include) for _ in range(3)]
    assert [process.communicate()[0].strip() for process in started] == ["{'rows': 3}"] * 3


def test_every_revision_is_listed_in_a_row_and_the_last_is_the_head() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    scripts = ScriptDirectory.from_config(config)
    numbers = range(int(migrations.HEAD), 0, -1)
    assert [script.revision for script in scripts.walk_revisions()] == [f"{number:04d}" for number in numbers]
    assert scripts.get_current_head() == migrations.HEAD


def test_the_command_says_what_it_did(airloop: Airloop, toy_settings: Settings) -> None:
    old_home(Path(toy_settings.home))
    assert f"0001 -> {migrations.HEAD}" in airloop("upgrade").out
    assert f"at revision {migrations.HEAD}, nothing to do" in airloop("upgrade").out
