"""What a task costs beyond its work: a chain of ten tasks of a second each through Airflow against plain calls."""

import shutil
import time
from pathlib import Path

from airloop.errors import DataContractError
from airloop.settings import Settings
from airloop_platform.replay.airflow_client import AirflowClient
from benchmarks.flights import settings_below
from benchmarks.platforms import running
from benchmarks.row import Row, interleaved
from benchmarks.session import Session

NAME = "a chain of ten tasks through Airflow / plain calls"
# 0.8 s a task; the defaults of Airflow's scheduler and workers take 1.2 to 2.1.
BOUND = 1.8
UNIT = "s"

_LENGTH = 10
_WORK_SECONDS = 1.0
_LONGEST_SECONDS = 180


def measure(session: Session) -> Row:
    """One platform, several runs of the chain; both sides have to count to ten."""
    with running(_settings(session)) as platform, AirflowClient(platform) as client:
        client.wait_for_dags(("chain",))
        if (_through_airflow(client), _plain_calls()) != (_LENGTH, _LENGTH):
            raise DataContractError(f"the chain did not run its {_LENGTH} tasks")
        seconds = interleaved(lambda: lambda: _through_airflow(client), lambda: _plain_calls, repeats=2)
    overhead = (seconds[0] - seconds[1]) / _LENGTH
    note = (
        f"{overhead:.2f} s a task beyond its second of work, from the request to the seen end of the run (asked every "
        "0.4 s); the ratio is for work of this length only. What preloading the libraries saves is not in it"
    )
    return Row(NAME, *seconds, bound=BOUND, unit=UNIT, note=note)


def _settings(session: Session) -> Settings:
    """A checkout whose only DAG is the chain."""
    project = session.folder("chain")
    for name in ("dags", "plugins", "home"):
        (project / name).mkdir()
    shutil.copy(Path(__file__).with_name("chain_dag.py"), project / "dags")
    return settings_below(project / "home").model_copy(update={"project_dir": project})


def _through_airflow(client: AirflowClient) -> int:
    """Run the chain; how many of its tasks succeeded."""
    ended = client.wait(client.start("chain", {}), seconds=_LONGEST_SECONDS, on_tasks=lambda _tasks: None)
    return sum(task["state"] == "success" for task in client.tasks(ended))


def _plain_calls() -> int:
    count = 0
    for _ in range(_LENGTH):
        time.sleep(_WORK_SECONDS)
        count += 1
    return count
