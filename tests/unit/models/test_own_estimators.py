"""The way of a framework's model, and of a class of the project's own: trained, gated, promoted, scored, reproduced."""

import re

import pandas as pd
import pytest
from pydantic import ValidationError
from tests.support import toy

from airloop.config import Candidate
from airloop.errors import GuardRefused
from airloop.gate import fresh_process
from airloop.models import model_version
from airloop.problems import task_of
from airloop.serving.score import predictions_uri
from airloop.stores import lake
from airloop.stores.mlflow import model_files

LIGHTGBM = '{estimator: "lightgbm:LGBMClassifier", encoder: ordinal, params: {n_estimators: 1, num_leaves: 3}}'
XGBOOST = (
    '{estimator: "xgboost:XGBClassifier", encoder: ordinal, params: {n_estimators: 25, max_depth: 3}, '
    "search: {learning_rate: [0.1, 0.2]}}"
)
OWN = '{estimator: "own_estimators:Threshold", encoder: ordinal, params: {celsius: 70}%s}'
REVIEWED = ', trusted_types: ["own_estimators:Threshold"]'
OWN_CODE = """
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class Threshold(ClassifierMixin, BaseEstimator):
    def __init__(self, celsius=70):
        self.celsius = celsius

    def fit(self, rows, labels):
        self.classes_ = np.unique(labels)
        self.hot_, self.cold_ = (labels[self._is_hot(rows) == flag].mean() for flag in (True, False))
        return self

    def predict_proba(self, rows):
        second = np.where(self._is_hot(rows), self.hot_, self.cold_)
        return np.column_stack([1 - second, second])

    def _is_hot(self, rows):
        return np.asarray(rows)[:, -1] > self.celsius
"""
SHIPPED = re.compile(r"candidates: \{.*?\}\}\}\}", re.DOTALL)


def with_candidate(built, root, declared):
    """The home of `built` seen from a checkout that declares one candidate."""
    shipped = SHIPPED.search(toy.PIPELINE).group()
    settings = toy.edited(built, root, "pipeline.yaml", shipped, f"candidates: {{one: {declared}}}}}")
    (root / "include" / "own_estimators.py").write_text(OWN_CODE)
    return settings


def promoted(settings, day):
    decision = toy.run_training(settings, day)
    assert decision.passed, decision.why
    toy.run("promote", settings, toy.days(0, day))
    return decision.version


def scored_by(settings, first, end):
    toy.run("score", settings, toy.days(first, end))
    rows = pd.DataFrame(lake.read(predictions_uri(toy.toy_pipeline(settings), settings), settings).to_pandas())
    return rows[rows["decision_time"] >= toy.days(0, first).end]


@pytest.fixture(scope="module")
def by_lightgbm(toy_built, tmp_path_factory):
    """LightGBM in force since day 40."""
    settings = with_candidate(toy_built, tmp_path_factory.mktemp("lightgbm"), LIGHTGBM)
    return settings, promoted(settings, 40)


@pytest.fixture(scope="module")
def by_xgboost(toy_built, by_lightgbm, tmp_path_factory):
    """XGBoost, better than a LightGBM of one small tree, in force since day 41."""
    assert by_lightgbm
    settings = with_candidate(toy_built, tmp_path_factory.mktemp("xgboost"), XGBOOST)
    return settings, promoted(settings, 41)


@pytest.mark.parametrize(("framework", "day"), [("by_lightgbm", 40), ("by_xgboost", 41)])
def test_a_frameworks_model_is_trained_gated_promoted_and_scores(request, framework, day):
    settings, version = request.getfixturevalue(framework)
    pipeline = toy.toy_pipeline(settings)
    held = model_version.load_version(pipeline, version, settings)
    assert type(held.model[-1]).__module__ == f"airloop.models.frameworks.{framework.removeprefix('by_')}"
    files = model_version.version_files("toy", version, settings)
    assert framework.removeprefix("by_") in files["requirements.txt"].decode()
    example = model_files.input_example(files)
    assert len(held.predict(pipeline, example)) == len(example)
    rows = scored_by(settings, day, day + 1)
    assert set(rows["model_version"]) == {version}
    assert rows["prediction"].between(0, 1).all()


def test_a_class_of_the_projects_own_passes_when_its_type_was_reviewed(
    toy_built, by_xgboost, tmp_path, in_new_processes
):
    settings = with_candidate(toy_built, tmp_path, OWN % REVIEWED)
    decision = toy.run_training(settings, 42)
    pipeline = toy.toy_pipeline(settings)
    held = model_version.load_version(pipeline, decision.version, settings)
    assert type(held.model[-1]).__name__ == "Threshold"
    assert len(held.holdout_predictions)
    reviewed = pipeline.training.reviewed_types
    assert fresh_process.check_model(settings, "toy", decision.version, reviewed=reviewed) == held.digest
    with pytest.raises(GuardRefused, match=r"own_estimators\.Threshold, not on the allow-list"):
        fresh_process.check_model(settings, "toy", decision.version)
    unreviewed = toy.toy_pipeline(by_xgboost[0])
    with pytest.raises(GuardRefused, match=r"Threshold, not on the allow-list .* nor among trusted_types"):
        model_version.load_version(unreviewed, decision.version, settings)
    assert task_of(pipeline).predict(held.model, model_files.input_example(_files(settings, decision))).std() >= 0


def _files(settings, decision):
    return model_version.version_files("toy", decision.version, settings)


def test_a_class_of_the_projects_own_that_nobody_reviewed_is_not_saved(toy_built, tmp_path):
    settings = with_candidate(toy_built, tmp_path, OWN % "")
    with pytest.raises(GuardRefused, match="named in trusted_types of its candidate"):
        toy.run_training(settings, 43)


@pytest.mark.parametrize("name", ["builtins:eval", "os:system", "subprocess:Popen", "functools:partial"])
def test_a_type_of_the_standard_library_is_never_trusted(name):
    with pytest.raises(ValidationError, match="of Python's standard library"):
        Candidate(estimator="a:B", encoder="ordinal", trusted_types=(name,))
    assert Candidate(estimator="a:B", encoder="ordinal", trusted_types=("shop.models:Mine",)).trusted_types
