"""`python -m benchmarks.fleet_platform [PIPELINES]`: what a real platform makes of 200 pipelines that wait for files.

Says after how many seconds Airflow knows every DAG, how much of a core the idle platform takes, after how many seconds
an edit shows, and how long the page Pipelines takes. Exit code 0 when each keeps its bound.
"""

import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
from rich.console import Console

from airloop.errors import AirloopError
from airloop.settings import Settings, apply_quiet_environment
from airloop_platform.supervisor import Platform
from airloop_platform.supervisor.presence import recorded_services
from airloop_platform.supervisor.presence import supervisor as supervising
from airloop_platform.supervisor.processes import session
from airloop_platform.supervisor.run_folder import run_folder
from benchmarks.fleet_parse import edges_of, write_fleet
from benchmarks.platforms import running

BOUNDS = {"known": 60.0, "idle": 0.3, "edit": 20.0, "index": 0.1}
_SETTLES_SECONDS, _IDLE_SECONDS, _LONGEST_SECONDS, _PAGES = 90, 120, 600, 15


def main(number: int) -> int:
    """Start the platform in a temporary folder, measure, and leave nothing behind."""
    apply_quiet_environment()
    console = Console(width=160)
    with tempfile.TemporaryDirectory(prefix="airloop_fleet_") as folder:
        settings = write_fleet(Path(folder).resolve(), number)
        expected = len(edges_of(settings))
        began = time.monotonic()
        with running(settings) as platform, contextlib.closing(_client(platform)) as airflow:
            healthy = time.monotonic() - began
            console.print(f"{number} pipelines, {expected:,} DAGs; healthy after {healthy:.0f} s")
            measured = {"known": _until(lambda: _count(airflow) >= expected, began)}
            console.print(f"all DAGs known after {measured['known']:.0f} s")
            time.sleep(_SETTLES_SECONDS)
            measured["idle"] = _busy_share(settings)
            console.print(f"idle platform: {measured['idle']:.0%} of a core over {_IDLE_SECONDS} s")
            measured["edit"] = _edit(settings, airflow)
            console.print(f"an edit shows after {measured['edit']:.1f} s")
            measured["index"] = _page(airflow)
            console.print(f"page Pipelines: {1000 * measured['index']:.0f} ms, the median of {_PAGES}")
    return 0 if all(measured[name] <= bound for name, bound in BOUNDS.items()) else 1


def _client(platform: Platform) -> httpx.Client:
    client = httpx.Client(base_url=platform.airflow_url, timeout=60, trust_env=False, follow_redirects=True)
    login = {"username": platform.username, "password": platform.password}
    token = client.post("/auth/token", json=login).raise_for_status().json()["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"
    client.cookies.set("_token", token)
    return client


def _count(airflow: httpx.Client) -> int:
    return int(airflow.get("/api/v2/dags", params={"limit": 1}).raise_for_status().json()["total_entries"])


def _until(condition: Callable[[], bool], began: float) -> float:
    """Seconds from `began` until the condition holds."""
    while not condition():
        if time.monotonic() - began > _LONGEST_SECONDS:
            raise AirloopError(f"not within {_LONGEST_SECONDS} s")
        time.sleep(0.5)
    return time.monotonic() - began


def _busy_share(settings: Settings) -> float:
    """Processor time of all processes of the platform, as a share of a core; of one that ended meanwhile nothing."""
    before = _processor_seconds(settings)
    time.sleep(_IDLE_SECONDS)
    after = _processor_seconds(settings)
    return sum(max(0.0, seconds - before.get(pid, 0.0)) for pid, seconds in after.items()) / _IDLE_SECONDS


def _processor_seconds(settings: Settings) -> dict[int, float]:
    folder, by_process = run_folder(settings), dict[int, float]()
    for leader in (supervising(folder), *recorded_services(folder).values()):
        for process in session(leader) if leader else ():
            with contextlib.suppress(psutil.NoSuchProcess):
                # What its children took that have ended: each DAG file is read by a process of its own.
                times = process.cpu_times()
                by_process[process.pid] = times.user + times.system + times.children_user + times.children_system
    return by_process


def _edit(settings: Settings, airflow: httpx.Client) -> float:
    path = sorted(settings.pipelines_dir.glob("*/pipeline.yaml"))[-1]
    text = path.read_text(encoding="utf-8")
    lines = [f"owner: edited_{time.time():.0f}" if line.startswith("owner:") else line for line in text.splitlines()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    owner = next(line for line in lines if line.startswith("owner:")).partition(": ")[2]
    url, began = f"/api/v2/dags/{path.parent.name}__training", time.monotonic()
    return _until(lambda: owner in airflow.get(url).raise_for_status().json()["owners"], began)


def _page(airflow: httpx.Client) -> float:
    taken = []
    for _ in range(_PAGES):
        began = time.perf_counter()
        answer = airflow.get("/airloop/").raise_for_status()
        taken.append(time.perf_counter() - began)
        if "<h1>Pipelines</h1>" not in answer.text:
            raise AirloopError(f"not the page Pipelines: {answer.text[:200]}")
    return statistics.median(taken)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
