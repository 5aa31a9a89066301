"""With `gate.probation` declared, monitoring has a task that takes a promotion back, when triage says so."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from airflow.dag_processing.dagbag import DagBag
from dag_runs import DAGS, Stages, states, without_callbacks
from tests.support import ledger_entries, toy, toy_turned, triage_months

from airloop import records
from airloop.features import examples
from airloop.gate.reconcile import reconcile
from airloop.models import estimators, model_version
from airloop.settings import Settings
from airloop.stores import ledger
from airloop.stores.mlflow import model_files, registry

# The whole of Airflow runs in this process, and warns about itself.
pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore")]

DAY = toy.days(30, 31)
BEFORE = 26
"""The first training's cutoff."""


def on_probation(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The toy's monitoring DAG, as its project declares it with `gate.probation`."""
    path = settings.pipelines_dir / "toy" / "pipeline.yaml"
    path.write_text(path.read_text().replace("\ngate:\n", "\ngate:\n  probation: roll_back\n", 1))
    monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(settings.project_dir))
    monkeypatch.setenv("AIRLOOP_HOME", str(settings.home))
    bag = DagBag(dag_folder=str(DAGS / "airloop_monitoring_dag.py"))
    assert bag.import_errors == {}
    return without_callbacks(bag.dags["toy__monitoring"])


def ways(run: Any) -> dict[str, str]:
    """What became of the branches after triage."""
    found = states(run)
    return {name: found[name] for name in ("take_back", "retrain", "nothing")}


def test_a_promotion_is_not_taken_back_when_triage_says_something_else(
    stages: Stages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = toy.write_project(tmp_path / "project", DAGS.parent)
    held = records.Action("held", "an alarm", "", DAY.end, (), sequence=9)
    stages.answers = {"monitor": triage_months.month(4), "triage": held}
    done = on_probation(made, monkeypatch).test(run_conf=DAY.to_json())
    assert (done.state, ways(done)) == ("success", {"take_back": "skipped", "retrain": "skipped", "nothing": "success"})


def misled(settings: Settings, like: int) -> int:
    """A version like another one, fitted on its rows with every third outcome turned: worse, and far from useless."""
    pipeline = toy.toy_pipeline(settings)
    other = model_version.load_version(pipeline, like, settings)
    rows = examples.feature_frame(pipeline, toy.days(0, BEFORE), settings).dropna(subset=["label"])
    turned = rows["label"].where(np.arange(len(rows)) % 3 > 0, 1 - rows["label"])
    model = estimators.fitted_model(
        pipeline, other.candidate, other.params, rows.assign(label=turned), list(other.features)
    )
    files = {**model_version.version_files("toy", like, settings), model_files.MODEL: model_files.dumped(model)}
    del files[model_files.FORM]
    folder = settings.home / "changed" / "misled"
    model_files.write(files, folder)
    return toy_turned.registered(settings, "misled", source=str(folder))


def test_what_a_promotion_lost_on_its_first_rows_is_taken_back_by_one_run_of_the_dag(
    toy_built: Settings, airflow_database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, look = toy_built, toy.days(44, 45)
    toy.run_training(settings, BEFORE)
    toy.run("promote", settings, toy.days(0, BEFORE))
    worse = misled(settings, 1)
    ledger_entries.put_in_force(settings, "toy", worse, toy.days(0, BEFORE + 1).end, previous=1)
    registry.set_alias(settings, "toy", "champion", worse)
    toy.run("score", settings, toy.days(BEFORE + 1, 45))
    monitoring = on_probation(settings, monkeypatch)
    for _ in ("once", "and again"):
        done = monitoring.test(run_conf=look.to_json())
        assert (done.state, ways(done)) == (
            "success",
            {"take_back": "success", "retrain": "skipped", "nothing": "skipped"},
        )
        (entry,) = ledger.entries(settings, "toy", kind="rolled_back")
        history = ledger.require_intact(settings, "toy")
        assert [history.champion(at) for at in (look.start, look.end)] == [worse, 1]
        assert registry.aliases(settings, "toy")["champion"] == 1
    assert entry.payload["who"] == "probation"
    assert "a loss: -0.0" in entry.payload["why"]
    assert (history.lock(), ledger.verify(settings, "toy"), reconcile("toy", settings)) == (None, [], [])
