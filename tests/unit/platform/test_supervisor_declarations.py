"""Airflow is told that a declaration was edited: the DAG files get a new time, and no other does."""

import os
from pathlib import Path

import pytest
from tests.support import toy_fleet

from airloop.settings import Settings
from airloop_platform.supervisor.declarations import Declarations

LONG_AGO = 1_600_000_000


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def dag_file(toy_settings: Settings) -> Path:
    path = toy_settings.project_dir / "dags" / "airloop_data_dag.py"
    path.parent.mkdir()
    path.write_text("build()")
    return path


def touched_at(watch: Declarations, clock: Clock, dag_file: Path, *, until: int) -> list[int]:
    """After which of the coming seconds the DAG file had a new time."""
    seconds = []
    for second in range(1, until + 1):
        os.utime(dag_file, (LONG_AGO, LONG_AGO))
        clock.now += 1
        watch.look()
        if dag_file.stat().st_mtime > LONG_AGO:
            seconds.append(second)
    return seconds


def test_what_nobody_edits_is_left_alone(toy_settings: Settings, dag_file: Path) -> None:
    clock = Clock()
    assert touched_at(Declarations(toy_settings, clock), clock, dag_file, until=30) == []


def test_an_edit_is_told_within_two_seconds_and_once_more_for_a_file_that_was_being_read(
    toy_settings: Settings, dag_file: Path
) -> None:
    clock = Clock()
    watch = Declarations(toy_settings, clock)
    toy_fleet.rewrite(toy_settings.pipelines_dir / "toy" / "pipeline.yaml", "owner: tests", "owner: others")
    assert touched_at(watch, clock, dag_file, until=40) == [2, 12]


def test_a_pipeline_that_comes_or_goes_is_told(toy_settings: Settings, dag_file: Path) -> None:
    clock = Clock()
    watch = Declarations(toy_settings, clock)
    folder = toy_fleet.add(toy_settings, "second")
    assert touched_at(watch, clock, dag_file, until=4) == [2]
    (folder / "pipeline.yaml").unlink()
    assert touched_at(watch, clock, dag_file, until=4) == [2]


def test_files_that_no_dag_is_made_of_tell_nothing(toy_settings: Settings, dag_file: Path) -> None:
    clock = Clock()
    watch = Declarations(toy_settings, clock)
    (toy_settings.pipelines_dir / "toy" / "features.sql").write_text("-- another text")
    assert touched_at(watch, clock, dag_file, until=20) == []


def test_dag_files_that_cannot_be_touched_end_nothing(
    toy_settings: Settings, dag_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: Path) -> None:
        raise PermissionError("read-only file system")

    clock = Clock()
    watch = Declarations(toy_settings, clock)
    toy_fleet.add(toy_settings, "second")
    with monkeypatch.context() as patch:
        patch.setattr(os, "utime", refuse)
        clock.now += 2
        watch.look()
    assert touched_at(watch, clock, dag_file, until=10) == [10]
