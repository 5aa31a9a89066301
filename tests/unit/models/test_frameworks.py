"""Frameworks: kept as their own text, the same bits when read back; what cannot be kept, or is missing, is refused."""

import sys

import numpy as np
import pytest
from skops.io import dumps
from tests.support import toy

from airloop.config import Candidate
from airloop.config.attribute import resolve
from airloop.errors import ConfigError, GuardRefused
from airloop.models import estimators, frameworks
from airloop.stores.mlflow import model_files, model_types

ROWS = 600
BINARY, THREE, VALUES = "binary", "three classes", "values"
KEPT = [
    ("lightgbm:LGBMClassifier", BINARY),
    ("lightgbm:LGBMClassifier", THREE),
    ("lightgbm:LGBMRegressor", VALUES),
    ("xgboost:XGBClassifier", BINARY),
    ("xgboost:XGBClassifier", THREE),
    ("xgboost:XGBRegressor", VALUES),
    ("xgboost:XGBRFClassifier", BINARY),
]


@pytest.fixture(scope="module")
def rows():
    draw = np.random.default_rng(0)
    found = draw.normal(size=(ROWS, 4))
    found[draw.uniform(size=found.shape) < 0.1] = np.nan
    return found


def labels_of(rows, kind):
    """Class numbers 1, 2 and 4 of three classes: frameworks want places."""
    signal = np.nan_to_num(rows[:, 0]) + np.nan_to_num(rows[:, 1])
    if kind == VALUES:
        return signal
    return (signal > 0).astype(float) if kind == BINARY else np.array([1.0, 2.0, 4.0])[np.digitize(signal, [-0.7, 0.7])]


def fitted(path, rows, labels, **params):
    declared = Candidate(estimator=path, encoder="ordinal")
    return frameworks.kept_form(declared, {"n_estimators": 12, "random_state": 1, **params}).fit(rows, labels)


def says(model, rows):
    return model.predict_proba(rows) if hasattr(model, "predict_proba") else model.predict(rows)


@pytest.mark.parametrize(("path", "kind"), KEPT)
def test_a_saved_model_predicts_the_same_bits_and_what_the_framework_predicts(rows, path, kind):
    labels = labels_of(rows, kind)
    model = fitted(path, rows, labels)
    content = dumps(model)
    assert model_types.strange_types(content) == ()
    assert b"pickle" not in content
    again = model_files.loaded(content)
    assert (says(again, rows) == says(model, rows)).all()
    own = resolve(path)(**model.params).fit(
        rows, np.unique(labels, return_inverse=True)[1] if kind != VALUES else labels
    )
    assert np.allclose(says(model, rows), says(own, rows), atol=1e-6)
    if kind != VALUES:
        assert model.classes_.tolist() == sorted(set(labels))
        assert (again.predict(rows) == labels).mean() > 0.8
        assert np.allclose(says(again, rows).sum(axis=1), 1)


@pytest.mark.parametrize("path", ["lightgbm:LGBMClassifier", "xgboost:XGBClassifier"])
def test_weights_are_learned_from(rows, path):
    labels = np.random.default_rng(2).integers(0, 2, ROWS).astype(float)  # says nothing but its rate
    heavy = np.where(labels == 1, 20.0, 1.0)
    model = fitted(path, rows, labels)
    weighted = frameworks.kept_form(Candidate(estimator=path, encoder="ordinal"), model.params).fit(rows, labels, heavy)
    assert says(weighted, rows)[:, 1].mean() > says(model, rows)[:, 1].mean() + 0.05


@pytest.mark.parametrize("path", ["lightgbm:LGBMClassifier", "xgboost:XGBClassifier"])
@pytest.mark.parametrize("text", ["", "broken", "tree\nbroken", '{"learner": 3}'])
def test_a_text_that_is_no_model_does_not_load(rows, path, text):
    model = fitted(path, rows, labels_of(rows, BINARY))
    model.text_ = text
    with pytest.raises(GuardRefused, match=r"model\.skops does not load"):
        model_files.loaded(dumps(model))


def test_a_framework_that_is_not_installed_is_one_error_with_its_command(monkeypatch):
    for name in ("lightgbm", "xgboost"):
        monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(ConfigError, match=rf"^{name} is not installed in .*: uv pip install .*'airloop\[{name}\]'"):
            resolve(f"{name}:Anything")


@pytest.mark.parametrize(
    ("candidate", "message"),
    [
        ({"estimator": "lightgbm:LGBMRanker"}, "LGBMRanker cannot be kept as text .can be: LGBMClassifier"),
        ({"estimator": "xgboost:XGBRegressor"}, "is not a classifier, and the task is binary"),
        (
            {"estimator": "xgboost:XGBClassifier", "params": {"early_stopping_rounds": 5}},
            "params: early_stopping_rounds needs validation rows",
        ),
        (
            {"estimator": "lightgbm:LGBMClassifier", "search": {"early_stopping_round": [3, 4]}},
            "search: early_stopping_round needs validation rows",
        ),
        ({"estimator": "xgboost:XGBClassifier", "search": {"depth_max": [3, 4]}}, "has no 'depth_max'"),
        (
            {"estimator": "lightgbm:LGBMClassifier", "params": {"n_estimatorss": 5}},
            "params: lightgbm:LGBMClassifier has no 'n_estimatorss'; did you mean 'n_estimators'",
        ),
        (
            {"estimator": "xgboost:XGBClassifier", "params": {"max_deepth": 5}},
            "has no 'max_deepth'; did you mean 'max_d",
        ),
    ],
)
def test_a_candidate_that_cannot_be_kept_or_fitted_is_refused_before_any_training(toy_settings, candidate, message):
    with pytest.raises(ConfigError, match=message):
        estimators.check_candidate(_with(toy_settings, candidate), "one")


@pytest.mark.parametrize("path", ["lightgbm:LGBMClassifier", "xgboost:XGBClassifier"])
def test_a_candidate_of_a_framework_takes_its_params_search_and_weights(toy_settings, path):
    candidate = {"estimator": path, "params": {"n_estimators": 5}, "search": {"learning_rate": [0.1, 0.3]}}
    pipeline = _with(toy_settings, candidate)
    training = pipeline.training.model_copy(update={"half_life_days": 30})
    estimators.check_candidate(pipeline.model_copy(update={"training": training}), "one")


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("lightgbm:LGBMClassifier", {"n_estimators": 5, "num_leaf": 7, "bagging_freq": 1, "class_weight": "balanced"}),
        ("xgboost:XGBClassifier", {"n_estimators": 5, "eta": 0.2, "rate_drop": 0.1, "subsample": 0.5}),
    ],
)
def test_a_library_s_own_names_and_aliases_are_taken(toy_settings, path, params):
    estimators.check_candidate(_with(toy_settings, {"estimator": path, "params": params}), "one")


def _with(settings, candidate):
    pipeline = toy.toy_pipeline(settings)
    one = Candidate.model_validate({"encoder": "ordinal", **candidate})
    return pipeline.model_copy(update={"training": pipeline.training.model_copy(update={"candidates": {"one": one}})})
