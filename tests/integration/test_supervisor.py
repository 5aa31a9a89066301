"""The real platform: started, asked, broken and stopped. One start serves several tests (15-20 s each on two cores)."""

import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import psutil
import pytest
from tests.support.waiting import bound, until

from airloop.errors import AirloopError
from airloop.settings import Settings, load_settings
from airloop_platform import supervisor
from airloop_platform.supervisor.environment import python_path, settings_environment
from airloop_platform.supervisor.ports import choose_ports
from airloop_platform.supervisor.presence import recorded_services
from airloop_platform.supervisor.presence import supervisor as supervising
from airloop_platform.supervisor.processes import ProcessMark, mark, session
from airloop_platform.supervisor.run_folder import run_folder

pytestmark = pytest.mark.integration

# A task whose child ignores that its parent is gone.
DAG = """
import subprocess
from airflow.sdk import dag, task

@dag(schedule=None)
def nap():
    @task
    def sleep():
        subprocess.run(["sleep", "611"], check=True)
    sleep()

nap()
"""
# Runs that take turns: some are at work while others are posted.
BRIEF_DAGS = """
from airflow.sdk import dag, task

for number in range(2):
    @dag(f"brief_{number}", schedule=None)
    def brief():
        @task
        def say():
            return number
        say()

    brief()
"""
BURST = 30


def ignore(_: object) -> None:
    """A callback that is not interested."""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    project = tmp_path_factory.mktemp("project")
    (project / "dags").mkdir()
    (project / "plugins").mkdir()
    (project / "dags" / "nap_dag.py").write_text(DAG)
    (project / "dags" / "brief_dag.py").write_text(BRIEF_DAGS)
    settings = load_settings(project_dir=project, home=project / "home")
    yield settings
    supervisor.down(settings, on_progress=ignore)
    assert strangers(settings) == []


@pytest.fixture
def platform(settings: Settings) -> supervisor.Platform:
    return supervisor.current(settings) or supervisor.start_detached(settings, on_progress=ignore)


def strangers(settings: Settings) -> list[str]:
    """Every process that was started for this home, whatever its session."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            belongs = process.environ().get("AIRLOOP_HOME") == str(settings.home)
            if belongs and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
    return found


def gone(leaders: list[ProcessMark]) -> bool:
    return not any(session(leader) for leader in leaders)


def call(url: str, body: dict[str, Any] | None = None, *, token: str = "", login: tuple[str, str] | None = None) -> Any:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    if login:
        headers["Authorization"] = f"Basic {b64encode(':'.join(login).encode()).decode()}"
    request = urllib.request.Request(url, json.dumps(body).encode() if body is not None else None, headers)
    with urllib.request.urlopen(request, timeout=bound(60)) as response:
        return json.load(response)


def log_in(platform: supervisor.Platform) -> str:
    body = {"username": platform.username, "password": platform.password}
    return str(call(f"{platform.airflow_url}/auth/token", body)["access_token"])


def kill(settings: Settings, name: str) -> None:
    os.kill(recorded_services(run_folder(settings))[name].pid, signal.SIGKILL)


def kill_supervisor(settings: Settings) -> None:
    leader = supervising(run_folder(settings))
    assert leader is not None
    os.kill(leader.pid, signal.SIGKILL)
    assert until(lambda: not leader.lives(), seconds=60)


def test_everything_is_healthy_and_the_password_opens_the_door(
    settings: Settings, platform: supervisor.Platform
) -> None:
    assert [service.name for service in supervisor.status(settings)] == list(supervisor.SERVICES)
    assert until(lambda: all(service.healthy for service in supervisor.status(settings)), seconds=60, every=1)
    assert call(f"{platform.airflow_url}/api/v2/dags/nap", token=log_in(platform))["is_paused"] is False
    experiment = f"{platform.mlflow_url}/api/2.0/mlflow/experiments/get?experiment_id=0"
    assert call(experiment, login=(platform.username, platform.mlflow_password))["experiment"]["name"]


@pytest.mark.parametrize("login", [None, ("admin", "password1234"), ("admin", "")])
def test_mlflow_tells_nothing_without_its_login(platform: supervisor.Platform, login: tuple[str, str] | None) -> None:
    for page in ("", "api/2.0/mlflow/experiments/get?experiment_id=0"):
        with pytest.raises(HTTPError, match="401"):
            call(f"{platform.mlflow_url}/{page}", login=login)


def test_only_this_machine_is_served(settings: Settings, platform: supervisor.Platform) -> None:
    listening = set()
    for leader in recorded_services(run_folder(settings)).values():
        for process in session(leader):
            listening |= {c.laddr.ip for c in process.net_connections() if c.status == psutil.CONN_LISTEN}
    assert platform.airflow_url.startswith("http://127.0.0.1:")
    assert listening == {"127.0.0.1"}


def test_no_secret_is_in_a_log_or_an_argv(settings: Settings, platform: supervisor.Platform) -> None:
    folder = run_folder(settings)
    secrets = [
        value for path in (folder.secrets, folder.mlflow_secrets) for value in json.loads(path.read_text()).values()
    ]
    visible = [" ".join(process.cmdline()) for process in psutil.Process().children()]
    for leader in recorded_services(run_folder(settings)).values():
        visible += [" ".join(process.cmdline()) for process in session(leader)]
    visible += [path.read_text(errors="replace") for path in settings.home.rglob("*.log")]
    assert {platform.password, platform.mlflow_password} < set(secrets)
    assert not [text for text in visible if any(secret in text for secret in secrets)]


def test_the_databases_are_in_wal_mode(settings: Settings, platform: supervisor.Platform) -> None:
    for path in (settings.home / "airflow" / "airflow.db", settings.home / "mlflow.db"):
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_only_their_owner_can_read_the_databases_and_the_secrets(
    settings: Settings, platform: supervisor.Platform
) -> None:
    folders = {settings.home / "run": 0o700, settings.home / "airflow": 0o700}
    files = [path for path in settings.home.glob("*.db*") if path.is_file()]
    files += [path for folder in folders for path in folder.glob("*") if path.is_file() and path.name != "airflow.cfg"]
    assert {"mlflow.db", "airflow.db", "airflow.db-wal", "mlflow_users.db", "secrets.json"} <= {
        path.name for path in files
    }
    with_content = [path for path in files if path.suffix not in (".lock", ".migrated")]
    assert {path.name for path in with_content if path.stat().st_mode & 0o077} == set()
    assert {path: stat.S_IMODE(path.stat().st_mode) for path in folders} == folders


def test_the_services_keep_their_temporary_files_below_the_home(
    settings: Settings, platform: supervisor.Platform
) -> None:
    assert list(run_folder(settings).temporary.glob("feast_metrics_*"))  # the scheduler's, who has imported Feast


def test_two_bursts_of_runs_posted_at_once_while_tasks_run_are_all_taken(
    settings: Settings, platform: supervisor.Platform
) -> None:
    token, dags = log_in(platform), [f"{platform.airflow_url}/api/v2/dags/brief_{number}" for number in range(2)]
    assert until(lambda: all(known(dag, token) for dag in dags), seconds=120, every=1)
    for dag in dags * 4:
        call(f"{dag}/dagRuns", {"logical_date": None}, token=token)
    assert until(lambda: sum(succeeded(dag, token) for dag in dags) > 0, seconds=120)
    with ThreadPoolExecutor(2 * BURST) as pool:
        posts = [pool.submit(call, f"{dag}/dagRuns", {"logical_date": None}, token=token) for dag in dags * BURST]
        assert {post.result()["state"] for post in posts} == {"queued"}
    assert until(lambda: all(service.healthy for service in supervisor.status(settings)), seconds=60, every=1)
    assert until(lambda: sum(succeeded(dag, token) for dag in dags) == 2 * (4 + BURST), seconds=240, every=1)
    assert "database is locked" not in "".join(path.read_text() for path in settings.home.glob("logs/*.log"))


def succeeded(dag: str, token: str) -> int:
    return int(call(f"{dag}/dagRuns?state=success&limit=1", token=token)["total_entries"])


def test_a_second_start_is_refused(settings: Settings, platform: supervisor.Platform) -> None:
    with pytest.raises(AirloopError, match=f"already running at {platform.airflow_url}.*airloop down"):
        supervisor.start_detached(settings, on_progress=ignore)
    assert supervisor.current(settings) == platform


def test_a_killed_service_comes_back_alone(settings: Settings, platform: supervisor.Platform) -> None:
    before = recorded_services(run_folder(settings))
    kill(settings, "mlflow")
    assert until(lambda: revived(settings, "mlflow", before), seconds=120, every=1)
    after = recorded_services(run_folder(settings))
    assert {name for name in after if after[name] != before[name]} == {"mlflow"}
    assert {service.name: service.restarts for service in supervisor.status(settings)} == dict.fromkeys(
        supervisor.SERVICES, 0
    ) | {"mlflow": 1}
    experiment = f"{platform.mlflow_url}/api/2.0/mlflow/experiments/get?experiment_id=0"
    assert call(experiment, login=(platform.username, platform.mlflow_password))["experiment"]["name"]


def test_a_scheduler_and_an_api_server_killed_at_work_come_back_and_the_runs_end_well(
    settings: Settings, platform: supervisor.Platform
) -> None:
    token, dag = log_in(platform), f"{platform.airflow_url}/api/v2/dags/brief_0"
    assert until(lambda: known(dag, token), seconds=120, every=1)
    before, done = recorded_services(run_folder(settings)), succeeded(dag, token)
    for _ in range(8):
        call(f"{dag}/dagRuns", {"logical_date": None}, token=token)
    assert until(lambda: succeeded(dag, token) > done, seconds=120)
    for name in ("scheduler", "api-server"):
        kill(settings, name)
    assert until(
        lambda: all(revived(settings, name, before) for name in ("scheduler", "api-server")), seconds=300, every=1
    )
    assert not session(before["scheduler"])
    assert supervisor.current(settings) == platform
    assert until(lambda: succeeded(dag, token) == done + 8, seconds=300, every=1)
    restarts = {service.name: service.restarts for service in supervisor.status(settings)}
    assert (restarts["scheduler"], restarts["api-server"]) == (1, 1)


def test_a_service_that_dies_at_once_each_time_ends_everything_and_is_named(
    settings: Settings, platform: supervisor.Platform
) -> None:
    leaders = list(recorded_services(run_folder(settings)).values())
    run_folder(settings).mlflow_auth.write_text("not a configuration")
    kill(settings, "mlflow")
    assert until(lambda: supervising(run_folder(settings)) is None, seconds=240)
    assert gone(leaders)
    assert strangers(settings) == []
    log = (settings.home / "logs" / "supervisor.log").read_text()
    ended = log.rpartition(" ERROR ")[2]
    assert ended.startswith("mlflow died 4 times within 10 minutes; the last time it ended with exit code")
    assert "everything was stopped. The end of" in ended
    assert "File contains no section headers" in ended
    assert not any(service.healthy for service in supervisor.status(settings))


def revived(settings: Settings, name: str, before: dict[str, ProcessMark]) -> bool:
    """Whether a service runs in another process than before, and well."""
    services = {service.name: service for service in supervisor.status(settings)}
    return services[name].healthy and services[name].pid != before[name].pid


def test_of_two_starts_at_the_same_moment_one_wins(settings: Settings) -> None:
    supervisor.down(settings, on_progress=ignore)
    outcomes: list[supervisor.Platform | AirloopError] = []

    def attempt() -> None:
        try:
            outcomes.append(supervisor.start_detached(settings, on_progress=ignore))
        except AirloopError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=attempt) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused = [outcome for outcome in outcomes if isinstance(outcome, AirloopError)]
    assert [outcome for outcome in outcomes if outcome not in refused] == [supervisor.current(settings)]
    assert "already" in str(refused)


def test_what_a_killed_supervisor_left_is_ended_by_the_next_start_and_by_down(
    settings: Settings, platform: supervisor.Platform
) -> None:
    token = log_in(platform)
    assert until(lambda: known(f"{platform.airflow_url}/api/v2/dags/nap", token), seconds=120, every=1)
    call(f"{platform.airflow_url}/api/v2/dags/nap/dagRuns", {"logical_date": None}, token=token)
    leaders = list(recorded_services(run_folder(settings)).values())
    assert until(lambda: naps(leaders) != [], seconds=120)
    orphan = naps(leaders)[0]

    kill_supervisor(settings)
    assert supervisor.current(settings) is None
    assert until(lambda: not any(leader.lives() for leader in leaders), seconds=120)
    assert orphan.lives()
    progress: list[str] = []
    again = supervisor.start_detached(settings, on_progress=progress.append)
    assert gone(leaders)
    assert "killed supervisor" in progress[0]
    assert again.password == platform.password
    assert until(lambda: all(service.healthy for service in supervisor.status(settings)), seconds=60, every=1)

    leaders = list(recorded_services(run_folder(settings)).values())
    # The run goes on: its scheduler has waited for the API server.
    assert until(lambda: naps(leaders) != [], seconds=120)
    kill_supervisor(settings)
    assert supervisor.down(settings, on_progress=ignore) is True
    assert gone(leaders)
    assert strangers(settings) == []
    assert supervisor.down(settings, on_progress=ignore) is False


def known(url: str, token: str) -> bool:
    with suppress(OSError):
        return bool(call(url, token=token))
    return False


def naps(leaders: list[ProcessMark]) -> list[ProcessMark]:
    found = []
    for leader in leaders:
        for process in session(leader):
            with suppress(psutil.Error):
                if process.cmdline() == ["sleep", "611"] and (found_mark := mark(process.pid)):
                    found.append(found_mark)
    return found


FOREGROUND = """
import os
from airloop_platform import supervisor
from airloop.settings import load_settings
ready = lambda platform: print("ready", platform.airflow_url, platform.mlflow_url)
port = int(os.environ.get("PORT", 0)) or None
supervisor.run(load_settings(), on_progress=print, on_ready=ready, airflow_port=port)
print("ended")
"""
# A test run in the background of a shell ignores Ctrl-C, and so would what it starts.
DETACHED = """
import signal
from airloop_platform import supervisor
from airloop.settings import load_settings
signal.signal(signal.SIGINT, signal.default_int_handler)
supervisor.start_detached(load_settings(), on_progress=print)
"""


def interrupted(settings: Settings, script: str, *, moment: str, number: signal.Signals, port: int = 0) -> list[str]:
    """What the script still says after it got the signal at that moment; at last its exit code."""
    environment = os.environ | settings_environment(settings) | {"PYTHONPATH": python_path(settings), "PORT": str(port)}
    with subprocess.Popen(
        [sys.executable, "-uc", script], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        lines = iter(process.stdout or ())
        assert any(line.strip() == moment for line in lines)
        process.send_signal(number)
        rest = [line.strip() for line in lines]
    return [*rest, str(process.returncode)]


def test_ctrl_c_ends_a_platform_on_an_asked_port_with_a_tracking_server_of_somebody_else(settings: Settings) -> None:
    supervisor.down(settings, on_progress=ignore)
    port, _ = choose_ports(airflow_port=None, mlflow_port=None)
    with tracking_server() as url:
        elsewhere = settings.model_copy(update={"mlflow_tracking_uri": url})
        moment = f"ready http://127.0.0.1:{port} {url}"
        said = interrupted(elsewhere, FOREGROUND, moment=moment, number=signal.SIGINT, port=port)
    assert said == ["stopping", "ended", "0"]
    assert strangers(settings) == []
    assert not run_folder(settings).temporary.exists()


@pytest.mark.parametrize(
    ("script", "number"),
    [(FOREGROUND, signal.SIGTERM), (DETACHED, signal.SIGINT)],
    ids=["SIGTERM", "Ctrl-C of a detached start"],
)
def test_a_signal_during_the_start_ends_it(settings: Settings, script: str, number: signal.Signals) -> None:
    supervisor.down(settings, on_progress=ignore)
    said = interrupted(settings, script, moment="starting Airflow", number=number)
    assert (said == ["stopping", "ended", "0"]) is (script == FOREGROUND)
    assert strangers(settings) == []
    assert supervisor.current(settings) is None


@contextmanager
def tracking_server() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/health" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


def test_the_worker_slot_patch_fits_the_installed_airflow(tmp_path: Path) -> None:
    code = """
import sys; sys.argv = ["airflow", "api-server"]
import airflow_local_settings
from airflow.sdk.execution_time.supervisor import WatchedSubprocess
airflow_local_settings._free_worker_slots_sooner()
print(WatchedSubprocess._service_subprocess.__name__)
"""
    environment = os.environ | {"AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": python_path(load_settings(home=tmp_path))}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert result.stdout.split()[-1] == "wait_briefly"
