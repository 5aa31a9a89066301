"""monitor on real stages: scored rows, Feast features, a registered champion, and what triage makes of the record."""

import pytest
from tests.support import toy

from airloop.records import Action, Monitored
from airloop.settings import Settings
from airloop.watch import monitor

pytestmark = pytest.mark.integration

SCORED = toy.days(40, 60)


@pytest.fixture(scope="module")
def scored(toy_trained: Settings) -> Settings:
    """The champion of day 40 has scored days 40 to 60, and their outcomes have landed."""
    toy.land(toy_trained, days=range(45, 60))
    toy.run_data(toy_trained, toy.days(45, 60))
    toy.run("score", toy_trained, SCORED)
    return toy_trained


def test_a_champion_of_this_very_world_is_judged_and_needs_no_retraining(scored: Settings) -> None:
    found = toy.run("monitor", scored, SCORED)
    assert isinstance(found, Monitored)
    assert found.labelled_rows == 19 * toy.ROWS_A_DAY
    assert found.quality["unscored_rows"] == toy.ROWS_A_DAY
    assert found.live["roc_auc"] is not None
    assert found.live["roc_auc"] > 0.8
    assert all(evidence.lower <= 0 for evidence in found.probe)
    assert found.drifted_features == ()
    assert found.prediction_psi is not None
    action = toy.run("triage", scored, SCORED)
    assert isinstance(action, Action)
    assert action.kind == "nothing"


def test_the_same_input_is_not_measured_again(scored: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    found = toy.run("monitor", scored, SCORED)
    monkeypatch.setattr(monitor.performance, "live", None)
    assert toy.run("monitor", scored, SCORED) == found


def test_a_window_before_the_first_champion_is_an_outcome_without_data(scored: Settings) -> None:
    found = toy.run("monitor", scored, toy.days(20, 40))
    assert isinstance(found, Monitored)
    assert (found.version, found.labelled_rows, found.probe) == (0, 0, ())
    action = toy.run("triage", scored, toy.days(20, 40))
    assert isinstance(action, Action)
    assert action.kind == "not_enough_data"
