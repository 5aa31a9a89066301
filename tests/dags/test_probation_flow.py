"""With `gate.probation` declared, monitoring has a task that takes a promotion back, when triage says so."""

from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag
from dag_runs import DAGS, Stages, states, without_callbacks
from tests.support import toy, triage_months

from airloop import records

# The whole of Airflow runs in this process, and warns about itself.
pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore")]

DAY = toy.days(30, 31)
DAY_CONF = DAY.to_json()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("take_back", {"take_back": "success", "retrain": "skipped", "nothing": "skipped"}),
        ("held", {"take_back": "skipped", "retrain": "skipped", "nothing": "success"}),
    ],
)
def test_a_promotion_is_taken_back_when_triage_says_so(
    stages: Stages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, expected: dict[str, str]
) -> None:
    made = toy.write_project(tmp_path / "project", DAGS.parent)
    path = made.pipelines_dir / "toy" / "pipeline.yaml"
    path.write_text(path.read_text().replace("\ngate:\n", "\ngate:\n  probation: roll_back\n", 1))
    monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(made.project_dir))
    monkeypatch.setenv("AIRLOOP_HOME", str(made.home))
    stages.answers = {
        "monitor": triage_months.month(4),
        "triage": records.Action(kind, "a loss", "", DAY.end, (), sequence=9),
        "take_back": records.TakenBack(1, 2, 6, "a loss", DAY.end, 11),
    }
    bag = DagBag(dag_folder=str(DAGS / "airloop_monitoring_dag.py"))
    assert bag.import_errors == {}
    done = without_callbacks(bag.dags["toy__monitoring"]).test(run_conf=DAY_CONF)
    found = states(done)
    assert (done.state, {name: found[name] for name in expected}) == ("success", expected)
    assert ("take_back", DAY, {}) in stages.calls or kind != "take_back"
