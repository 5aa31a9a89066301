"""One real platform for the toy and all shipped pipelines, in a checkout of its own; started once, always stopped."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from tests.support import toy, toy_hours, toy_past
from tests.support.waiting import bound

from airloop.config import pipeline_names
from airloop.config.loading import read_yaml
from airloop.settings import Settings, load_settings
from airloop_platform import supervisor
from airloop_platform.demo import second_person
from airloop_platform.replay import airflow_client
from airloop_platform.replay.airflow_client import AirflowClient, Run
from airloop_platform.supervisor import Platform

REPOSITORY = Path(__file__).resolve().parents[2]
GROUPS = ("inbox", "data", "scoring", "monitoring", "training", "promotion", "rollback")

# By itself Airflow reads the DAG files every 60 s, a twentieth of a core for these pipelines: the tests have a use for
# it, and say when something has changed. See `read_again`.
READS_EVERY = {"AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300"}
AHEAD = 20
"""Seconds that the reading of one file takes at most."""
ASKS_EVERY = 1.0
"""Seconds between two questions whether a run has ended; each costs the API server as much as a task's heartbeat."""
USERS = {"anna": "op", "boris": "op", "carla": "op", "vera": "viewer", second_person.APPROVER: "op"}


@dataclass(frozen=True)
class Toy:
    """The toy pipeline on a running platform."""

    settings: Settings
    platform: Platform
    client: AirflowClient

    def run(self, group: str, conf: dict[str, object], *, run_id: str | None = None, seconds: float = 900) -> Run:
        started = self.client.start(f"toy__{group}", conf, run_id=run_id)
        return self.client.wait(started, seconds=seconds, on_tasks=lambda _tasks: None)

    @contextmanager
    def read_again(self) -> Iterator[None]:
        """Airflow reads the DAG files again at once, and with them what is declared now: the block waits for that.

        A file that is being read meanwhile would count as read. Its time lies ahead, and it is read again and again
        until the block ends.
        """
        self.touch(ahead=AHEAD)
        yield
        self.touch()

    def touch(self, *, ahead: float = 0) -> None:
        """The DAG files are of now, or of so many seconds later."""
        at = time.time() + ahead
        for path in (self.settings.project_dir / "dags").glob("*.py"):
            os.utime(path, (at, at))

    def states(self, run: Run) -> dict[str, str]:
        return {task["task_id"]: task["state"] for task in self.client.tasks(run)}


def _as_the_demo_has_it(folder: Path) -> None:
    """The demo's pipeline with one trial a candidate and no vote: what a search finds is no matter of the platform."""
    shipped = folder.resolve()
    folder.unlink()
    shutil.copytree(shipped, folder, ignore=shutil.ignore_patterns("__pycache__"))
    _, declared = read_yaml(shipped / "pipeline.yaml")
    declared["training"] |= {"leak_check_times": 1}
    declared["training"]["budget"] |= {"trials": 1}
    del declared["training"]["ensemble"]
    # What the demo's platform asks of every pipeline; here the toy's promotions must not wait.
    declared["approval"] = second_person.POLICY
    (folder / "pipeline.yaml").write_text(yaml.safe_dump(declared, sort_keys=False))


@pytest.fixture(scope="package")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Toy]:
    root = tmp_path_factory.mktemp("e2e") / "project"
    settings = toy.write_project(root, REPOSITORY).model_copy(update={"airflow_users": USERS})
    toy_past.declare(settings)
    toy_hours.declare(settings)
    shutil.copytree(REPOSITORY / "dags", root / "dags", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("plugins", "include/airloop", "include/airloop_airflow", "include/airloop_platform", "requirements"):
        (root / name).symlink_to(REPOSITORY / name)
    for shipped in pipeline_names(load_settings(project_dir=REPOSITORY)):
        for name in (f"include/pipelines/{shipped}", f"feature_repo/{shipped}.py"):
            (root / name).symlink_to(REPOSITORY / name)
    _as_the_demo_has_it(root / "include" / "pipelines" / "flight_delays")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in READS_EVERY.items():
            patch.setenv(name, value)
        patch.setattr(airflow_client, "_POLL_SECONDS", ASKS_EVERY)
        started = supervisor.start_detached(settings, on_progress=lambda _line: None)
        try:
            with AirflowClient(started) as client:
                client.wait_for_dags(tuple(f"toy__{group}" for group in GROUPS), seconds=bound(120))
                yield Toy(settings, started, client)
        finally:
            supervisor.down(settings, on_progress=lambda _line: None)
    assert all(service.pid is None for service in supervisor.status(settings))
