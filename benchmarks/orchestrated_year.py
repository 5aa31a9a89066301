"""The demo's year through a running platform against the same work as a plain script."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from airloop.demo.airflow_client import AirflowClient
from airloop.errors import AirloopError
from benchmarks.flights import settings_below
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
    with running(ours) as platform:
        with AirflowClient(platform) as client:
            client.wait_for_dags(tuple(f"{_PIPELINE}__{group}" for group in _GROUPS))
        through_airflow = _seconds("benchmarks.airflow_loop", ours.home, session, side="Airflow")
    plain = _seconds("benchmarks.plain_loop", peer.home, session, side="plain")
    records = refuse_other_work(ours, peer, _PIPELINE)
    note = (
        f"{session.months} months, {records} stage results, equal. Each side pays its own imports and landing; the "
        "platform's start is a row of its own. Airflow tunes two candidates at a time, the script one after the other"
    )
    return Row(NAME, through_airflow, plain, bound=BOUND, unit=UNIT, note=note)


def _seconds(module: str, home: Path, session: Session, *, side: str) -> float:
    """Run the module over the months in a home, and pass on each month it says."""
    command = [sys.executable, "-m", module, str(home), str(session.months)]
    began = time.perf_counter()
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(command, cwd=_REPOSITORY, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        for line in process.stdout or ():
            session.say(f"  {side}: {line.strip()}")
        code = process.wait()
        seconds = time.perf_counter() - began
        errors.seek(0)
        if code:
            raise AirloopError(f"{module} ended with {code}: {errors.read()[-2000:]}")
    return seconds
