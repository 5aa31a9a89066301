"""Ten tasks in a chain that each take a second: `task_overhead` gives this file to a platform as its only DAG."""

import time

from airflow.sdk import dag, task  # noqa: TID251 (a DAG file, in no dags folder of ours)

LENGTH = 10


@dag(schedule=None)
def chain() -> None:
    @task
    def step(count: int) -> int:
        time.sleep(1.0)
        return count + 1

    counted = 0
    for _ in range(LENGTH):
        counted = step(counted)


chain()
