"""The promotion of a version that has to be beside the champion waits for live traffic; monitoring asks again."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from dag_runs import DAGS, Stages, states, without_callbacks
from tests.support import ledger_entries, toy

from airloop import records
from airloop.settings import Settings
from airloop.stores import ledger
from airloop_airflow import live_traffic

# The whole of Airflow runs in this process, and warns about itself.
pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore")]

DAY: datetime = toy.days(0, 30).end
RULE = "\n  rules: [{kind: shadowed, windows: 2}]\n"


@pytest.fixture
def asked(stages: Stages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The toy with the rule, stages that only answer, a champion, and decision 4 on version 2."""
    made = toy.write_project(tmp_path / "project", DAGS.parent)
    path = made.pipelines_dir / "toy" / "pipeline.yaml"
    declared = path.read_text().replace("\ngate:\n", f"\ngate:{RULE}", 1)
    assert RULE in declared
    path.write_text(f"{declared}serving: {{shadow: true}}\n")
    monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(made.project_dir))
    monkeypatch.setenv("AIRLOOP_HOME", str(made.home))
    ledger_entries.put_in_force(made, "toy", 1, toy.START)
    ledger_entries.decided(made, "toy", 2, at=DAY, champion=1)
    stages.answers = {"promote": records.Promoted("toy", 2, 1, 4, 7, DAY)}
    return made


def dag(group: str) -> Any:
    bag = DagBag(dag_folder=str(DAGS / f"airloop_{group}_dag.py"))
    assert bag.import_errors == {}
    return without_callbacks(bag.dags[f"toy__{group}"])


def edges(group: str) -> dict[str, list[str]]:
    return {task.task_id: sorted(task.downstream_task_ids) for task in dag(group).tasks}


def passes(settings: Settings, outcome: str = "passed") -> None:
    payload = {"decision_sequence": 4, "version": 2, "outcome": outcome, "why": "not surely worse", "measured": {}}
    ledger.append(settings, "toy", kind="shadowed", effective_at=DAY, payload=payload)


def test_the_rule_adds_a_task_before_the_promotion_and_one_that_asks_again_to_monitoring(asked: Settings) -> None:
    assert edges("promotion") == {"shadowed": ["promote"], "promote": []}
    found = edges("monitoring")
    assert (found["shadowed"], found["promotion"]) == (["promotion"], [])
    assert "shadowed" in found["triage"]


def test_a_version_that_waits_is_not_promoted_and_the_run_is_a_success(asked: Settings, stages: Stages) -> None:
    done = dag("promotion").test(run_conf={"sequence": 4})
    assert (done.state, states(done)) == ("success", {"shadowed": "success", "promote": "skipped"})
    assert stages.names() == []
    assert live_traffic.due(toy.toy_pipeline(asked)) == 0


def test_one_that_was_there_for_long_enough_is_promoted_and_monitoring_starts_it(
    asked: Settings, stages: Stages
) -> None:
    passes(asked)
    assert live_traffic.due(toy.toy_pipeline(asked)) == 4
    done = dag("promotion").test(run_conf={"sequence": 4})
    assert (done.state, states(done)) == ("success", {"shadowed": "success", "promote": "success"})
    assert stages.names() == ["promote"]


def test_one_that_was_refused_on_live_traffic_is_promoted_by_nobody(asked: Settings, stages: Stages) -> None:
    passes(asked, outcome="refused")
    assert live_traffic.due(toy.toy_pipeline(asked)) == 0
    done = dag("promotion").test(run_conf={"sequence": 4})
    assert states(done) == {"shadowed": "success", "promote": "skipped"}
    assert stages.names() == []
