"""The demo's year through a running platform against the same work as a plain script."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from airloop.errors import AirloopError
from airloop_platform.replay.airflow_client import AirflowClient
from benchmarks.flights import settings_below
from benchmarks.loop_profile import StageSeconds, profile_of
from benchmarks.platforms import running
from benchmarks.row import Row
from benchmarks.same_work import refuse_other_work
from benchmarks.session import Session

NAME = "the orchestrated year, platform up / a plain script"
# The aim is 1.0.
BOUND = 1.2
UNIT = "s"

_PIPELINE = "flight_delays"
_GROUPS = ("inbox", "data", "scoring", "monitoring", "training", "promotion")
_REPOSITORY = Path(__file__).parents[1]


def measure(session: Session) -> Row:
    """One trial each, every side a process of its own from start to end; both have to leave the same records."""
    ours, peer = (settings_below(session.folder(name)) for name in ("orchestrated", "plain"))
    dag_ids = tuple(f"{_PIPELINE}__{group}" for group in _GROUPS)
    with running(ours) as platform, AirflowClient(platform) as client:
        client.wait_for_dags(dag_ids)
        orchestrated, _ = _run("benchmarks.airflow_loop", ours.home, session, side="Airflow")
        profile = profile_of(_tasks(client, dag_ids), orchestrated)
    plain, last = _run("benchmarks.plain_loop", peer.home, session, side="plain")
    records = refuse_other_work(ours, peer, _PIPELINE)
    called = StageSeconds(**json.loads(last))
    for line in profile.lines(called):
        session.say(f"    {line}")
    note = (
        f"{session.months} months, {records} stage results, equal. Each side pays its own imports and landing; the "
        f"start of the platform is not in it. Stages took {profile.tasks.in_stages:.0f} s in tasks, two at a time "
        f"where they can, {called.in_stages:.0f} s in the script; no task ran for {profile.none_ran:.0f} s"
    )
    return Row(NAME, orchestrated, plain, bound=BOUND, unit=UNIT, note=note)


def _tasks(client: AirflowClient, dag_ids: tuple[str, ...]) -> list[dict[str, Any]]:
    """Every task of the newest 50 runs of each DAG."""
    return [task for dag_id in dag_ids for run in client.recent(dag_id) for task in client.tasks(run)]


def _run(module: str, home: Path, session: Session, *, side: str) -> tuple[float, str]:
    """Run the module over the months in a home, pass on each line it says; its seconds and its last line."""
    command = [sys.executable, "-m", module, str(home), str(session.months)]
    began, line = time.perf_counter(), ""
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(command, cwd=_REPOSITORY, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        try:
            for line in process.stdout or ():
                if not line.startswith("{"):
                    session.say(f"  {side}: {line.strip()}")
            code = process.wait()
        finally:
            process.kill()  # nothing when it has ended; Popen would wait for it when this process is told to go
        seconds = time.perf_counter() - began
        errors.seek(0)
        if code:
            raise AirloopError(f"{module} ended with {code}: {errors.read()[-2000:]}")
    return seconds, line
