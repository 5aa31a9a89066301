"""Where the files of tests lie."""

import fcntl
import os
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.support import memory_files


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(memory_files, "MEMORY", tmp_path)
    monkeypatch.setattr(memory_files, "FREE", 0)
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", "")  # what begin() sets is taken back
    monkeypatch.delenv("TMPDIR")
    return tmp_path


def test_a_session_has_a_folder_in_memory_and_removes_those_of_sessions_that_are_gone(memory: Path) -> None:
    running, gone = memory / "airloop-tests-one", memory / "airloop-tests-two"
    for folder in (running, gone):
        folder.mkdir()
    lock = os.open(running, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    folder = memory_files.begin()
    assert Path(tempfile.mkdtemp()).parent == folder
    assert set(memory.iterdir()) == {running, folder}
    assert memory_files.begin() is None  # a worker of this session writes where the session does
    os.close(lock)


def test_where_memory_is_short_or_runs_no_programs_the_systems_folder_stays(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_files, "FREE", 2**60)
    assert memory_files.begin() is None
    monkeypatch.setattr(memory_files, "FREE", 0)
    monkeypatch.setattr(memory_files, "MEMORY", memory / "missing")
    assert memory_files.begin() is None
    monkeypatch.setattr(memory_files, "MEMORY", memory)
    about = SimpleNamespace(f_bavail=2**40, f_frsize=1, f_flag=os.ST_NOEXEC)
    monkeypatch.setattr(os, "statvfs", lambda _folder: about)
    assert memory_files.begin() is None
    assert "TMPDIR" not in os.environ
    about.f_flag = 0
    assert memory_files.begin() is not None
