"""Boosting answers by the mean of several fits, each with its own seed and half of the features at each split."""

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from tests.support import toy
from tests.support.form_models import COLUMNS, COLUMNS_OF, fitted, made_up, real_rows
from tests.support.two_families import FEATURES, rows, voting

from airloop.config import Pipeline
from airloop.models import estimators, partners, preprocessing, several_fits
from airloop.models.choice import Incumbent
from airloop.models.forms import choose, written
from airloop.models.forms.choose import chosen_form
from airloop.models.self_training import of_estimator, uses_unlabelled
from airloop.models.soft_vote import VoteOfClassifiers, members_of
from airloop.models.tune import search_of
from airloop.problems import task_of
from airloop.records import TunedCandidate
from airloop.stores.mlflow.model_types import ALLOWED_TYPES

FOUR = {"fits": 4, "params": {"max_features": 0.5}}
BOOSTING = "sklearn.ensemble:HistGradientBoosting"


@pytest.fixture
def declared(toy_settings):
    return toy.toy_pipeline(toy_settings)


def asking(pipeline, fits=4, **changes):
    return voting(pipeline, ensemble={"by": "vote", "fits": fits}, **changes)


def with_fits(pipeline, candidate, **params):
    best = TunedCandidate(candidate, params, 0.5, 1, 0.0, "", (0.4, 0.6))
    return several_fits.with_fits(pipeline, best).params


def test_boosting_is_to_be_fitted_several_times_alone_and_as_a_partner(declared):
    linear = {"C": 0.5, "airloop_threshold": 0.3}
    partner = {partners.KEY: {"candidate": "gradient_boosting", "params": {"max_leaf_nodes": 4}}}
    asked = asking(declared)
    assert with_fits(asked, "gradient_boosting", max_leaf_nodes=4) == {"max_leaf_nodes": 4, "airloop_fits": FOUR}
    own = {"max_leaf_nodes": 4, "airloop_fits": FOUR}
    together = linear | {partners.KEY: {"candidate": "gradient_boosting", "params": own}}
    assert with_fits(asked, "logistic_regression", **linear, **partner) == together
    assert (
        several_fits.answering("logistic_regression", together) == "logistic_regression and 4 fits of gradient_boosting"
    )


def test_a_family_without_fits_that_differ_is_fitted_once_and_so_is_all_by_default(declared):
    assert with_fits(asking(declared), "logistic_regression", C=0.5) == {"C": 0.5}
    assert with_fits(declared, "gradient_boosting", max_leaf_nodes=4) == {"max_leaf_nodes": 4}
    assert declared.training.ensemble.fits == 1
    assert several_fits.answering("logistic_regression", {"C": 0.5}) == ""


def test_a_share_of_features_of_its_own_stays(declared):
    assert with_fits(asking(declared), "gradient_boosting", max_features=0.3)["airloop_fits"]["params"] == {}


def test_the_fits_differ_and_their_mean_answers(declared):
    frame, params = rows(600), {"max_leaf_nodes": 4, "airloop_fits": FOUR}
    model = estimators.fitted_model(declared, "gradient_boosting", params, frame, FEATURES)
    task, asked = task_of(declared), frame[FEATURES].tail(50)
    apart = []
    for number in range(4):
        seeded = voting(declared, seed=declared.training.seed + number)
        single = {"max_leaf_nodes": 4, "max_features": 0.5}
        alone = estimators.fitted_model(seeded, "gradient_boosting", single, frame, FEATURES)
        apart.append(task.predict(alone, asked))
    assert min(np.abs(one - other).max() for at, one in enumerate(apart) for other in apart[:at]) > 1e-4
    assert np.array_equal(task.predict(model, asked), np.mean(apart, axis=0))
    again = estimators.fitted_model(declared, "gradient_boosting", params, frame, FEATURES)
    assert np.array_equal(task.predict(again, asked), task.predict(model, asked))


def test_the_fits_share_one_encoder_and_learn_from_rows_that_are_encoded_once(declared, monkeypatch):
    frame, params, encoded = rows(600), {"max_leaf_nodes": 4, "airloop_fits": FOUR}, []

    class Counted(ColumnTransformer):
        def fit_transform(self, rows, *args, **kept):
            encoded.append(len(rows))
            return super().fit_transform(rows, *args, **kept)

        def transform(self, rows, **kept):
            encoded.append(len(rows))
            return super().transform(rows, **kept)

    monkeypatch.setattr(preprocessing, "ColumnTransformer", Counted)
    model = estimators.fitted_model(declared, "gradient_boosting", params, frame, FEATURES)
    task_of(declared).predict(model, frame[FEATURES].tail(50))
    assert encoded == [600, 50]
    members = members_of(model)
    assert len(members) == 4
    assert {id(member.steps[0][1]) for member in members} == {id(model.steps[0][1])}


def test_a_model_whose_fits_have_encoders_of_their_own_answers_the_same(declared):
    frame, params = rows(600), {"max_leaf_nodes": 4, "airloop_fits": FOUR}
    shared = estimators.fitted_model(declared, "gradient_boosting", params, frame, FEATURES)
    apart = make_pipeline(VoteOfClassifiers([clone(member) for member in members_of(shared)]))
    apart.fit(frame[FEATURES], frame["label"])
    task, asked = task_of(declared), frame[FEATURES].tail(50)
    assert np.array_equal(task.predict(shared, asked), task.predict(apart, asked))


def test_with_a_partner_the_fits_have_half_of_the_weight(declared):
    frame, boosting = rows(600), {"max_leaf_nodes": 4, "airloop_fits": FOUR}
    partner = {partners.KEY: {"candidate": "logistic_regression", "params": {"C": 0.5}}}
    asked, task = frame[FEATURES].tail(50), task_of(declared)
    both, fits, linear = (
        task.predict(estimators.fitted_model(declared, name, own, frame, FEATURES), asked)
        for name, own in (
            ("gradient_boosting", boosting | partner),
            ("gradient_boosting", boosting),
            ("logistic_regression", {"C": 0.5}),
        )
    )
    assert np.array_equal(both, np.mean([fits, linear], axis=0))


@pytest.mark.parametrize(
    ("more", "own"),
    [
        ({"balance": {"by": "undersampling"}}, {}),
        ({"half_life_days": 2}, {}),
        ({"calibration": {"by": "sigmoid"}}, {"airloop_calibrated": "sigmoid"}),
        ({"unlabelled": {"by": "self_training", "sure": 0.6}}, {"airloop_unlabelled": "self_training"}),
    ],
    ids=["balance", "half-life", "calibration", "unlabelled"],
)
def test_each_fit_is_balanced_weighted_corrected_and_taught_like_one_alone(declared, more, own):
    frame = rows(600)
    frame.loc[frame.index % 3 == 0, "label"] = np.nan
    labelled = frame.dropna(subset=["label"])
    params = {"max_leaf_nodes": 4, "airloop_fits": FOUR}
    learned = frame if uses_unlabelled(own) else labelled
    asked = estimators.fitted_model(voting(declared, **more), "gradient_boosting", params | own, learned, FEATURES)
    plain = estimators.fitted_model(declared, "gradient_boosting", params, labelled, FEATURES)
    for one, other in zip(members_of(asked), members_of(plain), strict=True):
        assert np.abs(one.predict_proba(frame[FEATURES]) - other.predict_proba(frame[FEATURES])).max() > 1e-4


def test_the_search_is_of_single_fits_and_starts_from_what_serves(declared, monkeypatch):
    frame = rows()
    search = declared.training.candidates["gradient_boosting"].search
    serving = {name: space.low if hasattr(space, "low") else space[0] for name, space in search.items()}
    incumbent = Incumbent("gradient_boosting", serving | {"airloop_fits": FOUR})
    fitted_with = []
    real = estimators.new_model
    monkeypatch.setattr(estimators, "new_model", lambda *args: (fitted_with.append(args[2]), real(*args))[1])
    search_of(asking(declared), "gradient_boosting", frame, incumbent)
    assert fitted_with[0] == serving
    assert not any("airloop_fits" in params for params in fitted_with)
    assert of_estimator(serving | {"airloop_fits": FOUR}) == serving


@pytest.mark.parametrize(
    ("kind", "fits", "partner"),
    [("binary", FOUR, True), ("multiclass", FOUR, False), ("regression", FOUR, True), ("binary", None, True)],
    ids=["binary", "multiclass without a partner", "regression", "single fits"],
)
def test_the_form_of_several_fits_answers_as_their_pipelines(toy_settings, kind, fits, partner):
    frame = made_up()
    name = BOOSTING + ("Regressor" if kind == "regression" else "Classifier")
    pipeline, _ = fitted(toy_settings, frame, kind, name, "ordinal", {"max_iter": 8})
    linear = "Ridge" if kind == "regression" else "LogisticRegression"
    text = pipeline.model_dump(mode="json")
    text["training"]["candidates"]["two"] = {"estimator": f"sklearn.linear_model:{linear}", "encoder": "one_hot"}
    pipeline, task = Pipeline.model_validate(text), task_of(pipeline)
    params = ({"airloop_fits": fits} if fits else {}) | (
        {partners.KEY: {"candidate": "two", "params": {}}} if partner else {}
    )
    labels = {"regression": frame["chance"], "binary": (frame["draw"] < frame["chance"]).astype(float)}
    labelled = frame[list(COLUMNS)].assign(
        label=labels.get(kind, np.floor(frame["chance"] * 2 + frame["draw"]).clip(0, 2))
    )
    model = estimators.fitted_model(pipeline, "one", params, labelled, COLUMNS)
    assert set(estimators.trusted_types(model)) <= ALLOWED_TYPES
    chosen = chosen_form(model, COLUMNS_OF, task, real_rows(frame))
    assert (chosen.name, chosen.why) == ("vote" if partner else "trees", "")
    asked = [*real_rows(frame), *choose.probes(COLUMNS_OF, real_rows(frame))]
    expected = task.predict(model, COLUMNS_OF.table(asked).to_pandas())
    assert (np.abs(chosen.predict(asked) - expected) / np.maximum(1.0, np.abs(expected))).max() <= 1e-12
    again = written.read(written.written(chosen, {})).form
    assert np.array_equal(again.predict(asked), chosen.predict(asked))
    assert np.array_equal(again.predict(asked[:1]), chosen.predict(asked[:1]))


def test_quantiles_are_averaged_level_by_level(declared):
    text = declared.model_dump(mode="json")
    text["prediction"] |= {"task": "quantiles", "quantiles": [0.1, 0.9]}
    text["gate"] |= {
        "floors": [{"metric": "pinball", "at_most": 9}],
        "compare": text["gate"]["compare"] | {"metric": "pinball"},
    }
    text["monitoring"]["policy"] |= {"metric": "pinball"}
    candidate = {"estimator": f"{BOOSTING}Regressor", "encoder": "ordinal", "params": {"max_iter": 8}}
    text["training"] |= {"metric": "pinball", "candidates": {"boosting": candidate}, "ensemble": {"fits": 3}}
    pipeline, frame = Pipeline.model_validate(text), rows(600)
    frame["label"] = frame["celsius"] * 10
    params = with_fits(pipeline, "boosting")
    model = estimators.fitted_model(pipeline, "boosting", params, frame, FEATURES)
    task, asked = task_of(pipeline), frame[FEATURES].tail(50)
    each = [member.predict(asked) for member in members_of(model)]
    assert len(each) == 3
    assert np.array_equal(task.predict(model, asked), np.mean(each, axis=0))
    assert task.other_outputs(model) == ""


def test_several_fits_of_nothing_that_differs_are_refused(declared):
    alone = {"logistic_regression": declared.training.candidates["logistic_regression"].model_dump(mode="json")}
    with pytest.raises(ValidationError, match=r"ensemble\.fits is 4, and no candidate has fits to average"):
        asking(declared, candidates=alone)
    with pytest.raises(ValidationError, match="fits"):
        asking(declared, fits=0)
    assert asking(declared).training.ensemble.fits == 4
