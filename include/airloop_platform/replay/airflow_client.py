"""The REST API of a running Airflow: start runs, wait for them, see what they are doing."""

import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import httpx

from airloop.errors import AirloopError, UpstreamUnavailable
from airloop_platform.supervisor import Platform

_POLL_SECONDS = 0.4
_TASKS_EVERY = 4
"""Which tasks run is asked at every fourth poll: it is only told, and an answer costs as much as a task's heartbeat."""
_ENDED = ("success", "failed")


@dataclass(frozen=True)
class Run:
    """One DAG run; `state` is Airflow's word."""

    dag_id: str
    run_id: str
    state: str


class AirflowClient:
    """Talks to one Airflow with the platform's generated login."""

    def __init__(self, platform: Platform) -> None:
        self.url = platform.airflow_url
        self._login = {"username": platform.username, "password": platform.password}
        self._http = httpx.Client(base_url=self.url, timeout=60, trust_env=False)
        self._authenticate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._http.close()

    def _authenticate(self) -> None:
        answer = self._http.post("/auth/token", json=self._login)
        if answer.status_code != httpx.codes.CREATED:
            raise AirloopError(f"Airflow at {self.url} refused the login: {answer.status_code} {answer.text[:200]}")
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def _call(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, f"/api/v2/{path}", **arguments)
            if answer.status_code == httpx.codes.UNAUTHORIZED:  # a token lives for a day
                self._authenticate()
                answer = self._http.request(method, f"/api/v2/{path}", **arguments)
        except httpx.HTTPError as error:
            raise UpstreamUnavailable(f"Airflow at {self.url} does not answer: {error}") from error
        return answer

    def wait_for_dags(self, dag_ids: tuple[str, ...], *, seconds: float = 120) -> None:
        """Wait until the dag processor has read these DAGs.

        Raises:
            AirloopError: One is missing after `seconds`; shows Airflow's import errors.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            # One by one: a list of all DAGs comes in pages.
            missing = [dag_id for dag_id in dag_ids if not self._call("GET", f"dags/{dag_id}").is_success]
            if not missing:
                return
            time.sleep(_POLL_SECONDS)
        errors = self._call("GET", "importErrors").json().get("import_errors", [])
        shown = "; ".join(f"{item['filename']}: {item['stack_trace'][-300:]}" for item in errors[:2])
        raise AirloopError(f"DAGs {missing} did not appear within {seconds:.0f} s. {shown}")

    def start(self, dag_id: str, conf: Mapping[str, Any], *, run_id: str | None = None) -> Run:
        """Start a run; with a `run_id` that exists already, that run is returned and nothing starts.

        Raises:
            AirloopError: Airflow refuses it, a Param for instance.
        """
        body = {"logical_date": None, "conf": dict(conf), **({"dag_run_id": run_id} if run_id else {})}
        answer = self._call("POST", f"dags/{dag_id}/dagRuns", json=body)
        if answer.status_code == httpx.codes.CONFLICT and run_id:
            return self.run(dag_id, run_id)
        if answer.is_error:
            raise AirloopError(f"{dag_id}: Airflow refused the run {dict(conf)}: {answer.text[:300]}")
        return _run(answer.json())

    def pause(self, dag_id: str, *, paused: bool) -> None:
        """Pause a DAG or let it run again.

        Raises:
            AirloopError: Airflow refuses it.
        """
        answer = self._call("PATCH", f"dags/{dag_id}", json={"is_paused": paused})
        if answer.is_error:
            raise AirloopError(f"{dag_id}: Airflow did not take is_paused={paused}: {answer.text[:300]}")

    def is_paused(self, dag_id: str) -> bool:
        """Whether a DAG starts no runs."""
        return bool(self._call("GET", f"dags/{dag_id}").json()["is_paused"])

    def run(self, dag_id: str, run_id: str) -> Run:
        """A run as it is now."""
        return _run(self._call("GET", f"dags/{dag_id}/dagRuns/{run_id}").json())

    def find(self, dag_id: str, run_id: str) -> Run | None:
        """The run of that id, or None."""
        answer = self._call("GET", f"dags/{dag_id}/dagRuns/{run_id}")
        return None if answer.status_code == httpx.codes.NOT_FOUND else _run(answer.json())

    def again(self, run: Run) -> Run:
        """Clear what failed in a run, so that it goes on from there; other runs are returned as they are."""
        if run.state == "failed":
            path = f"dags/{run.dag_id}/dagRuns/{run.run_id}/clear"
            self._call("POST", path, json={"dry_run": False, "only_failed": True})
        return self.run(run.dag_id, run.run_id)

    def recent(self, dag_id: str) -> list[Run]:
        """The newest runs of a DAG, at most 50, newest first."""
        rows = self._call("GET", f"dags/{dag_id}/dagRuns", params={"order_by": "-id", "limit": 50}).json()
        return [_run(row) for row in rows["dag_runs"]]

    def tasks(self, run: Run) -> list[dict[str, Any]]:
        """Task instances of a run: task_id, state, map_index, duration."""
        path = f"dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances"
        return list(self._call("GET", path, params={"limit": 100}).json()["task_instances"])

    def task_ids(self, dag_id: str) -> list[str]:
        """The tasks of a DAG as Airflow has read it."""
        return [task["task_id"] for task in self._call("GET", f"dags/{dag_id}/tasks").json().get("tasks", [])]

    def questions(self, run: Run) -> list[dict[str, Any]]:
        """What a run asks a person and nobody answered: subject, body, options."""
        path = f"dags/{run.dag_id}/dagRuns/{run.run_id}/hitlDetails"
        return list(self._call("GET", path, params={"response_received": False}).json()["hitl_details"])

    def answer(self, run: Run, task_id: str, option: str, *, comment: str = "") -> None:
        """Answer what a task of a run asks a person.

        Raises:
            AirloopError: This user may not, or somebody answered before.
        """
        path = f"dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task_id}/-1/hitlDetails"
        body = {"chosen_options": [option], "params_input": {"comment": comment}}
        answer = self._call("PATCH", path, json=body)
        if answer.is_error:
            raise AirloopError(f"{run.dag_id}: Airflow refused the answer: {answer.status_code} {answer.text[:300]}")

    def task_log(self, run: Run, task: Mapping[str, Any]) -> str:
        """The end of a failed task's log: its error, in Airflow's words."""
        path = f"dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task['task_id']}/logs/{task['try_number']}"
        answer = self._call("GET", path, params={"map_index": task["map_index"], "full_content": True})
        lines = (
            [item for item in answer.json().get("content", []) if isinstance(item, dict)] if answer.is_success else []
        )
        errors = [item for item in lines if item.get("level") in ("error", "critical")]
        return "; ".join(_error_text(item) for item in errors[-2:])[-1500:]

    def wait(self, run: Run, *, seconds: float, on_tasks: Callable[[list[dict[str, Any]]], None]) -> Run:
        """Wait until a run has ended.

        Raises:
            AirloopError: It failed, with the failed task's error, or has not ended after `seconds`.
        """
        end, polls = time.monotonic() + seconds, itertools.count()
        while time.monotonic() < end:
            now = self.run(run.dag_id, run.run_id)
            if now.state == "failed":
                failed = [task for task in self.tasks(now) if task["state"] == "failed"]
                says = "; ".join(f"{task['task_id']}: {self.task_log(now, task)}" for task in failed)
                raise AirloopError(f"{now.dag_id} {now.run_id} failed: {says}")
            if now.state in _ENDED:
                return now
            if next(polls) % _TASKS_EVERY == 0:
                on_tasks(self.tasks(now))
            time.sleep(_POLL_SECONDS)
        raise AirloopError(f"{run.dag_id} {run.run_id} has not ended after {seconds:.0f} s")


def _run(row: Mapping[str, Any]) -> Run:
    return Run(row["dag_id"], row["dag_run_id"], row["state"])


def _error_text(item: Mapping[str, Any]) -> str:
    details = item.get("error_detail") or []
    raised = "; ".join(f"{detail.get('exc_type')}: {detail.get('exc_value')}" for detail in details[:1])
    return raised or str(item.get("event", ""))
