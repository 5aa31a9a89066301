"""Sessions: found, told apart from strangers, and ended whole."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.waiting import until

from airloop.errors import AirloopError
from airloop.settings import load_settings
from airloop_platform.supervisor import shutdown
from airloop_platform.supervisor.environment import python_path
from airloop_platform.supervisor.parts import Parts, SchedulerHold
from airloop_platform.supervisor.processes import Command, ProcessMark, mark, send, session, start
from airloop_platform.supervisor.run_folder import read_private, run_folder


@pytest.fixture
def leaders(tmp_path: Path) -> Iterator["Leaders"]:
    started = Leaders(tmp_path)
    yield started
    for process, leader in started.started:
        send(session(leader), signal.SIGKILL)
        process.wait()


class Leaders:
    def __init__(self, folder: Path) -> None:
        self.folder, self.started = folder, list[tuple[subprocess.Popen[bytes], ProcessMark]]()

    def sh(self, script: str) -> ProcessMark:
        process = start(command(self.folder, "sh", "-c", script), cwd=self.folder)
        leader = mark(process.pid)
        assert leader is not None
        self.started.append((process, leader))
        return leader


def command(folder: Path, *arguments: str) -> Command:
    return Command(arguments, dict(os.environ), folder / "part.log")


def size(leader: ProcessMark, expected: int) -> bool:
    return until(lambda: len(session(leader)) == expected, seconds=60)


def test_a_session_has_the_leader_and_its_children(leaders: Leaders) -> None:
    leader = leaders.sh("sleep 60 & sleep 60")
    assert size(leader, 3)
    assert leader.lives()


@pytest.mark.parametrize("part", ["boot", "start"])
def test_a_recycled_pid_is_a_strangers_and_is_left_alone(leaders: Leaders, part: str) -> None:
    leader = leaders.sh("exec sleep 60")
    boot, _, began = leader.born.partition("/")
    recorded = replace(leader, born=f"earlier/{began}" if part == "boot" else f"{boot}/1")
    assert not recorded.lives()
    assert shutdown.stop_services({"scheduler": recorded}) == []
    assert leader.lives()


def test_what_outlives_its_leader_is_still_found_and_ended(leaders: Leaders) -> None:
    leader = leaders.sh("sleep 60 & exit 0")
    assert until(lambda: not leader.lives(), seconds=60)
    assert size(leader, 1)
    assert shutdown.stop_services({"mlflow": leader}) == ["mlflow"]
    assert session(leader) == []


def test_stopping_twice_is_harmless(leaders: Leaders) -> None:
    leader = leaders.sh("exec sleep 60")
    assert shutdown.stop_services({"api-server": leader}) == ["api-server"]
    assert shutdown.stop_services({"api-server": leader}) == []


def test_tasks_are_killed_and_their_scheduler_may_report(leaders: Leaders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutdown, "_DRAIN_SECONDS", 0.5)
    # Like Airflow: the task has a process group of its own, ignores SIGTERM, and its end is awaited and reported.
    task = "import os, time, signal; os.setpgid(0, 0); signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(60)"
    script = f"trap 'wait; echo reported' TERM; {sys.executable} -uc \"{task}\" & wait"
    leader = leaders.sh(script)
    log = leaders.folder / "part.log"
    assert until(lambda: "up" in log.read_text(), seconds=10)
    shutdown.stop_services({"scheduler": leader})
    assert session(leader) == []
    assert "reported" in log.read_text()


def test_one_that_ignores_every_request_is_killed(leaders: Leaders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutdown, "_EXIT_SECONDS", 0.3)
    leader = leaders.sh("trap '' TERM; echo up; sleep 60; sleep 60")
    assert until(lambda: "up" in (leaders.folder / "part.log").read_text(), seconds=60)
    shutdown.stop_services({"triggerer": leader})
    assert session(leader) == []


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
def test_a_service_dies_with_its_supervisor(tmp_path: Path) -> None:
    script = f"""
import os, signal
from pathlib import Path
from airloop_platform.supervisor.processes import Command, start
folder = Path({str(tmp_path)!r})
child = start(Command(("sleep", "60"), dict(os.environ), folder / "part.log"), cwd=folder)
(folder / "pid").write_text(str(child.pid))
os.kill(os.getpid(), signal.SIGKILL)
"""
    environment = os.environ | {"PYTHONPATH": python_path(load_settings(home=tmp_path))}
    subprocess.run([sys.executable, "-c", script], env=environment, check=False)
    pid = int((tmp_path / "pid").read_text())
    assert until(lambda: not runs(pid), seconds=60)


def runs(pid: int) -> bool:
    found = mark(pid)
    return found is not None and found.lives()


def test_the_log_of_the_start_before_is_kept(leaders: Leaders) -> None:
    for text in ("first", "second"):
        assert size(leaders.sh(f"echo {text}"), 0)
    assert (leaders.folder / "part.log").read_text() == "second\n"
    assert (leaders.folder / "part.log.1").read_text() == "first\n"


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    folder = run_folder(load_settings(home=tmp_path))
    running = Parts(folder, tmp_path, "http://a", "http://m")
    yield running
    running.close()


def test_every_start_is_on_record_until_the_end(parts: Parts, tmp_path: Path) -> None:
    parts.start("triggerer", command(tmp_path, "sleep", "60"))
    record = read_private(parts.folder.processes)
    assert record is not None
    leader = ProcessMark(**record["services"]["triggerer"])
    assert leader.lives()
    parts.close()
    assert not leader.lives()
    assert not parts.folder.processes.exists()


def test_a_part_that_ends_is_named_with_its_exit_code_and_the_end_of_its_log(parts: Parts, tmp_path: Path) -> None:
    parts.start("scheduler", command(tmp_path, "sh", "-c", "echo no such table; exit 3"))
    assert until(lambda: died(parts) is not None, seconds=60)
    assert "scheduler ended with exit code 3" in str(died(parts))
    assert str(died(parts)).endswith("no such table")


def test_a_part_that_is_killed_is_named_with_the_signal(parts: Parts, tmp_path: Path) -> None:
    parts.start("mlflow", command(tmp_path, "sh", "-c", "kill -9 $$"))
    assert until(lambda: died(parts) is not None, seconds=60)
    assert "mlflow was killed by signal 9 (Killed)" in str(died(parts))


@pytest.mark.parametrize(("code", "fine"), [(0, True), (1, False)])
def test_only_a_part_that_is_meant_to_end_may_end_and_only_with_success(
    parts: Parts, tmp_path: Path, code: int, fine: bool
) -> None:
    parts.start("migration", replace(command(tmp_path, "sh", "-c", f"exit {code}"), ends=True))
    assert until(lambda: parts.succeeded("migration") or died(parts) is not None, seconds=60)
    assert parts.succeeded("migration") is fine
    assert (died(parts) is None) is fine


def died(parts: Parts) -> AirloopError | None:
    try:
        parts.check()
    except AirloopError as error:
        return error
    return None


def test_the_gate_lets_its_process_on_only_when_it_is_opened(parts: Parts, tmp_path: Path) -> None:
    gate = SchedulerHold()
    wait = "import os; os.read(int(os.environ['AIRLOOP_SCHEDULER_GATE']), 1); print('on')"
    parts.start("scheduler", command(tmp_path, sys.executable, "-uc", wait), gate=gate.reader)
    log = tmp_path / "part.log"
    assert log.read_text() == ""
    gate.open()
    assert until(lambda: log.read_text() == "on\n", seconds=60)
    gate.close()
