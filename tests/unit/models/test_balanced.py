"""Balanced classes: the probabilities stay those of the classes as they occur, and a rare class is learned."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from skops.io import dumps
from tests.support import toy, toy_tasks

from airloop.config import Candidate, Pipeline
from airloop.errors import ConfigError
from airloop.models import estimators
from airloop.models.balanced import Balanced
from airloop.problems import task_of
from airloop.settings import Settings
from airloop.stores.mlflow import model_files

ROWS = 40_000
WAYS = ["class_weight", "undersampling"]


def rare(seed):
    """Rows whose label is 1 in about 2 % of them, with the chance of each."""
    draw = np.random.default_rng(seed)
    rows = draw.normal(size=(ROWS, 2))
    chance = 1 / (1 + np.exp(5 - 1.5 * rows[:, 0]))
    return rows, (draw.uniform(size=ROWS) < chance).astype(float), chance


@pytest.fixture(scope="module")
def known():
    return rare(1), rare(2)


@pytest.mark.parametrize("by", WAYS)
def test_probabilities_are_those_of_the_classes_as_they_occur(known, by):
    (rows, labels, _), (others, came, chance) = known
    model = Balanced(LogisticRegression(), by).fit(rows, labels)
    said = model.predict_proba(others)[:, 1]
    assert said.mean() == pytest.approx(came.mean(), rel=0.1)
    assert np.abs(said - chance).mean() < 0.004
    uncorrected = model.estimator.predict_proba(others)[:, 1]
    assert uncorrected.mean() > 5 * came.mean()


@pytest.mark.parametrize("by", WAYS)
def test_a_correction_of_a_flexible_model_is_calibrated_too(known, by):
    (rows, labels, _), (others, came, _) = known
    model = Balanced(HistGradientBoostingClassifier(max_iter=30, random_state=1), by).fit(rows, labels)
    assert model.predict_proba(others)[:, 1].mean() == pytest.approx(came.mean(), rel=0.15)


def test_of_three_classes_each_keeps_its_rate():
    draw = np.random.default_rng(4)
    labels = draw.choice([0.0, 1.0, 2.0], ROWS, p=[0.9, 0.08, 0.02])
    rows = labels[:, None] + draw.normal(size=(ROWS, 1))
    for by in WAYS:
        said = Balanced(LogisticRegression(), by).fit(rows, labels).predict_proba(rows)
        assert np.allclose(said.sum(axis=1), 1)
        assert said.mean(axis=0) == pytest.approx([0.9, 0.08, 0.02], abs=0.006)


def test_undersampling_learns_from_all_rare_rows_and_so_many_others(known):
    (rows, labels, _), _ = known
    few = int(labels.sum())
    for at_most in (1.0, 3.0):
        assert Balanced(LogisticRegression(), "undersampling", at_most).fit(rows, labels).learned_from_ == few + round(
            few * at_most
        )
    assert Balanced(LogisticRegression(), "class_weight").fit(rows, labels).learned_from_ == ROWS


def test_given_weights_count_in_the_rates(known):
    (rows, labels, _), _ = known
    weights = np.where(labels == 1, 2.0, 1.0)
    for by in WAYS:
        model = Balanced(LogisticRegression(), by).fit(rows, labels, sample_weight=weights)
        rate = weights[labels == 1].sum() / weights.sum()
        assert np.average(model.predict_proba(rows)[:, 1], weights=weights) == pytest.approx(rate, rel=0.1)


def declared(settings: Settings, candidate: dict[str, object], **balance: object) -> Pipeline:
    pipeline = toy.toy_pipeline(settings).model_dump(mode="json")
    pipeline["training"] |= {"candidates": {"one": {"encoder": "ordinal", **candidate}}, "balance": balance}
    return Pipeline.model_validate(pipeline)


@pytest.mark.parametrize(
    ("estimator", "params"),
    [
        ("sklearn.linear_model:LogisticRegression", {}),
        ("lightgbm:LGBMClassifier", {"n_estimators": 10, "num_leaves": 4}),
    ],
)
def test_a_declared_balance_is_fitted_saved_and_loaded(toy_settings, estimator, params):
    pipeline = declared(toy_settings, {"estimator": estimator, "params": params}, by="class_weight")
    estimators.check_candidate(pipeline, "one")
    rows, labels, _ = rare(3)
    frame = pd.DataFrame(rows[:4000], columns=["a", "b"]).assign(label=labels[:4000])
    model = estimators.fitted_model(pipeline, "one", {}, frame, ["a", "b"])
    again = model_files.loaded(dumps(model))
    said = task_of(pipeline).predict(again, frame)
    assert (said == task_of(pipeline).predict(model, frame)).all()
    assert said.mean() == pytest.approx(frame["label"].mean(), rel=0.3)


def test_what_cannot_be_balanced_is_refused(toy_settings, tmp_path):
    neighbours = {"estimator": "sklearn.neighbors:KNeighborsClassifier"}
    with pytest.raises(ConfigError, match=r"takes no sample_weight, which training[.]balance[.]by: class_weight"):
        estimators.check_candidate(declared(toy_settings, neighbours, by="class_weight"), "one")
    estimators.check_candidate(declared(toy_settings, neighbours, by="undersampling"), "one")
    settings = toy_tasks.write_project(tmp_path / "regression", Settings().project_dir, "regression")
    regression = toy.toy_pipeline(settings).model_dump(mode="json")
    regression["training"]["balance"] = {"by": "undersampling"}
    with pytest.raises(ValidationError, match="sets classes against each other, and the task is regression"):
        Pipeline.model_validate(regression)


def test_a_text_that_says_nothing_is_not_learned_by_its_mean_label(toy_settings):
    """Encoded by the labels of its own rows, a key of thousands of values would tell each of them apart."""
    candidate = {"estimator": "sklearn.linear_model:LogisticRegression", "encoder": "target"}
    pipeline = declared(toy_settings, candidate)
    draw = np.random.default_rng(0)
    key = draw.integers(0, 1500, 3000).astype(str)
    frame = pd.DataFrame({"key": key, "label": draw.integers(0, 2, 3000).astype(float)})
    said = estimators.fitted_model(pipeline, "one", {}, frame, ["key"]).predict_proba(frame[["key"]])[:, 1]
    fresh = draw.integers(0, 2, 3000)
    assert ((said - fresh) ** 2).mean() < 0.26
    own_mean = frame.groupby("key")["label"].transform("mean")
    assert ((own_mean - fresh) ** 2).mean() > 0.35


def test_a_text_that_says_the_rate_is_learned_by_its_mean_label_and_saved(toy_settings):
    candidate = {"estimator": "sklearn.linear_model:LogisticRegression", "encoder": "target"}
    pipeline = declared(toy_settings, candidate)
    draw = np.random.default_rng(0)
    shop = draw.integers(0, 40, 4000)
    frame = pd.DataFrame({"shop": shop.astype(str), "size": draw.normal(size=4000)})
    frame["label"] = (draw.uniform(size=4000) < shop / 40).astype(float)
    model = model_files.loaded(dumps(estimators.fitted_model(pipeline, "one", {}, frame, ["shop", "size"])))
    said = model.predict_proba(frame[["shop", "size"]])[:, 1]
    assert np.corrcoef(said, shop)[0, 1] > 0.95
    unseen = model.predict_proba(pd.DataFrame({"shop": ["never", None], "size": [0.0, 0.0]}))[:, 1]
    assert unseen == pytest.approx(frame["label"].mean(), abs=0.1)


def test_a_candidate_takes_no_encoder_that_there_is_not():
    with pytest.raises(ValidationError, match="'one_hot', 'ordinal' or 'target'"):
        Candidate(estimator="a:B", encoder="mean")
