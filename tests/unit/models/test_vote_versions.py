"""The way of families and fits that answer together: trained, judged, refitted, probed, served, reproduced."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from tests.support import command, toy

from airloop.models import model_version, partners, vote
from airloop.models.forms import choose, written
from airloop.models.forms.choose import chosen_form
from airloop.models.serving_form import read, real_rows
from airloop.models.soft_vote import VoteOfClassifiers, members_of
from airloop.models.training_set import read_snapshot
from airloop.problems import task_of
from airloop.serving.inputs import read_inputs
from airloop.stores.mlflow import tracking
from airloop.watch import probe_models

DECLARED = "holdout_days: 15,"
ASKED = f"{DECLARED} refit: {{on: all_mature}}, ensemble: {{by: vote, fits: 2}},"
CUTOFF = toy.days(0, 44)


@pytest.fixture(scope="module")
def voting(toy_built, tmp_path_factory):
    """The home of `toy_built` seen from a checkout that declares a vote and two fits, and the version of a training in
    which the folds were said to gain by the vote, without another fit on them."""
    root = tmp_path_factory.mktemp("vote")
    settings = toy.edited(toy_built, root, "pipeline.yaml", DECLARED, ASKED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vote, "surely_gains", lambda *_: True)
        patch.setattr(vote, "fitted_model", lambda *_: pytest.fail("the searches' runs keep what the folds were told"))
        decision = toy.run_training(settings, 44)
    return settings, decision


def held(voting):
    settings, decision = voting
    return model_version.load_version(toy.toy_pipeline(settings), decision.version, settings)


def weights_of(model, weight=1.0):
    """Of the single models that answer together, smallest first."""
    members = getattr(model.steps[-1][1] if hasattr(model, "steps") else model, "members", ())
    single = [each for member in members for each in weights_of(member, weight / len(members))]
    return sorted(single) or [weight]


def test_a_vote_is_judged_as_one_version_that_names_both(voting):
    settings, decision = voting
    version = held(voting)
    assert decision.version == version.version
    assert weights_of(version.model) == [0.25, 0.25, 0.5]
    partner, _ = partners.partner_of(version.params)
    assert {version.candidate, partner} == {"logistic_regression", "gradient_boosting"}
    run = tracking.client(settings).get_model_version("toy", str(version.version)).run_id
    kept = vote.Vote.from_json(tracking.read_json(settings, run, "vote.json"))
    assert kept.used
    assert len(kept.alone) == len(kept.together) == 2


def test_a_retry_of_a_training_finds_the_vote_that_was_decided(voting):
    settings, decision = voting
    again = toy.run("train", settings, CUTOFF)  # the folds themselves are not asked again
    assert (again.version, again.params) == (decision.version, held(voting).params)


def test_a_vote_is_reproduced_bit_for_bit(voting, monkeypatch, capsys):
    settings, decision = voting
    done = command.in_checkout(settings, monkeypatch, capsys)("reproduce", "toy", str(decision.version), "--anyway")
    assert (done.code, done.out.startswith("identical: ")) == (0, True), done


def test_its_refit_and_its_probe_are_of_as_many_fits(voting):
    settings, decision = voting
    pipeline, version = toy.toy_pipeline(settings), held(voting)
    probe = probe_models.probe(pipeline, version, CUTOFF.end, settings, keep_from=None)
    assert weights_of(probe.model) == [0.25, 0.25, 0.5]
    assert decision.passed
    made = toy.run("refit", settings, CUTOFF)
    again = model_version.load_version(pipeline, made.version, settings)
    assert (made.outcome, again.params, weights_of(again.model)) == ("refitted", version.params, [0.25, 0.25, 0.5])


def test_its_card_says_who_answers(voting):
    settings, _ = voting
    described = toy.run("describe", settings, CUTOFF)
    families = sorted(described.measured["answering"].split(" and "))
    assert families == ["2 fits of gradient_boosting", "logistic_regression"]
    page = Path(described.card_uri).read_text()
    assert "2 fits of gradient boosting" in page
    assert "a form of its own (vote)" in page


def test_a_vote_is_served_by_the_forms_of_both(voting):
    settings, _ = voting
    pipeline, version = toy.toy_pipeline(settings), held(voting)
    task, columns = task_of(pipeline), read_inputs(pipeline, version.features, settings).of_model
    rows = real_rows(version.snapshot, version.features, settings)
    chosen = chosen_form(version.model, columns, task, rows)
    assert (chosen.name, chosen.why) == ("vote", "")
    asked = [*rows, *choose.probes(columns, rows), *choose.edges(chosen.predict.scorer, rows)]
    expected = task.predict(version.model, columns.table(asked).to_pandas())
    assert np.abs(chosen.predict(asked) - expected).max() <= 1e-12
    again = written.read(written.written(chosen, {})).form
    assert np.array_equal(again.predict(asked), chosen.predict(asked))
    sealed = read(model_version.version_files("toy", version.version, settings))
    assert (sealed.form.name, sealed.why) == ("vote", "")


def test_a_vote_with_a_member_without_a_fast_form_is_served_by_its_pipeline(voting):
    settings, _ = voting
    pipeline, version = toy.toy_pipeline(settings), held(voting)
    members, rows = members_of(version.model), read_snapshot(version.snapshot, settings).head(400)
    linear = next(member for member in members if hasattr(member.steps[-1][1], "coef_"))
    neighbours = make_pipeline(linear.steps[0][1], KNeighborsClassifier())
    features = list(version.features)
    model = make_pipeline(VoteOfClassifiers([linear, neighbours])).fit(rows[features], rows["label"])
    columns = read_inputs(pipeline, version.features, settings).of_model
    asked = real_rows(version.snapshot, version.features, settings)
    chosen = chosen_form(model, columns, task_of(pipeline), asked)
    assert (chosen.name, chosen.why.startswith("vote: ValueError: KNeighborsClassifier")) == ("pipeline", True)
    assert len(chosen.predict(asked)) == len(asked)
