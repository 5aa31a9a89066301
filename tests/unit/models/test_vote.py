"""Two families answer together where the folds surely gain by it, and the version's parameters name both."""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError
from tests.support import toy
from tests.support.two_families import FEATURES, rows, voting

from airloop.config import Pipeline
from airloop.models import estimators, partners, tune, vote
from airloop.models.choice import Incumbent, choose
from airloop.models.fold_answers import FoldAnswers
from airloop.models.folds import folds
from airloop.models.self_training import of_estimator
from airloop.models.soft_vote import members_of
from airloop.problems import task_of
from airloop.records import TunedCandidate


@pytest.fixture(scope="module")
def declared(toy_built):
    return voting(toy.toy_pipeline(toy_built))


def tuned(name, *scores, **params):
    return TunedCandidate(name, params, sum(scores) / len(scores), 1, 0.0, "", scores)


def searched(pipeline, frame):
    found = {name: tune.search_of(pipeline, name, frame) for name in pipeline.training.candidates}
    return [tuned(name, *search["fold_scores"], **search["params"]) for name, search in found.items()]


def test_families_that_err_apart_answer_together_and_better(declared):
    frame = rows()
    families = searched(declared, frame)
    best = choose(families, None)
    found = vote.tried(declared, families, best, frame, {})
    assert found.used
    assert found.partner == ({each.candidate for each in families} - {best.candidate}).pop()
    assert min(np.subtract(found.together, found.alone)) > 0
    assert found.chosen.fold_scores == found.together
    assert of_estimator(found.chosen.params) == best.params
    assert vote.Vote.from_json(found.to_json()) == found


def test_a_family_that_knows_nothing_more_is_left_out(declared):
    frame = rows(straight=0.0, steps=3.0)
    families = searched(declared, frame)
    best = choose(families, None)
    found = vote.tried(declared, families, best, frame, {})
    assert (found.used, found.chosen, found.partner) == (False, best, "logistic_regression")
    assert sum(found.together) < sum(found.alone)


def test_the_pair_that_scores_best_answers_and_need_not_hold_the_best_family(declared):
    frame = rows()
    labels = [check["label"].to_numpy() for _, check in folds(declared, frame)]

    def family(name, error):
        said = [0.35 + 0.3 * label + error * (-1.0) ** np.arange(label.size) for label in labels]
        scores = [-np.mean((each - label) ** 2) for each, label in zip(said, labels, strict=True)]
        return tuned(name, *scores, of=name), said

    made = [family("best", 0.15), family("over", 0.3), family("under", -0.3)]
    families, answers = [each for each, _ in made], {each.candidate: said for each, said in made}
    best = choose(families, None)
    assert best.candidate == "best"
    found = vote.tried(declared, families, best, frame, answers)
    assert {found.beside, found.partner} == {"over", "under"}
    partner = {"candidate": found.partner, "params": {"of": found.partner}}
    assert (found.chosen.candidate, found.chosen.params) == (found.beside, {"of": found.beside, partners.KEY: partner})
    assert found.together == pytest.approx([-0.1225, -0.1225])


def test_what_a_search_said_of_the_folds_spares_the_fits(declared, monkeypatch):
    frame, families, answers = rows(), [], {}
    for name in declared.training.candidates:
        said = FoldAnswers()
        search = tune.search_of(declared, name, frame, answers=said)
        families.append(tuned(name, *search["fold_scores"], **search["params"]))
        answers[name] = said.of(search["params"], 2)
        assert [len(each) for each in answers[name]] == [len(check) for _, check in folds(declared, frame)]
        assert said.of({"of": "another trial"}, 2) == ()
    best = choose(families, None)
    fitted = vote.tried(declared, families, best, frame, {})
    monkeypatch.setattr(vote, "fitted_model", lambda *_: pytest.fail("fitted again"))
    assert vote.tried(declared, families, best, frame, answers) == fitted


def test_a_search_that_goes_on_after_a_kill_says_nothing_of_folds_it_did_not_fit(declared):
    frame, known, said = rows(), {}, FoldAnswers()
    search = tune.search_of(declared, "logistic_regression", frame, known=known)
    tune.search_of(declared, "logistic_regression", frame, known=known, answers=said)
    assert said.of(search["params"], 2) == ()


def test_nothing_is_tried_undeclared_alone_on_one_fold_or_with_unlabelled_rows(declared):
    best, other = tuned("gradient_boosting", 0.2, 0.3), tuned("logistic_regression", 0.1, 0.2)
    nothing = rows(0)
    guessed = replace(other, params={"airloop_unlabelled": "self_training"})
    single = (tuned("gradient_boosting", 0.2), tuned("logistic_regression", 0.1))
    for pipeline, families in (
        (voting(declared, "none"), (best, other)),
        (declared, (best,)),
        (declared, (best, guessed)),
        (declared, single),
    ):
        assert vote.tried(pipeline, families, families[0], nothing, {}) == vote.Vote(families[0])


def test_a_vote_is_the_mean_of_both_fitted_alone(declared):
    frame, params = rows(600), {"max_leaf_nodes": 4}
    partner = {partners.KEY: {"candidate": "logistic_regression", "params": {"C": 0.5}}}
    model = estimators.fitted_model(declared, "gradient_boosting", params | partner, frame, FEATURES)
    apart = [
        estimators.fitted_model(declared, name, own, frame, FEATURES)
        for name, own in (("gradient_boosting", params), ("logistic_regression", {"C": 0.5}))
    ]
    task, asked = task_of(declared), frame[FEATURES].tail(50)
    together, *each = (task.predict(one, asked) for one in (model, *apart))
    assert np.array_equal(together, np.mean(each, axis=0))
    assert len(members_of(model)) == 2
    assert members_of(apart[0]) == (apart[0],)
    assert (model.predict(asked) == (together >= 0.5)).mean() > 0.9


def test_the_weights_of_rows_reach_both(declared):
    frame = rows(600)
    partner = {partners.KEY: {"candidate": "logistic_regression", "params": {"C": 0.5}}}
    aged = voting(declared, half_life_days=2)
    said = []
    for pipeline in (aged, declared):
        model = estimators.fitted_model(pipeline, "gradient_boosting", {"max_leaf_nodes": 4} | partner, frame, FEATURES)
        said.append([member.predict_proba(frame[FEATURES])[:, 1] for member in members_of(model)])
    assert all(np.abs(old - new).max() > 1e-4 for old, new in zip(*said, strict=True))


def test_values_are_averaged_too(declared):
    text = declared.model_dump(mode="json")
    text["prediction"] |= {"task": "regression"}
    text["gate"] |= {
        "floors": [{"metric": "mae", "at_most": 9}],
        "compare": text["gate"]["compare"] | {"metric": "mae"},
    }
    text["monitoring"]["policy"] |= {"metric": "mae"}
    text["training"] |= {
        "metric": "mae",
        "candidates": {
            "ridge": {"estimator": "sklearn.linear_model:Ridge", "encoder": "one_hot"},
            "tree": {
                "estimator": "sklearn.tree:DecisionTreeRegressor",
                "encoder": "ordinal",
                "params": {"max_depth": 3},
            },
        },
    }
    pipeline, frame = Pipeline.model_validate(text), rows(600)
    params = {partners.KEY: {"candidate": "tree", "params": {}}}
    model = estimators.fitted_model(pipeline, "ridge", params, frame, FEATURES)
    each = [member.predict(frame[FEATURES]) for member in members_of(model)]
    assert np.array_equal(task_of(pipeline).predict(model, frame[FEATURES]), np.mean(each, axis=0))


def test_a_search_starts_from_what_serves_alone_or_as_a_partner():
    serving = Incumbent("a", {"x": 1, partners.KEY: {"candidate": "b", "params": {"y": 2}}})
    assert serving.params_of("a") == {"x": 1}
    assert serving.params_of("b") == {"y": 2}
    assert serving.params_of("c") is None
    assert Incumbent("a", {"x": 1}).params_of("b") is None


def test_anomalies_and_quantiles_have_no_vote(declared):
    text = declared.model_dump(mode="json")
    text["prediction"] |= {"task": "quantiles", "quantiles": [0.1, 0.9]}
    with pytest.raises(ValidationError, match=r"ensemble\.by is vote, .* means nothing of quantiles: leave it out"):
        Pipeline.model_validate(text)
