"""A declared candidate has to fit its task before anything is trained: `pipelines check` says why it never could."""

from pathlib import Path
from typing import Any

import pytest
from tests.support import toy, toy_tasks

from airloop.authoring.pipeline_check import check_pipeline
from airloop.config import Candidate, Pipeline
from airloop.errors import ConfigError
from airloop.models.estimators import check_candidate
from airloop.settings import Settings


def pipeline_of(tmp_path: Path, kind: str, **candidate: Any) -> Pipeline:
    repository = Settings().project_dir
    if kind == "binary":
        declared = toy.toy_pipeline(toy.write_project(tmp_path / "project", repository))
    else:
        declared = toy.toy_pipeline(toy_tasks.write_project(tmp_path / "project", repository, kind))
    candidates = {"one": Candidate(**{"encoder": "ordinal", **candidate})}
    return declared.model_copy(update={"training": declared.training.model_copy(update={"candidates": candidates})})


@pytest.mark.parametrize(
    ("kind", "estimator", "params"),
    [
        ("binary", "sklearn.ensemble:RandomForestClassifier", {"n_estimators": 5}),
        ("binary", "sklearn.svm:SVC", {"probability": True}),
        ("binary", "sklearn.linear_model:SGDClassifier", {"loss": "log_loss"}),
        ("multiclass", "sklearn.neural_network:MLPClassifier", {}),
        ("regression", "sklearn.ensemble:HistGradientBoostingRegressor", {"loss": "absolute_error"}),
        ("regression", "sklearn.linear_model:ElasticNet", {}),
    ],
)
def test_an_estimator_that_fits_the_task_passes(tmp_path: Path, kind: str, estimator: str, params: Any) -> None:
    check_candidate(pipeline_of(tmp_path, kind, estimator=estimator, params=params), "one")


@pytest.mark.parametrize(
    ("kind", "candidate", "says"),
    [
        (
            "regression",
            {"estimator": "sklearn.linear_model:LogisticRegression"},
            "LogisticRegression is not a regressor",
        ),
        ("binary", {"estimator": "sklearn.linear_model:Ridge"}, "Ridge is not a classifier, and the task is binary"),
        ("multiclass", {"estimator": "sklearn.linear_model:Ridge"}, "not a classifier, and the task is multiclass"),
        ("binary", {"estimator": "sklearn.svm:LinearSVC"}, "LinearSVC with its parameters has no predict_proba"),
        ("multiclass", {"estimator": "sklearn.linear_model:SGDClassifier"}, "has no predict_proba"),
        ("binary", {"estimator": "sklearn.preprocessing:StandardScaler"}, "StandardScaler is not a classifier"),
        ("binary", {"estimator": "collections:OrderedDict"}, "collections:OrderedDict is not a scikit-learn estimator"),
        ("binary", {"estimator": "sklearn.svm:SVD"}, "cannot be imported"),
        (
            "regression",
            {"estimator": "sklearn.linear_model:Ridge", "params": {"alfa": 1}},
            "one.params: sklearn.linear_model:Ridge does not take them: .*'alfa'",
        ),
        (
            "regression",
            {"estimator": "sklearn.linear_model:Ridge", "search": {"alfa": [1, 2]}},
            "one.search: sklearn.linear_model:Ridge has no 'alfa' .has: alpha, ",
        ),
    ],
)
def test_an_estimator_that_never_could_is_refused(tmp_path: Path, kind: str, candidate: Any, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        check_candidate(pipeline_of(tmp_path, kind, **candidate), "one")


@pytest.mark.parametrize("kind", sorted(toy_tasks.VARIANTS))
def test_the_check_passes_every_task_and_refuses_the_estimator_of_another(tmp_path: Path, kind: str) -> None:
    settings = toy_tasks.write_project(tmp_path / "project", Settings().project_dir, kind)
    candidates = len(toy.toy_pipeline(settings).training.candidates)
    assert check_pipeline("toy", settings)[0].startswith(f"pipeline.yaml: 4 feeds, {candidates} candidate")
    path = settings.pipelines_dir / "toy" / "pipeline.yaml"
    others = {
        "ensemble:HistGradientBoostingRegressor": "ensemble:HistGradientBoostingClassifier",
        "lightgbm:LGBMRegressor": "lightgbm:LGBMClassifier",
        "xgboost:XGBClassifier": "xgboost:XGBRegressor",
    }
    text = path.read_text()
    for own, other in others.items():
        if own in text:
            path.write_text(text.replace(own, other))
    with pytest.raises(ConfigError, match=r"toy/pipeline.yaml:\d+: training.candidates.\w+.estimator: .* is not a "):
        check_pipeline("toy", settings)


def test_a_feature_named_like_a_column_of_ours_is_refused(toy_settings: Settings) -> None:
    for path in (toy_settings.project_dir / "feature_repo" / "toy.py", toy_settings.pipelines_dir / "toy/features.sql"):
        path.write_text(path.read_text().replace("job_size", "prediction"))
    with pytest.raises(ConfigError, match="feature 'prediction' has the name of a column airloop adds"):
        check_pipeline("toy", toy_settings)


@pytest.mark.parametrize("asked", ["half_life_days: 30", "balance: {by: class_weight}"])
def test_an_estimator_that_takes_no_weights_is_found_where_they_are_asked_for(tmp_path: Path, asked: str) -> None:
    settings = toy.write_project(tmp_path / "project", Settings().project_dir)
    weighted = toy.edited(settings, tmp_path / "weighted", "pipeline.yaml", "seed: 7,", f"seed: 7, {asked},")
    assert check_pipeline("toy", weighted)
    nearest = ("sklearn.linear_model:LogisticRegression", "sklearn.neighbors:KNeighborsClassifier")
    params = ("params: {max_iter: 200},", "")
    search = ("search: {C: {low: 0.01, high: 10.0, log: true}}", "search: {n_neighbors: [5, 9]}")
    for number, change in enumerate((nearest, params, search)):
        weighted = toy.edited(weighted, tmp_path / f"edit {number}", "pipeline.yaml", *change)
    with pytest.raises(ConfigError, match="KNeighborsClassifier takes no sample_weight, which training"):
        check_pipeline("toy", weighted)
