"""`NAME__alerts` exists for live pipelines only, and tells what the clock alone can know."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from tests.support import toy_fleet

from airloop.settings import Settings
from airloop.stores import alerts

pytestmark = pytest.mark.filterwarnings("ignore:GitWildMatchPattern:DeprecationWarning")

FILE = Path(__file__).parents[2] / "dags" / "airloop_alerts_dag.py"


@pytest.fixture
def checkout(toy_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(toy_settings.project_dir))
    monkeypatch.setenv("AIRLOOP_HOME", str(toy_settings.home))
    return toy_settings


def live(settings: Settings) -> None:
    declared = settings.pipelines_dir / "toy" / "pipeline.yaml"
    toy_fleet.rewrite(declared, "{start: 2020-01-01, end: 2020-03-01}", "{start: 2020-01-01}")


def bag() -> DagBag:
    found = DagBag(dag_folder=str(FILE))
    assert found.import_errors == {}
    return found


def test_a_pipeline_of_the_past_has_none(checkout: Settings) -> None:
    assert bag().dags == {}


def test_a_live_pipeline_has_one_that_looks_every_hour(checkout: Settings) -> None:
    live(checkout)
    (dag,) = bag().dags.values()
    assert (dag.dag_id, dag.schedule, dag.catchup, sorted(dag.task_dict)) == ("toy__alerts", "@hourly", False, ["look"])


def test_a_pipeline_that_is_refused_has_none(checkout: Settings) -> None:
    live(checkout)
    toy_fleet.rewrite(checkout.pipelines_dir / "toy" / "pipeline.yaml", "calendar: daily", "calender: daily")
    assert bag().dags == {}


def look(paused: str) -> None:
    task: Any = bag().dags["toy__alerts"].get_task("look")
    task.python_callable(ti=SimpleNamespace(get_dag=lambda dag_id: SimpleNamespace(is_paused=dag_id == paused)))


def test_its_look_notes_what_is_due_and_what_is_over(checkout: Settings) -> None:
    live(checkout)

    def causes() -> list[str]:
        return sorted(kept.alert.cause for kept in alerts.open_alerts(checkout, "toy"))

    look("toy__scoring")
    assert causes() == ["paused:toy__scoring", "source_stalled"]
    look("toy__data")
    assert causes() == ["paused:toy__data"]
