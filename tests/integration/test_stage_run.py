"""Stages in real processes, started twice at once; corrections put back. Kills: test_killed_anywhere.py."""

import multiprocessing
import signal
import subprocess
import sys
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

import pytest
from tests.support import toy
from tests.support.waiting import bound

from airloop.records import Ingested, TableVersion
from airloop.settings import Settings
from airloop.stores import lake, state

pytestmark = pytest.mark.integration

REPOSITORY = Path(__file__).resolve().parents[2]
WINDOW = toy.days(0, 20)
STAGES = ("ingest", "validate_raw", "build_features")
# Dies by SIGKILL when all tables are written and the record is not.
DIE_BEFORE_THE_RECORD = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from airloop.settings import load_settings
from airloop.stores import state
from tests.support import toy

state.save_record = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
toy.run("ingest", load_settings(project_dir=sys.argv[2], home=sys.argv[3]), toy.days(0, 20))
"""


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Processes that start with the stages imported, like Airflow's do here."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        [
            "tests.support.toy",
            "airloop.data.ingest",
            "airloop.data.validate_raw",
            "airloop.features.build_features",
        ]
    )
    first = context.Process(target=toy.days, args=(0, 1))
    first.start()
    first.join(timeout=bound(120))
    return context


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = _project(tmp_path_factory.mktemp("undisturbed"))
    toy.run_data(settings, WINDOW)
    return settings


def _project(folder: Path) -> Settings:
    settings = toy.write_project(folder / "project", REPOSITORY)
    toy.land(settings, days=range(20))
    return settings


def _before(stage: str, folder: Path) -> Settings:
    """A project in which every stage before this one has run."""
    settings = _project(folder)
    for earlier in STAGES[: STAGES.index(stage)]:
        toy.run(earlier, settings, WINDOW)
    return settings


def _start(processes: ForkServerContext, stage: str, settings: Settings) -> ForkServerProcess:
    run = processes.Process(target=toy.run, args=(stage, settings, WINDOW))
    run.start()
    return run


def _locks(settings: Settings) -> list[Path]:
    return list((settings.home / "run" / "locks").iterdir())


def _tables(settings: Settings, stage: str) -> list[TableVersion]:
    (record,) = state.latest_records(settings, "toy", stage, window=WINDOW)
    return [TableVersion(**table) for table in record["views" if stage == "build_features" else "tables"]]


def _digests(settings: Settings, stage: str) -> dict[str, str]:
    return {table.table: table.digest for table in _tables(settings, stage)}


def _held(settings: Settings, stage: str) -> dict[str, str]:
    """Digests of what the tables hold now, whatever the record says."""
    found = {}
    for table in _tables(settings, stage):
        rows = lake.read(table.uri, settings)
        found[table.table] = lake.content_digest(rows.sort_by([(name, "ascending") for name in rows.schema.names]))
    return found


@pytest.mark.parametrize("stage", STAGES)
def test_two_processes_running_one_stage_at_once_leave_one_record_and_whole_tables(
    processes: ForkServerContext, tmp_path: Path, undisturbed: Settings, stage: str
) -> None:
    settings = _before(stage, tmp_path)
    runs = [_start(processes, stage, settings) for _ in range(2)]
    for run in runs:
        run.join(timeout=bound(120))
    assert [run.exitcode for run in runs] == [0, 0]
    assert len(state.latest_records(settings, "toy", stage)) == 1
    assert {table.version for table in _tables(settings, stage)} == {0}
    assert _digests(settings, stage) == _digests(undisturbed, stage)
    assert _held(settings, stage) == _held(undisturbed, stage)
    assert _locks(settings) == []


def test_a_correction_put_back_leaves_what_it_left_at_first(tmp_path: Path, undisturbed: Settings) -> None:
    settings = _project(tmp_path)
    toy.run_data(settings, WINDOW)
    toy.land(settings, days=range(10, 20), shuffled=True)
    toy.run_data(settings, WINDOW)
    assert _held_of_all(settings) != _held_of_all(undisturbed)
    toy.land(settings, days=range(20))
    toy.run_data(settings, WINDOW)
    assert _held_of_all(settings) == _held_of_all(undisturbed)
    newest = Ingested.from_json(state.latest_records(settings, "toy", "ingest", window=WINDOW)[-1])
    assert {table.digest for table in newest.tables} == set(_digests(undisturbed, "ingest").values())


def test_a_correction_whose_run_was_killed_before_its_record_is_taken_back_with_its_file(
    tmp_path: Path, undisturbed: Settings
) -> None:
    settings = _project(tmp_path)
    toy.run_data(settings, WINDOW)
    toy.land(settings, days=range(10, 20), shuffled=True)
    arguments = [str(REPOSITORY), str(settings.project_dir), str(settings.home)]
    killed = subprocess.run([sys.executable, "-c", DIE_BEFORE_THE_RECORD, *arguments], timeout=bound(120), check=False)
    assert killed.returncode == -signal.SIGKILL
    assert _held(settings, "ingest") != _held(undisturbed, "ingest")
    toy.land(settings, days=range(20))
    toy.run_data(settings, WINDOW)
    assert _held_of_all(settings) == _held_of_all(undisturbed)
    assert _locks(settings) == []


def _held_of_all(settings: Settings) -> dict[str, str]:
    found = {}
    for layer, tables in (
        ("raw", ("jobs", "failures")),
        ("clean", ("jobs", "failures")),
        ("features", ("job_static",)),
    ):
        for table in tables:
            rows = lake.read(lake.table_uri(settings, "toy", layer, table), settings)
            order = [(name, "ascending") for name in rows.schema.names]
            found[f"{layer}/{table}"] = lake.content_digest(rows.sort_by(order))
    return found
