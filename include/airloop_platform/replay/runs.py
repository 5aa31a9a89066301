"""DAG runs of one pipeline over the REST API: started under ids that a second call finds again, and waited for."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from airloop.config import Pipeline
from airloop.config.dag_ids import dag_of
from airloop.errors import AirloopError
from airloop.records import Window
from airloop.run.run_ids import window_run_id
from airloop_platform.replay.airflow_client import AirflowClient, Run
from airloop_platform.replay.approver import Approver

Report = Callable[[str], None]

GROUPS = ("inbox", "data", "scoring", "monitoring", "training", "promotion")
_RUN_SECONDS = 3600


class Runs:
    """Starts runs and waits for them, one after the other, and reports what they are doing.

    Attributes:
        approver: Who answers what a promotion asks; without one the run waits for a person.
    """

    def __init__(
        self, pipeline: Pipeline, client: AirflowClient, report: Report, serving_url: str, approver: Approver | None
    ) -> None:
        self.pipeline, self.client, self.report, self.serving_url = pipeline, client, report, serving_url
        self.approver = approver

    def take(self, group: str, conf: Mapping[str, Any], run_id: str, what: str) -> None:
        """Start the run, or find the one of that id and go on with what failed in it; wait for its end.

        Raises:
            AirloopError: It failed; names the task, its error and the way on.
        """
        run = self.client.start(self.dag(group), conf, run_id=run_id)
        self._wait(self.client.again(run), what)

    def over(self, group: str, window: Window, run_id: str, what: str, **more: str) -> None:
        """`take` with the window as conf."""
        self.take(group, {"start": text(window.start), "end": text(window.end), **more}, run_id, what)

    def follow(self, group: str, run_id: str, what: str) -> bool:
        """Wait for a run that another run has started; False when there is none of that id.

        Raises:
            AirloopError: See take.
        """
        run = self.client.find(self.dag(group), run_id)
        if run is None:
            return False
        if run.state != "success":
            self._wait(self.client.again(run), what)
        return True

    def dag(self, group: str) -> str:
        """Id of a DAG of the pipeline."""
        return dag_of(self.pipeline.name, group)

    def _wait(self, run: Run, what: str) -> None:
        self.report(what)

        def say(tasks: list[dict[str, Any]]) -> None:
            if any(task["task_id"] == "approve" and task["state"] == "deferred" for task in tasks):
                answered = self.approver is not None and self.approver.approves(run)
                self.report(f"{what}, approved by a second user" if answered else f"{what}: {self._asks(run)}")
            running = sorted({task["task_id"] for task in tasks if task["state"] == "running"})
            if running:
                self.report(f"{what} ({', '.join(running)})")

        try:
            self.client.wait(run, seconds=_RUN_SECONDS, on_tasks=say)
        except AirloopError as error:
            raise type(error)(f"{what}: {error}\nWhen it is mended, the same command goes on from here.") from error

    def _asks(self, run: Run) -> str:
        """How a person answers the question that a promotion waits with; its id ends in the decision's number."""
        number = run.run_id.rpartition("__")[2]
        return (
            "waits for a person's approval: answer under Required Actions in Airflow, or by "
            f"`airloop approve {self.pipeline.name} {number} --why '...'` (or `reject`)"
        )


def text(instant: datetime) -> str:
    """An instant as a Param takes it."""
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


def replay_run_id(window: Window, *reason: str) -> str:
    """Under which id a replay starts a window's runs."""
    return window_run_id("replay", window, *reason)
