"""Probabilities are corrected where the folds surely gain by it, by what was said of rows that a fit had not seen."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from tests.support import toy

from airloop.config import Pipeline
from airloop.errors import DataContractError
from airloop.models import calibration_trial, estimators, tune
from airloop.models.calibrated import KEY, Calibrated
from airloop.models.self_training import of_estimator
from airloop.problems import task_of
from airloop.stores.mlflow import model_files

COPIES = 8
"""Bayes takes copies of a feature for so many witnesses, and is far too sure."""
BAYES = {"estimator": "sklearn.naive_bayes:GaussianNB", "encoder": "ordinal"}
LOGISTIC = {"estimator": "sklearn.linear_model:LogisticRegression", "encoder": "one_hot"}


def rows(count=3000, share=0.5):
    draw = np.random.default_rng(3)
    size = draw.normal(size=count)
    risk = size + np.log(share / (1 - share))
    label = (draw.uniform(size=count) < 1 / (1 + np.exp(-risk))).astype(float)
    frame = pd.DataFrame({f"x{copy}": size for copy in range(COPIES)})
    times = pd.date_range("2020-01-01", periods=count, freq="20min", tz="UTC")
    return frame.assign(decision_time=times, job=[f"j{place}" for place in range(count)], label=label)


def declared(settings, candidate, by="sigmoid", **changes):
    pipeline = toy.toy_pipeline(settings)
    changed = {"candidates": {"one": candidate}, "calibration": {"by": by}, **changes}
    training = type(pipeline.training).model_validate(pipeline.training.model_dump() | changed)
    return pipeline.model_copy(update={"training": training})


@pytest.mark.parametrize("by", ["sigmoid", "isotonic"])
def test_a_model_that_is_too_sure_is_corrected(toy_settings, by):
    pipeline, frame = declared(toy_settings, BAYES, by), rows()
    search = tune.search_of(pipeline, "one", frame)
    assert search["params"] == {KEY: by}
    assert search["calibration"]["used"] is True
    gains = np.subtract(search["calibration"]["using"], search["calibration"]["without"])
    assert (gains > 0.02).all()
    assert search["fold_scores"] == search["calibration"]["using"]
    assert of_estimator(search["params"]) == {}
    model = estimators.fitted_model(pipeline, "one", search["params"], frame)
    said = task_of(pipeline).predict(model, frame[[f"x{copy}" for copy in range(COPIES)]])
    sure = said > 0.8
    assert frame["label"][sure].mean() == pytest.approx(said[sure].mean(), abs=0.04)


def test_a_model_that_says_what_comes_is_left_as_it_is(toy_settings):
    search = tune.search_of(declared(toy_settings, LOGISTIC, "isotonic"), "one", rows())
    assert KEY not in search["params"]
    assert search["calibration"]["used"] is False
    assert search["fold_scores"] == search["calibration"]["without"]


def test_undeclared_nothing_is_tried(toy_settings):
    search = tune.search_of(declared(toy_settings, BAYES, "none"), "one", rows())
    assert "calibration" not in search
    assert search["params"] == {}


def test_a_corrected_model_is_kept_and_says_the_same(toy_settings):
    pipeline, frame = declared(toy_settings, BAYES), rows(600)
    features = [f"x{copy}" for copy in range(COPIES)]
    model = estimators.fitted_model(pipeline, "one", {KEY: "sigmoid"}, frame)
    again = model_files.loaded(model_files.dumped(model))
    assert np.array_equal(again.predict_proba(frame[features]), model.predict_proba(frame[features]))
    assert not estimators.trusted_types(model) or set(estimators.trusted_types(model)) <= {
        "airloop.models.calibrated.Calibrated"
    }


def test_no_row_is_said_by_a_fit_that_saw_it():
    frame, seen = rows(300), []

    class Watched(GaussianNB):
        def fit(self, values, labels, **options):
            seen.append(len(labels))
            return super().fit(values, labels, **options)

    values, labels = frame.filter(like="x").to_numpy(), frame["label"].to_numpy()
    Calibrated(Watched(), "sigmoid").fit(values, labels)
    assert seen == [200, 200, 200, 300]


def test_weights_of_rows_reach_the_fits_and_the_curve():
    frame = rows(900)
    values, labels = frame.filter(like="x").to_numpy(), frame["label"].to_numpy()
    weights = np.where(labels == 1, 9.0, 1.0)
    plain = Calibrated(LogisticRegression(), "sigmoid").fit(values, labels)
    heavy = Calibrated(LogisticRegression(), "sigmoid").fit(values, labels, sample_weight=weights)
    assert heavy.predict_proba(values)[:, 1].mean() > plain.predict_proba(values)[:, 1].mean() + 0.2


def test_where_a_class_lies_in_one_block_alone_it_is_left_out_and_a_fit_is_refused(toy_settings):
    frame = rows(600)
    only_early = frame.assign(label=(frame.index < 150).astype(float))
    with pytest.raises(DataContractError, match=r"600 rows into 3 blocks .* only label 0: leave it out"):
        estimators.fitted_model(declared(toy_settings, BAYES), "one", {KEY: "sigmoid"}, only_early)

    def broken(_params, _fit, _check):
        raise DataContractError("3 blocks of time")

    search = {"params": {}, "score": 0.1, "fold_scores": [0.1, 0.1]}
    found = calibration_trial.tried(declared(toy_settings, BAYES), search, [(frame, frame)], broken)
    assert found == search | {"calibration": {"used": False, "why": "3 blocks of time"}}


def test_only_two_classes_are_corrected(toy_settings):
    text = toy.toy_pipeline(toy_settings).model_dump(mode="json")
    text["training"] |= {"calibration": {"by": "sigmoid"}}
    assert Pipeline.model_validate(text).training.calibration.by == "sigmoid"
    text["prediction"] |= {"task": "regression"}
    with pytest.raises(ValidationError, match=r"calibration corrects the probabilities of two classes, .* regression"):
        Pipeline.model_validate(text)
