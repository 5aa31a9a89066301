"""refit: what goes into force has learned from the holdout too; the evidence stays that of the judged version."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
from tests.support import toy

from airloop.authoring import reproduce
from airloop.config.refit import Refit
from airloop.deployment import Deployment
from airloop.errors import GuardRefused
from airloop.gate import describe_refit, promote, refit
from airloop.models import evaluate, model_version, training_set
from airloop.records import Decision, Refitted
from airloop.settings import load_settings
from airloop.stores import ledger, state
from airloop.stores.ledger import Draft
from airloop.stores.mlflow import registry, tracking

CUTOFF, NEXT = toy.days(0, 40), toy.days(0, 43)


@pytest.fixture(scope="module")
def judged(toy_built, tmp_path_factory):
    """A home of its own with a first model that passed; and the decision."""
    root = tmp_path_factory.mktemp("judged")
    asked = "leak_check_times: 2, refit: {on: all_mature},"
    there = toy.edited(toy_built, root / "edited", "pipeline.yaml", "leak_check_times: 2,", asked)
    decision = toy.run_training(there, 40)
    assert decision.passed
    return there, decision


@pytest.fixture
def settings(judged, tmp_path):
    """A home like that for each test."""
    there, _ = judged
    shutil.copytree(there.home, tmp_path / "home", ignore=shutil.ignore_patterns("mlartifacts"))
    return load_settings(project_dir=there.project_dir, home=tmp_path / "home")


@pytest.fixture
def passed(judged):
    return judged[1]


def with_refit(settings, **declared):
    pipeline = toy.toy_pipeline(settings)
    training = pipeline.training.model_copy(update={"refit": Refit(**declared)})
    return pipeline.model_copy(update={"training": training})


def upstream(settings, decision):
    frozen = toy.run("snapshot", settings, CUTOFF, reason="hand", reason_key="")
    return {"snapshot": frozen, "trained": toy.run("train", settings, CUTOFF), "decision": decision}


def versions(settings):
    return sorted(int(found.version) for found in tracking.client(settings).search_model_versions("name = 'toy'"))


def test_the_refit_learns_from_all_mature_rows_and_goes_into_force(settings, passed):
    made = toy.run("refit", settings, CUTOFF)
    frozen = toy.run("snapshot", settings, CUTOFF, reason="hand", reason_key="")
    assert (made.outcome, made.version, made.judged_version) == ("refitted", 2, 1)
    assert made.rows == frozen.train_rows + frozen.holdout_rows
    assert made.learned.end == frozen.holdout.end
    promoted = toy.run("promote", settings, CUTOFF)
    assert (promoted.version, promoted.refit_of, promoted.decision_sequence) == (2, 1, passed.sequence)
    assert registry.aliases(settings, "toy")["champion"] == 2
    assert "challenger" not in registry.aliases(settings, "toy")
    assert ledger.verify(settings, "toy") == []
    assert ledger.champion_at(settings, "toy", CUTOFF.end) == 2
    scored = toy.run("score", settings, toy.days(41, 44))
    assert (scored.version, scored.rows > 0) == (2, True)
    loaded = model_version.load_champion(toy.toy_pipeline(settings), 2, settings)
    assert (loaded.refit_of, loaded.learned_until) == (1, frozen.holdout.end)
    assert len(loaded.holdout_predictions) == frozen.holdout_rows
    held_out = training_set.labelled_part(training_set.read_snapshot(frozen, settings), "holdout")
    again = reproduce.predict_again(toy.toy_pipeline(settings), loaded, settings)
    assert (again == loaded.predict(toy.toy_pipeline(settings), held_out)).all()


def card_in_its_run(settings, version):
    found = registry.version_of(settings, "toy", version)
    path = tracking.client(settings).download_artifacts(found.run_id, "card/card.json")
    return json.loads(Path(path).read_text())["version"]


def test_the_refit_has_a_card_of_its_own_in_the_run_that_logged_it(settings, passed):
    described = toy.run("describe", settings, CUTOFF)
    toy.run("refit", settings, CUTOFF)
    found = toy.run("describe_refit", settings, CUTOFF)
    assert (found.version, found.measured) == (2, described.measured)
    card = json.loads(Path(found.json_uri).read_text())
    assert card["importance"] == described.measured["importance"]
    assert any("nothing judged the refit itself" in limit for limit in card["limits"])
    assert "the refit of version 1" in Path(found.card_uri).read_text()
    for version in (1, 2):
        assert (card_in_its_run(settings, version)["number"], card_in_its_run(settings, version)["judged"]) == (
            *(version, 1),
        )
    assert toy.run("describe_refit", settings, CUTOFF) == found


def test_where_no_refit_goes_into_force_the_card_stays_that_of_the_judged_version(settings, passed):
    described = toy.run("describe", settings, CUTOFF)
    declared = with_refit(settings, on="all_mature", max_difference=1e-6)
    made = refit.refit(Deployment(declared, settings), CUTOFF, **upstream(settings, passed))
    assert made.outcome == "judged"
    at = Deployment(declared, settings)
    assert describe_refit.describe_refit(at, CUTOFF, described=described, refitted=made) == described
    assert not Path(f"{settings.reports_uri}/toy/cards/v2.json").exists()


def test_a_second_call_changes_nothing(settings, passed):
    first = toy.run("refit", settings, CUTOFF)
    before = [entry.hash for entry in ledger.entries(settings, "toy")]
    again = refit.refit(Deployment(toy.toy_pipeline(settings), settings), CUTOFF, **upstream(settings, passed))
    assert again == first
    assert versions(settings) == [1, 2]
    assert [entry.hash for entry in ledger.entries(settings, "toy")] == before


def test_a_refit_killed_before_it_was_recorded_is_found_again(settings, passed, monkeypatch):
    def killed(*_arguments, **_options):
        raise SystemExit

    monkeypatch.setattr(refit, "_record", killed)
    with pytest.raises(SystemExit):
        toy.run("refit", settings, CUTOFF)
    monkeypatch.undo()
    monkeypatch.setattr(refit, "fitted_model", lambda *_arguments: pytest.fail("fitted again"))
    assert toy.run("refit", settings, CUTOFF).version == 2
    assert versions(settings) == [1, 2]


def test_a_refit_that_disagrees_is_left_out_and_the_judged_version_goes_into_force(settings, passed):
    made = refit.refit(
        Deployment(with_refit(settings, on="all_mature", max_difference=1e-6), settings),
        CUTOFF,
        **upstream(settings, passed),
    )
    assert (made.outcome, made.version) == ("judged", 1)
    assert "its refit, version 2, is left out: it differs" in made.why
    save(settings, made)
    promoted = toy.run("promote", settings, CUTOFF)
    assert (promoted.version, promoted.refit_of) == (1, None)
    assert ledger.verify(settings, "toy") == []


def test_nothing_is_refitted_where_nothing_is_asked(settings, passed):
    made = refit.refit(Deployment(with_refit(settings, on="none"), settings), CUTOFF, **upstream(settings, passed))
    assert (made.outcome, made.version, made.sequence) == ("judged", 1, None)
    refused = dataclasses.replace(passed, outcome="refused")
    assert (
        refit.refit(Deployment(toy.toy_pipeline(settings), settings), CUTOFF, **upstream(settings, refused)).sequence
        is None
    )
    assert versions(settings) == [1]
    assert [entry.kind for entry in ledger.entries(settings, "toy")] == ["trained", "decision"]
    assert toy.run("promote", settings, CUTOFF).version == 1


def test_a_decision_that_the_ledger_does_not_hold_is_refused(settings, passed):
    other = dataclasses.replace(passed, version=7)
    with pytest.raises(GuardRefused, match="no passed decision"):
        refit.refit(Deployment(toy.toy_pipeline(settings), settings), CUTOFF, **upstream(settings, other))


def test_a_refit_that_the_stage_did_not_make_is_not_promoted(settings, passed):
    forged = Refitted("toy", 9, 1, passed.sequence, "refitted", "made up", passed.model_digest, CUTOFF.end)
    head = ledger.head(settings, "toy")
    draft = Draft(CUTOFF.end, ledger.payload_of(forged))
    ledger.append(
        settings, "toy", kind="refitted", effective_at=draft.effective_at, payload=draft.payload, expected_head=head
    )
    with pytest.raises(GuardRefused, match="was not made by refit"):
        promote.promote(Deployment(toy.toy_pipeline(settings), settings), CUTOFF, decision=passed)


def test_a_promotion_that_has_begun_is_not_changed_by_a_refit(settings, passed):
    assert toy.run("promote", settings, CUTOFF).version == 1
    made = refit.refit(Deployment(toy.toy_pipeline(settings), settings), CUTOFF, **upstream(settings, passed))
    assert (made.outcome, made.version) == ("judged", 1)
    assert versions(settings) == [1]


def test_judging_again_after_the_promotion_judges_the_same(settings, passed):
    toy.run("refit", settings, CUTOFF)
    toy.run("promote", settings, CUTOFF)
    assert evaluate.incumbent(ledger.history(settings, "toy"), CUTOFF, version=1) is None
    again = toy.run("decide", settings, CUTOFF)
    assert again.sequence == passed.sequence
    assert "challenger" not in registry.aliases(settings, "toy")


def test_on_a_holdout_that_the_refit_has_learned_from_the_judged_version_is_compared(settings, passed):
    toy.run("refit", settings, CUTOFF)
    toy.run("promote", settings, CUTOFF)
    decision: Decision = toy.run_training(settings, 43, reason_key="next")
    found = toy.run("evaluate", settings, NEXT)
    assert (found.champion_version, found.compared_version) == (2, 1)
    assert found.problems == ()
    assert "version 1, which champion 2 is the refit of" in decision.why


def save(settings, made):
    state.save_record(settings, "toy", "refit", input_key="by test", window=CUTOFF, record=made.to_json())
