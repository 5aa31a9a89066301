"""macOS, as far as it can be played here: no /proc, no prctl, tasks that inherit nothing, and a shorter demo."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.support.waiting import bound, until

from airloop.settings import Settings
from airloop_platform import cli
from airloop_platform.replay import command
from airloop_platform.supervisor import processes, shutdown
from airloop_platform.supervisor.environment import airflow_environment
from airloop_platform.supervisor.processes import Command, mark, send, session, start

ROOT = Settings().project_dir


@pytest.fixture
def macos(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The platform's name, and nothing below /proc."""
    read = Path.read_text

    def without_proc(path: Path, *arguments: Any, **options: Any) -> str:
        if path.is_relative_to("/proc"):
            raise FileNotFoundError(path)
        return read(path, *arguments, **options)

    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(Path, "read_text", without_proc)
    processes._boot.cache_clear()
    yield
    processes._boot.cache_clear()


@pytest.fixture
def months(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    taken: list[int] = []
    monkeypatch.setattr(command, "replay_and_show", lambda _, windows, *__, **___: taken.append(len(windows)))
    return taken


@pytest.mark.parametrize(
    ("platform", "arguments", "expected", "said"),
    [
        ("linux", (), 12, ""),
        ("darwin", (), 3, "macOS: Airflow starts every task in a new process here"),
        ("darwin", ("--months", "12"), 12, ""),
        ("linux", ("--months", "3"), 3, ""),
    ],
)
def test_the_demo_takes_a_year_and_on_macos_the_short_form_unless_it_is_told(
    platform: str,
    arguments: tuple[str, ...],
    expected: int,
    said: str,
    months: list[int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    with pytest.raises(SystemExit) as left:
        cli.main(("demo", *arguments))
    printed = capsys.readouterr().out
    assert (left.value.code, months, len(printed.splitlines())) == (0, [expected], bool(said))
    assert said in printed
    assert ("make demo MONTHS=12" in printed) == bool(said)


@pytest.mark.parametrize(("given", "options"), [((), ""), (("MONTHS=6",), "--months 6")])
def test_make_leaves_the_length_to_the_command_unless_it_is_given(given: tuple[str, ...], options: str) -> None:
    # `make test` hands its own level and flags on, and a nested make then talks about folders.
    outer = ("MONTHS", "MAKELEVEL", "MAKEFLAGS", "MFLAGS")
    environment = {name: value for name, value in os.environ.items() if name not in outer}
    shown = subprocess.run(
        ["make", "-n", "demo", *given], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip().splitlines()[-1].partition("airloop demo")[2].strip() == options


@pytest.mark.usefixtures("macos")
def test_a_service_is_started_found_and_ended_whole(tmp_path: Path) -> None:
    script = Command(("sh", "-c", "sleep 60 & sleep 60"), dict(os.environ), tmp_path / "part.log")
    process = start(script, cwd=tmp_path)
    leader = mark(process.pid)
    try:
        assert leader is not None
        assert leader.lives()
        assert until(lambda: len(session(leader)) == 3, seconds=5)
        assert shutdown.stop_services({"part": leader}) == ["part"]
        assert process.wait(timeout=bound(60)) == -signal.SIGTERM
        assert not leader.lives()
        assert shutdown.stop_services({"part": leader}) == []
    finally:
        send(session(leader) if leader else [], signal.SIGKILL)
        process.wait()


@pytest.mark.usefixtures("macos")
def test_nothing_ties_a_service_to_its_supervisor_where_there_is_no_prctl() -> None:
    assert processes._tie_to_parent(signal.SIGTERM) is None


@pytest.mark.usefixtures("macos")
def test_a_mark_holds_the_boot_that_macos_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sysctl = tmp_path / "sysctl"
    sysctl.write_text('#!/bin/sh\n[ "$*" = "-n kern.bootsessionuuid" ] && echo 6E1A-BOOT\n')
    sysctl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    found = mark(os.getpid())
    assert found is not None
    assert found.born == f"6E1A-BOOT/{psutil.Process().create_time():.2f}"
    assert found.lives()


@pytest.mark.usefixtures("macos")
def test_without_a_name_of_the_boot_its_second_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = mark(os.getpid())
    assert found is not None
    assert found.born.startswith(f"{int(psutil.boot_time())}/")


@pytest.mark.parametrize(("platform", "value"), [("linux", None), ("darwin", "YES")])
def test_services_that_fork_survive_macos(
    platform: str, value: str | None, toy_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    environment = airflow_environment(toy_settings, airflow_port=1, mlflow_url="")
    assert environment.get("OBJC_DISABLE_INITIALIZE_FORK_SAFETY") == value


def test_the_scheduler_of_macos_preloads_nothing() -> None:
    # Versions nobody tested keep it from importing Airflow, which would not run under a false platform.
    code = (
        "import sys, importlib.metadata; importlib.metadata.version = lambda _: '0'; sys.platform = 'darwin';"
        "sys.argv = ['airflow', 'scheduler']; import airflow_local_settings; print(*sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "include" / "airloop_platform" / "airflow_config")}
    loaded = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert "airflow_local_settings" in loaded.stdout.split()
    assert not {"airloop", "pandas", "mlflow"} & set(loaded.stdout.split())
