"""Services that die: started again, later each time, in the order that is safe, and not for ever."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.waiting import until

from airloop.errors import AirloopError
from airloop.settings import load_settings
from airloop_platform.supervisor import restarts
from airloop_platform.supervisor.parts import Parts
from airloop_platform.supervisor.presence import recorded_services
from airloop_platform.supervisor.processes import Command, ProcessMark, session
from airloop_platform.supervisor.restarts import Restarts
from airloop_platform.supervisor.run_folder import read_private, run_folder

SLEEPS, SLEEPS_WITH_A_CHILD = ("sleep", "600"), ("sh", "-c", "sleep 600 & exec sleep 600")
# The scheduler's gate: what it inherits, and what it does when it is let through.
WAITS = "import os; os.read(int(os.environ['AIRLOOP_SCHEDULER_GATE']), 1); print('on'); import time; time.sleep(600)"


class Platform:
    """Services that stand for Airflow's, watched; the delays are over when the test says so."""

    def __init__(self, folder: Path, parts: Parts, **commands: tuple[str, ...]) -> None:
        self.parts, self.progress, self.api_answers, self.clock = parts, list[str](), True, 0.0
        self.commands = {name.replace("_", "-"): self.command(folder, name, argv) for name, argv in commands.items()}
        for name, command in self.commands.items():
            parts.start(name, command)
        self.restarts = Restarts(
            parts, self.commands, lambda: self.api_answers, self.progress.append, clock=lambda: self.clock
        )

    @staticmethod
    def command(folder: Path, name: str, arguments: tuple[str, ...]) -> Command:
        return Command(arguments, dict(os.environ), folder / f"{name}.log")

    def leader(self, name: str) -> ProcessMark:
        return recorded_services(self.parts.folder)[name]

    def kill(self, name: str) -> ProcessMark:
        leader = self.leader(name)
        os.kill(leader.pid, signal.SIGKILL)
        assert until(lambda: name in {death.name for death in self.parts.deaths()}, seconds=30)
        return leader

    def look(self, *, after_seconds: float = 0.0) -> None:
        self.clock += after_seconds
        self.restarts.look()

    def counted(self) -> dict[str, int]:
        record = read_private(self.parts.folder.processes) or {}
        return dict(record["restarts"])


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    with closing(Parts(run_folder(load_settings(home=tmp_path)), tmp_path, "http://a", "http://m")) as running:
        yield running


@pytest.fixture
def platform(parts: Parts, tmp_path: Path) -> Platform:
    return Platform(tmp_path, parts, mlflow=SLEEPS, api_server=SLEEPS)


def test_a_service_that_died_is_started_again_after_its_delay_and_the_others_stay(platform: Platform) -> None:
    api, dead = platform.leader("api-server"), platform.kill("mlflow")
    platform.look()
    assert platform.leader("mlflow") == dead
    platform.look(after_seconds=restarts.DELAYS_SECONDS[0] - 0.1)
    assert platform.leader("mlflow") == dead
    platform.look(after_seconds=0.1)
    assert platform.leader("mlflow").lives()
    assert platform.leader("api-server") == api
    assert api.lives()
    assert platform.counted() == {"mlflow": 1}
    assert platform.progress == [
        "mlflow was killed by signal 9 (Killed): starting it again in 1 s (restart 1 of at most 3 within 10 minutes)"
    ]


def test_what_the_dead_leader_leaves_is_ended_before_its_successor_starts(parts: Parts, tmp_path: Path) -> None:
    platform = Platform(tmp_path, parts, mlflow=SLEEPS_WITH_A_CHILD)
    assert until(lambda: len(session(platform.leader("mlflow"))) == 2, seconds=30)
    dead = platform.kill("mlflow")
    assert len(session(dead)) == 1
    platform.look()
    assert session(dead) == []


def test_a_service_that_keeps_dying_ends_the_platform_with_its_log(parts: Parts, tmp_path: Path) -> None:
    platform = Platform(tmp_path, parts, triggerer=("sh", "-c", "echo no such table; exit 3"))

    def dies() -> bool:
        return parts.deaths() != []

    for seconds in restarts.DELAYS_SECONDS:
        assert until(dies, seconds=30)
        platform.look()
        platform.look(after_seconds=seconds)
    assert until(dies, seconds=30)
    with pytest.raises(AirloopError) as ended:
        platform.look()
    often = "triggerer died 4 times within 10 minutes; the last time it ended with exit code 3; everything was stopped."
    assert str(ended.value).startswith(f"{often} The end of ")
    assert str(ended.value).endswith("triggerer.log:\nno such table")
    assert platform.counted() == {"triggerer": 3}


def test_deaths_of_ten_minutes_ago_do_not_count(platform: Platform) -> None:
    for _ in range(5):
        platform.kill("mlflow")
        platform.look(after_seconds=restarts.WITHIN_SECONDS)
        platform.look(after_seconds=restarts.DELAYS_SECONDS[0])
        assert platform.leader("mlflow").lives()
    assert platform.counted() == {"mlflow": 5}
    assert len({line for line in platform.progress if "restart 1 of" in line}) == 1


def test_each_service_has_its_own_bound(platform: Platform) -> None:
    for name in ("mlflow", "api-server") * len(restarts.DELAYS_SECONDS):
        platform.kill(name)
        platform.look()
        platform.look(after_seconds=max(restarts.DELAYS_SECONDS))
        assert platform.leader(name).lives()
    assert platform.counted() == dict.fromkeys(("mlflow", "api-server"), len(restarts.DELAYS_SECONDS))


def test_a_scheduler_goes_on_only_when_the_api_server_answers_again(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = Platform(tmp_path, parts, api_server=SLEEPS, scheduler=SLEEPS)
    monkeypatch.setattr(restarts, "DELAYS_SECONDS", (0.0,))
    platform.commands["scheduler"] = Platform.command(tmp_path, "scheduler", (sys.executable, "-uc", WAITS))
    platform.api_answers = False
    for name in ("scheduler", "api-server"):
        platform.kill(name)
    platform.look()
    log = tmp_path / "scheduler.log"
    assert platform.leader("scheduler").lives()
    assert platform.leader("api-server").lives()
    platform.look()
    assert log.read_text() == ""
    platform.api_answers = True
    platform.look()
    assert until(lambda: log.read_text() == "on\n", seconds=30)
    platform.restarts.close()
