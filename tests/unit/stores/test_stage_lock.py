"""A lock has one holder at a time, leaves nothing behind, and dies with its holder."""

import fcntl
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.support.waiting import bound

from airloop.settings import Settings, load_settings
from airloop.stores.locks import stage_lock

HOLD = """
import sys
from pathlib import Path
from airloop.settings import load_settings
from airloop.stores.locks import stage_lock
with stage_lock(load_settings(home=sys.argv[1]), "toy", "ingest"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path)


def _files(settings: Settings) -> list[Path]:
    return list((settings.home / "run" / "locks").glob("*"))


def test_holders_of_one_lock_follow_each_other(settings: Settings) -> None:
    inside, most = 0, 0

    def enter(_: int) -> None:
        nonlocal inside, most
        for _ in range(20):
            with stage_lock(settings, "toy", "ingest"):
                inside += 1
                most = max(most, inside)
                inside -= 1

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(enter, range(6)))
    assert most == 1
    assert _files(settings) == []


def test_locks_of_other_names_do_not_wait(settings: Settings) -> None:
    names = [("toy", "ingest", "w"), ("toy", "ingest", "v"), ("toy", "score", "w"), ("toyingest", "w")]
    together = threading.Barrier(len(names), timeout=bound(30))

    def enter(name: tuple[str, ...]) -> None:
        with stage_lock(settings, *name):
            together.wait()

    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(enter, names))


def test_an_error_inside_gives_the_lock_back(settings: Settings) -> None:
    with pytest.raises(ZeroDivisionError), stage_lock(settings, "toy", "ingest"):
        raise ZeroDivisionError
    with stage_lock(settings, "toy", "ingest"):
        assert len(_files(settings)) == 1


def test_the_lock_of_a_killed_process_is_free_and_until_then_it_is_not(settings: Settings) -> None:
    command = [sys.executable, "-c", HOLD, str(settings.home)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        (file,) = _files(settings)
        with file.open() as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        holder.kill()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(_enter, settings).result(timeout=bound(30))
    assert _files(settings) == []


def _enter(settings: Settings) -> None:
    with stage_lock(settings, "toy", "ingest"):
        pass
