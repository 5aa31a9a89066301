"""monitor on real stages: scored rows, Feast features, a registered champion, and what triage makes of the record."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support import toy

from airloop.errors import GuardRefused
from airloop.models import model_version, own_features
from airloop.records import Action, Monitored
from airloop.settings import Settings
from airloop.watch import performance

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
    monkeypatch.setattr(performance, "live", None)
    assert toy.run("monitor", scored, SCORED) == found


def test_a_window_before_the_first_champion_is_an_outcome_without_data(scored: Settings) -> None:
    found = toy.run("monitor", scored, toy.days(20, 40))
    assert isinstance(found, Monitored)
    assert (found.version, found.labelled_rows, found.probe) == (0, 0, ())
    action = toy.run("triage", scored, toy.days(20, 40))
    assert isinstance(action, Action)
    assert action.kind == "not_enough_data"


def test_a_champion_whose_features_were_edited_is_watched_by_its_own(scored: Settings, tmp_path: Path) -> None:
    before = toy.run("monitor", scored, SCORED)
    copied = toy.edited(scored, tmp_path / "edited", "features.sql", "size AS job_size", "size * 2 AS job_size")
    shutil.copy(scored.home / "state.db", tmp_path / "state.db")
    shutil.copytree(scored.lake_uri, tmp_path / "lake")
    edited = copied.model_copy(
        update={"state_url": f"sqlite:///{tmp_path}/state.db", "lake_uri": str(tmp_path / "lake")}
    )
    toy.run_data(edited, toy.days(0, 60))
    found = toy.run("monitor", edited, SCORED)
    assert isinstance(found, Monitored)
    assert isinstance(before, Monitored)
    assert (before.by_pinned_features, found.by_pinned_features) == (False, True)
    assert found.live == before.live
    assert (found.drifted_features, found.prediction_psi) == (before.drifted_features, before.prediction_psi)
    assert found.probe == ()
    action = toy.run("triage", edited, SCORED)
    assert isinstance(action, Action)
    assert action.kind == "not_enough_data"
    assert "by hand (reason=hand)" in action.why


def test_a_champion_whose_own_features_were_not_kept_is_refused_with_the_way_out(scored: Settings) -> None:
    pipeline = toy.toy_pipeline(scored)
    kept = model_version.load_serving(pipeline, 1, scored)
    assert len(own_features.frame(pipeline, toy.days(50, 51), kept, "edited", scored)) == toy.ROWS_A_DAY
    older = replace(kept, pinned=None)
    with pytest.raises(GuardRefused, match=r"edited; its own definitions were not kept .*run a training"):
        own_features.frame(pipeline, toy.days(50, 51), older, "edited", scored)
