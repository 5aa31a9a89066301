"""Anomalies: scores have the scale of the learned rows, estimators that score nothing are refused, labels may lack."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM
from skops.io import dumps
from tests.support import toy_anomalies

from airloop.config import load_pipeline
from airloop.errors import ConfigError
from airloop.models import estimators, evidence, without_labels
from airloop.models.anomaly_scores import AnomalyScores
from airloop.problems import task_of
from airloop.problems.anomaly import Anomaly
from airloop.settings import Settings
from airloop.stores.mlflow import model_files

TASK = Anomaly(alarm_share=0.02)
DRAW = np.random.default_rng(6)
ROWS = pd.DataFrame(DRAW.normal(size=(3000, 2)), columns=["x", "y"])
FAR = pd.DataFrame({"x": [8.0, -9.0], "y": [8.0, 7.0]})
ESTIMATORS = [
    IsolationForest(n_estimators=50, random_state=1),
    OneClassSVM(nu=0.05),
    LocalOutlierFactor(novelty=True),
]


def fitted(estimator):
    return make_pipeline(StandardScaler(), AnomalyScores(estimator)).fit(ROWS)


@pytest.fixture
def settings(tmp_path) -> Settings:
    return toy_anomalies.write_project(tmp_path / "project", Settings().project_dir, labelled=True)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda estimator: type(estimator).__name__)
def test_rows_like_those_learned_from_are_alarms_as_often_as_declared_and_strange_ones_always(estimator):
    model = fitted(estimator)
    said = TASK.predict(model, ROWS)
    assert TASK.prediction_problem(said) is None
    assert TASK.alarms(said).mean() == pytest.approx(0.02, abs=0.003)
    assert TASK.alarms(TASK.predict(model, FAR)).all()


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (LogisticRegression(), "LogisticRegression finds no outliers, and the task is anomaly"),
        (LocalOutlierFactor(), "has no score_samples: it scores no new rows"),
        (IsolationForest(), None),
    ],
)
def test_an_estimator_that_cannot_score_is_refused(model, says):
    problem = TASK.model_problem(model)
    assert problem is None if says is None else says in problem


def test_the_ranking_loss_is_the_rest_of_the_roc_area():
    labels = (DRAW.uniform(size=600) < 0.1).astype(float)
    said = np.clip(labels * 0.3 + DRAW.uniform(0, 0.7, 600), 0, 1)
    by_area = 1 - evidence.metric_value("roc_auc", labels, said)
    assert evidence.metric_value("ranking_loss", labels, said) == pytest.approx(by_area)


def test_what_is_told_of_labelled_rows_and_of_none():
    said = np.array([0.99, 0.985, 0.5, 0.2])
    told = TASK.extra_metrics(np.array([1.0, 0.0, 1.0, 0.0]), said)
    assert (told["precision"], told["recall"], told["alarm_share"]) == (0.5, 0.5, 0.5)
    assert set(TASK.extra_metrics(np.array([]), np.array([])).values()) == {None}


def test_a_saved_model_says_the_same_and_labels_are_never_learned_from(settings):
    pipeline = load_pipeline("toy", settings)
    times = pd.Series(pd.date_range("2020-01-01", periods=len(ROWS), freq="15min", tz="UTC"))
    rows = ROWS.assign(label=np.nan, decision_time=times)
    model = estimators.fitted_model(pipeline, "forest", {}, rows, ["x", "y"])
    assert estimators.trusted_types(model) is not None
    task = task_of(pipeline)
    assert np.array_equal(task.predict(model_files.loaded(dumps(model), frozenset()), ROWS), task.predict(model, ROWS))
    labelled = estimators.fitted_model(pipeline, "forest", {}, rows.assign(label=0.0), ["x", "y"])
    assert np.array_equal(task.predict(labelled, ROWS), task.predict(model, ROWS))


@pytest.mark.parametrize(
    ("days", "anomalies", "says"),
    [(0, 0, "has 0 labelled rows"), (30, 3, "3 are anomalies, the rarer label on 3 days, 5 are needed"), (30, 6, "")],
)
def test_too_few_labels_are_none_to_judge_by(settings, days, anomalies, says):
    times = pd.date_range("2020-01-01", periods=days * 3, freq="8h", tz="UTC")
    labels = np.zeros(days * 3)
    labels[: anomalies * 3 : 3] = 1
    found = without_labels.reason(
        load_pipeline("toy", settings), pd.DataFrame({"decision_time": times, "label": labels})
    )
    assert says in found if says else found == ""


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (", alarm_share: 0.03", "", "this one has to, like 0.01"),
        ("alarm_share: 0.03", "alarm_share: 0.9", "less than or equal to 0.5"),
        (", {kind: stability, at_least: 0.5}", "", "gate.rules has no stability: where no label comes"),
        ("task: anomaly, alarm_share: 0.03", "task: binary, alarm_share: 0.03", "this one is binary and has none"),
    ],
)
def test_a_declaration_that_leaves_out_its_bounds_is_refused(settings, old, new, says):
    path = settings.pipelines_dir / "toy" / "pipeline.yaml"
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    with pytest.raises(ConfigError) as refused:
        load_pipeline("toy", settings)
    assert says in str(refused.value)
