"""Where the time of the orchestrated loop went: inside tasks of stages, inside other tasks, between tasks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from airloop.demo.airflow_client import AirflowClient
from airloop.stage_run import STAGES


@dataclass(frozen=True)
class LoopProfile:
    """Seconds of one loop; tasks that ran side by side count each.

    Attributes:
        stages: In tasks of stages, from the start of the task's process to its end; `stage_tasks` of them.
        others: In tasks that only ask, branch or trigger; `other_tasks` of them.
        none_ran: Of the loop, with no task running: the scheduler, the REST calls, the files that land.
    """

    stages: float
    stage_tasks: int
    others: float
    other_tasks: int
    none_ran: float


def read_profile(client: AirflowClient, dag_ids: Iterable[str], *, seconds: float) -> LoopProfile:
    """Ask Airflow for every task of the DAGs' runs (the newest 50 of each).

    Args:
        client: Of the platform that ran them.
        dag_ids: The loop's DAGs.
        seconds: What the loop took.
    """
    return profile_of([task for dag in dag_ids for run in client.recent(dag) for task in client.tasks(run)], seconds)


def profile_of(tasks: Iterable[Mapping[str, Any]], seconds: float) -> LoopProfile:
    """The profile of task instances with task_id, start_date, end_date; those that never ran do not count."""
    ran = [(task["task_id"], *_span(task)) for task in tasks if task["start_date"] and task["end_date"]]
    took = {True: [0.0, 0], False: [0.0, 0]}
    for name, start, end in ran:
        took[name in STAGES][0] += (end - start).total_seconds()
        took[name in STAGES][1] += 1
    busy = _covered((start, end) for _, start, end in ran)
    return LoopProfile(*took[True], *took[False], none_ran=seconds - busy)


def _span(task: Mapping[str, Any]) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(task["start_date"]), datetime.fromisoformat(task["end_date"])


def _covered(spans: Iterable[tuple[datetime, datetime]]) -> float:
    """Seconds that lie in at least one span."""
    total, until = 0.0, None
    for start, end in sorted(spans):
        begin = start if until is None or start > until else until
        if end > begin:
            total += (end - begin).total_seconds()
            until = end
    return total
