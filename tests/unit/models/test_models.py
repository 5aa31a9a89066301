"""Models: any declared estimator behind the preprocessing its kind needs, saved only with types of the allow-list."""

import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.preprocessing import FunctionTransformer
from tests.support import toy, toy_tasks

from airloop.config import Candidate, load_pipelines
from airloop.config.attribute import resolve
from airloop.errors import ConfigError, DataContractError, GuardRefused
from airloop.models import estimators
from airloop.problems import task_of
from airloop.settings import Settings
from airloop.stores.mlflow import model_types

FEATURES = ["machine_code", "job_size", "celsius"]
FAMILIES = {
    "logistic_regression": Candidate(estimator="sklearn.linear_model:LogisticRegression", encoder="one_hot"),
    "gradient_boosting": Candidate(
        estimator="sklearn.ensemble:HistGradientBoostingClassifier", encoder="ordinal", params={"max_iter": 10}
    ),
    "random_forest": Candidate(
        estimator="sklearn.ensemble:RandomForestClassifier",
        encoder="ordinal",
        params={"n_estimators": 5, "max_depth": 4},
    ),
    "neighbours": Candidate(estimator="sklearn.neighbors:KNeighborsClassifier", encoder="one_hot"),
}


@pytest.fixture
def pipeline(toy_settings):
    declared = toy.toy_pipeline(toy_settings)
    return declared.model_copy(update={"training": declared.training.model_copy(update={"candidates": FAMILIES})})


@pytest.fixture(scope="module")
def frame():
    """Rows with gaps: 400 of two machines, one of them rare."""
    draw = np.random.default_rng(3)
    celsius = draw.normal(50, 10, 400)
    return pd.DataFrame(
        {
            "job": [f"j{number}" for number in range(400)],
            "decision_time": pd.Timestamp("2020-01-01", tz="UTC"),
            "machine_code": np.where(np.arange(400) % 50 == 0, None, np.where(np.arange(400) % 20 == 1, "rare", "m0")),
            "job_size": np.where(draw.uniform(size=400) < 0.1, np.nan, draw.integers(0, 100, 400)),
            "celsius": celsius,
            "label": (celsius + draw.normal(0, 5, 400) > 50).astype(float),
            "part": "train",
        }
    )


def fitted(pipeline, frame, candidate, **params):
    model = estimators.new_model(pipeline, candidate, params, frame)
    return model.fit(frame[FEATURES], frame["label"])


def test_features_are_the_columns_that_are_no_key_time_label_or_part(pipeline, frame):
    assert estimators.feature_columns(pipeline, frame) == FEATURES


@pytest.mark.parametrize("candidate", ["logistic_regression", "gradient_boosting", "random_forest"])
def test_gaps_and_texts_never_seen_are_predicted(pipeline, frame, candidate):
    model = fitted(pipeline, frame, candidate)
    strange = frame.assign(machine_code="m99", job_size=np.nan, celsius=np.nan)
    for rows in (frame, strange, frame.assign(machine_code=None)):
        found = model.predict_proba(rows[FEATURES])[:, 1]
        assert np.isfinite(found).all()
    assert model.predict_proba(frame[FEATURES])[:, 1].std() > 0.1


@pytest.mark.parametrize("candidate", ["logistic_regression", "gradient_boosting", "random_forest"])
@pytest.mark.parametrize("empty", [{"job_size": np.nan}, {"machine_code": None}], ids=["number", "text"])
def test_a_feature_without_any_value_is_no_obstacle(pipeline, frame, candidate, empty):
    model = fitted(pipeline, frame.assign(**empty), candidate)
    assert np.isfinite(model.predict_proba(frame[FEATURES])).all()


def test_tuned_parameters_override_the_declared_and_the_seed_is_the_declared(pipeline, frame):
    model = estimators.new_model(pipeline, "gradient_boosting", {"max_iter": 3, "learning_rate": 0.5}, frame)
    estimator = model[-1]
    assert (estimator.max_iter, estimator.learning_rate, estimator.random_state) == (3, 0.5, pipeline.training.seed)
    estimators.new_model(pipeline, "neighbours", {}, frame)  # takes no random_state


@pytest.mark.parametrize("candidate", ["logistic_regression", "gradient_boosting", "random_forest"])
def test_the_same_rows_give_the_same_model(pipeline, frame, candidate):
    first, second = (fitted(pipeline, frame, candidate).predict_proba(frame[FEATURES]) for _ in range(2))
    assert (first == second).all()


@pytest.mark.integration
def test_boosting_predicts_the_same_bits_in_processes_with_other_hash_seeds_and_threads():
    code = textwrap.dedent("""
        import hashlib, numpy as np, pandas as pd, pathlib, sys, tempfile
        from tests.support import toy
        from airloop.models import estimators
        root = pathlib.Path(tempfile.mkdtemp())
        settings = toy.write_project(root / "project", pathlib.Path(sys.argv[1]))
        draw = np.random.default_rng(0)
        rows = pd.DataFrame({"a": draw.choice(["x", "y"], 5000), "b": draw.normal(size=5000)})
        rows["label"] = draw.integers(0, 2, 5000)
        params = {"max_features": 0.5}
        model = estimators.new_model(toy.toy_pipeline(settings), "gradient_boosting", params, rows, ["a", "b"])
        print(hashlib.sha256(model.fit(rows, rows["label"]).predict_proba(rows).tobytes()).hexdigest())
    """)
    project = Settings().project_dir
    digests = set()
    for seed, threads in (("1", "1"), ("2", "2")):
        environment = {
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": f"{project / 'include'}:{project}",
            "PYTHONHASHSEED": seed,
            "OMP_NUM_THREADS": threads,
            "OMP_WAIT_POLICY": "PASSIVE",
        }
        command = [sys.executable, "-c", code, str(project)]
        found = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        digests.add(found.stdout.strip())
    assert len(digests) == 1


@pytest.mark.parametrize("path", ["sklearn.ensemble:NoSuchClassifier", "no_such_module:Thing"])
def test_an_estimator_that_is_not_there_is_the_authors_mistake(path):
    with pytest.raises(ConfigError, match=f"{path}: cannot be imported on this machine"):
        resolve(path)


def test_every_declared_estimator_resolves_and_takes_its_declared_parameters():
    pipelines = load_pipelines(Settings())
    assert pipelines
    for declared in pipelines:
        for candidate in declared.training.candidates.values():
            estimator = resolve(candidate.estimator)(**candidate.params)
            assert {*candidate.search} <= {*estimator.get_params()}


@pytest.mark.parametrize("candidate", ["logistic_regression", "gradient_boosting", "random_forest"])
def test_the_families_of_the_declaration_are_on_the_allow_list(pipeline, frame, candidate):
    assert set(estimators.trusted_types(fitted(pipeline, frame, candidate))) <= model_types.ALLOWED_TYPES


REGRESSORS = {
    "boosting": ("sklearn.ensemble:HistGradientBoostingRegressor", {"max_iter": 5}),
    "forest": ("sklearn.ensemble:RandomForestRegressor", {"n_estimators": 3}),
    "trees": ("sklearn.ensemble:ExtraTreesRegressor", {"n_estimators": 3}),
    "gradients": ("sklearn.ensemble:GradientBoostingRegressor", {"n_estimators": 3}),
    "ridge": ("sklearn.linear_model:Ridge", {}),
    "elastic_net": ("sklearn.linear_model:ElasticNet", {}),
    "huber": ("sklearn.linear_model:HuberRegressor", {}),
    "quantile": ("sklearn.linear_model:QuantileRegressor", {}),
    "poisson": ("sklearn.linear_model:PoissonRegressor", {}),
    "network": ("sklearn.neural_network:MLPRegressor", {"hidden_layer_sizes": [4], "tol": 1000.0}),
}
CLASSIFIERS = {
    "logistic": ("sklearn.linear_model:LogisticRegression", {}),
    "boosting": ("sklearn.ensemble:HistGradientBoostingClassifier", {"max_iter": 5}),
    "forest": ("sklearn.ensemble:RandomForestClassifier", {"n_estimators": 3}),
    "network": (
        "sklearn.neural_network:MLPClassifier",
        {"hidden_layer_sizes": [4], "max_iter": 500, "tol": 0.1, "solver": "sgd"},
    ),
    "naive_bayes": ("sklearn.naive_bayes:GaussianNB", {}),
}


@pytest.mark.parametrize(
    ("kind", "estimator", "params"),
    [("regression", *declared) for declared in REGRESSORS.values()]
    + [("multiclass", *declared) for declared in CLASSIFIERS.values()],
)
def test_models_of_other_tasks_are_saved_and_predict_the_same_once_loaded(tmp_path, frame, kind, estimator, params):
    declared = toy.toy_pipeline(toy_tasks.write_project(tmp_path / "project", Settings().project_dir, kind))
    candidates = {"one": Candidate(estimator=estimator, encoder="one_hot", params=params)}
    training = declared.training.model_copy(update={"candidates": candidates})
    pipeline, task = declared.model_copy(update={"training": training}), task_of(declared)
    labels = {"regression": frame["celsius"], "multiclass": np.digitize(frame["celsius"], (45, 55)).astype(float)}
    model = estimators.fitted_model(pipeline, "one", {}, frame.assign(label=labels[kind]), FEATURES)
    loaded = skops.io.loads(skops.io.dumps(model), trusted=estimators.trusted_types(model))
    predicted = task.predict(model, frame[FEATURES])
    assert task.prediction_problem(predicted) is None
    assert np.array_equal(task.predict(loaded, frame[FEATURES]), predicted)


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (1.0, "all 400 rows to fit logistic_regression on have label 1: a classifier needs two classes"),
        (0.5, "toy: 400 of 400 labels are not 0 or 1, like 0.5"),
        (7.0, "like 7: change prediction.task"),
    ],
)
def test_labels_that_a_task_cannot_learn_from_are_refused(pipeline, frame, labels, says):
    with pytest.raises(DataContractError, match=says):
        estimators.fitted_model(pipeline, "logistic_regression", {}, frame.assign(label=labels), FEATURES)


def test_a_model_with_a_type_off_the_allow_list_is_refused(pipeline, frame):
    with pytest.raises(GuardRefused, match=r"model holds sklearn\.metrics\S+, not on the allow-list"):
        estimators.trusted_types(fitted(pipeline, frame.dropna(), "neighbours"))


def test_a_model_that_carries_a_function_of_ours_is_refused(pipeline, frame):
    model = fitted(pipeline, frame, "logistic_regression")
    model.steps.insert(1, ("own", FunctionTransformer(resolve)))
    with pytest.raises(GuardRefused, match=r"model holds airloop\.config\.attribute\.resolve"):
        estimators.trusted_types(model)
