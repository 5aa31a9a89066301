"""A search for anomalies through every stage: without any label, with labels, and refused by name."""

from pathlib import Path

import pytest
from tests.support import toy, toy_anomalies

from airloop.records import Action, Decision, Evaluated, Monitored, Scored
from airloop.settings import Settings
from airloop.stores import lake

pytestmark = pytest.mark.integration

TRAINED, FLOOD, LAST = 28, 36, 44


def project(root: Path, *, labelled: bool, **options: str) -> Settings:
    return toy_anomalies.write_project(root / "project", Settings().project_dir, labelled=labelled, **options)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A champion of day 28 that never saw a label; from day 36 on a third of the jobs is strange."""
    settings = project(tmp_path_factory.mktemp("anomalies"), labelled=False)
    toy_anomalies.land(settings, days=range(FLOOD), labelled=False)
    toy_anomalies.land(settings, days=range(FLOOD, LAST + 2), labelled=False, strange=0.3)
    toy.run_data(settings, toy.days(0, LAST + 2))
    decision = toy.run_training(settings, TRAINED)
    assert isinstance(decision, Decision)
    assert decision.passed, decision.why
    toy.run("promote", settings, toy.days(0, TRAINED))
    return settings


def test_without_labels_the_record_says_so_and_by_what_it_was_judged(settings: Settings) -> None:
    evaluated = toy.run("evaluate", settings, toy.days(0, TRAINED))
    decision = toy.run("decide", settings, toy.days(0, TRAINED))
    assert isinstance(evaluated, Evaluated)
    assert isinstance(decision, Decision)
    assert evaluated.unlabelled == "the holdout has 0 labelled rows, 30 are needed"
    assert evaluated.metrics["ranking_loss"] is None
    assert "judged without labels, by alarm_budget and stability" in decision.why
    assert [check.rule for check in decision.checks] == ["labels", "alarm_budget", "stability"]


def test_the_planted_anomalies_are_the_alarms(settings: Settings) -> None:
    toy.run("score", settings, toy.days(TRAINED, FLOOD))
    rows = lake.read(lake.table_uri(settings, "toy", "predictions", "predictions"), settings).to_pandas()
    named = set(rows.loc[rows["prediction"] >= 0.97, "job"])
    clean = lake.read(lake.table_uri(settings, "toy", "clean", "jobs"), settings).to_pandas()
    strange = set(clean.loc[clean["size"] >= 500, "job"]) & set(rows["job"])
    assert len(strange) > 5
    assert len(named & strange) >= 0.9 * len(strange)
    assert len(named) <= 0.06 * len(rows)


def test_monitoring_shows_the_share_of_alarms_and_asks_for_nothing(settings: Settings) -> None:
    window = toy.days(TRAINED, FLOOD)
    scored, found, action = (toy.run(stage, settings, window) for stage in ("score", "monitor", "triage"))
    assert isinstance(scored, Scored)
    assert isinstance(found, Monitored)
    assert isinstance(action, Action)
    assert found.labelled_rows == 0
    assert found.alarm_rate is not None
    assert 0.01 < found.alarm_rate.share < 0.06
    assert not [alarm for alarm in found.alarms if alarm.kind == "alarm_budget"]
    assert action.kind == "not_enough_data"


def test_a_flood_of_alarms_is_noticed(settings: Settings) -> None:
    window = toy.days(FLOOD, LAST)
    toy.run("score", settings, window)
    found = toy.run("monitor", settings, window)
    assert isinstance(found, Monitored)
    assert found.alarm_rate is not None
    assert found.alarm_rate.share > 0.2
    (alarm,) = [alarm for alarm in found.alarms if alarm.kind == "alarm_budget"]
    assert "the budget is 3.00%" in alarm.says


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = project(tmp_path_factory.mktemp("labelled"), labelled=True)
    toy_anomalies.land(settings, days=range(TRAINED), labelled=True)
    toy.run_data(settings, toy.days(0, TRAINED))
    return settings


def test_where_labels_come_floors_judge(labelled: Settings) -> None:
    decision = toy.run_training(labelled, TRAINED)
    assert isinstance(decision, Decision)
    assert decision.why.startswith("passed as the first model, judged by floors only: ranking loss 0.0"), decision.why


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ("{kind: alarm_budget, at_most: 0.001}, {kind: stability, at_least: 0.5}", "rows are alarms"),
        ("{kind: alarm_budget, at_most: 0.05}, {kind: stability, at_least: 0.999}", "share "),
    ],
)
def test_too_many_alarms_or_unstable_ones_are_refused(
    labelled: Settings, tmp_path: Path, rules: str, says: str
) -> None:
    old = "{kind: alarm_budget, at_most: 0.05}, {kind: stability, at_least: 0.5}"
    other = toy.edited(labelled, tmp_path / "other", "pipeline.yaml", old, rules)
    decision = toy.run_training(other, TRAINED - 1)
    assert isinstance(decision, Decision)
    assert not decision.passed
    assert says in decision.why


def test_labels_that_have_nothing_to_do_with_the_scores_are_refused(tmp_path: Path) -> None:
    settings = project(tmp_path, labelled=True)
    toy_anomalies.land(settings, days=range(TRAINED), labelled=True, turned=True)
    toy.run_data(settings, toy.days(0, TRAINED))
    decision = toy.run_training(settings, TRAINED)
    assert isinstance(decision, Decision)
    assert decision.why.startswith("refused: ranking loss 0."), decision.why
