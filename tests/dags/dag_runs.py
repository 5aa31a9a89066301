"""Runs of real DAGs around stages that only answer: what the flow tests share."""

from pathlib import Path
from typing import Any

from airloop.records import Window
from airloop.run import stages

DAGS = Path(__file__).parents[2] / "dags"
JANUARY = Window.parse("2013-01-01T00:00:00Z", "2013-02-01T00:00:00Z")
MONTH = {"start": "2013-01-01T00:00:00Z", "end": "2013-02-01T00:00:00Z"}


class Stages:
    """Answers in place of the stages; `calls` are their names, windows and options in the order they ran."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Window, dict[str, Any]]] = []
        self.answers: dict[str, Any] = {}

    def run_stage(self, name: str, _at: Any, window: Window, *, upstream: Any, **options: Any) -> Any:
        self.calls.append((name, window, options))
        missing = [need for need in stages.STAGES[name].needs if need not in upstream]
        if missing:
            raise AssertionError(f"{name} was not given {missing}")
        answer = self.answers[name]
        return answer(options) if callable(answer) else answer

    def names(self) -> list[str]:
        return [name for name, _, _ in self.calls]


def run(group: str, conf: dict[str, Any]) -> Any:
    """Run the DAG of a group in this process; its logical date is the current time."""
    from airflow.dag_processing.dagbag import DagBag

    dag = DagBag(dag_folder=str(DAGS / f"airloop_{group}_dag.py")).dags[f"flight_delays__{group}"]
    return without_callbacks(dag).test(run_conf=conf)


def without_callbacks(dag: Any) -> Any:
    """The DAG as `dag.test` can take it.

    Airflow 3.3.2 calls a DAG's callbacks there with the serialized DAG, and asks for a value of each Param that has no
    default, whatever the run's conf says. The DAG processor of a platform does not.
    """
    dag.on_success_callback = dag.on_failure_callback = None
    dag.has_on_success_callback = dag.has_on_failure_callback = False
    return dag


def states(run: Any) -> dict[str, str]:
    """Task id -> state of a run; of a mapped task the last."""
    return {ti.task_id: str(ti.state) for ti in run.get_task_instances()}


def runs(dag_id: str, run_id: str) -> list[Any]:
    """The run of that id, if it was made."""
    from airflow.models.dagrun import DagRun

    return list(DagRun.find(dag_id=dag_id, run_id=run_id))


def note(dag_id: str, run_id: str) -> str | None:
    """What a person reads beside that run."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    with create_session() as session:
        return session.query(DagRun).filter_by(dag_id=dag_id, run_id=run_id).one().note
