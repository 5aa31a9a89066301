"""`NAME__maintenance` exists for live pipelines only, and does what `airloop maintain` does."""

from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from tests.support import lake_rows, toy_fleet
from tests.support.lake_rows import FEBRUARY, JANUARY

from airloop.records import Window
from airloop.settings import Settings
from airloop.stores import lake

pytestmark = pytest.mark.filterwarnings("ignore:GitWildMatchPattern:DeprecationWarning")

FILE = Path(__file__).parents[2] / "dags" / "airloop_maintenance_dag.py"


@pytest.fixture
def checkout(toy_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(toy_settings.project_dir))
    monkeypatch.setenv("AIRLOOP_HOME", str(toy_settings.home))
    return toy_settings


def bag() -> DagBag:
    found = DagBag(dag_folder=str(FILE))
    assert found.import_errors == {}
    return found


def live(settings: Settings) -> None:
    declared = settings.pipelines_dir / "toy" / "pipeline.yaml"
    toy_fleet.rewrite(declared, "{start: 2020-01-01, end: 2020-03-01}", "{start: 2020-01-01}")


def test_a_pipeline_of_the_past_has_none(checkout: Settings) -> None:
    assert bag().dags == {}


def test_a_live_pipeline_has_one_that_runs_once_a_week(checkout: Settings) -> None:
    live(checkout)
    (dag,) = bag().dags.values()
    assert (dag.dag_id, dag.schedule, sorted(dag.task_dict)) == ("toy__maintenance", "@weekly", ["maintain"])


def test_its_task_puts_files_together_and_says_what_it_did(checkout: Settings) -> None:
    live(checkout)
    uri = lake.table_uri(checkout, "toy", "raw", "jobs")
    middle = Window(JANUARY.start, JANUARY.start + (JANUARY.end - JANUARY.start) / 2)
    for window in (middle, Window(middle.end, JANUARY.end), FEBRUARY):
        lake_rows.replace(uri, checkout, window, lake_rows.row(1, window))
    task: Any = bag().dags["toy__maintenance"].get_task("maintain")
    (done,) = task.python_callable()
    assert (done["what"], done["where"], done["removed"]) == ("compact", "raw/jobs", 1)
    assert task.python_callable() == []
