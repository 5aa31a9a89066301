"""Before an alias moves, the model is loaded in a process of its own: what does not predict there is refused."""

import shutil

import mlflow.sklearn
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.svm import LinearSVC

from airloop.errors import GuardRefused
from airloop.gate import fresh_process, model_check
from airloop.settings import Settings

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore"),  # MLflow's advice on pickle and examples
]

TRUSTED = [
    "functools.partial",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.utils.validation.check_array",
]


@pytest.fixture(scope="module")
def fitted():
    random = np.random.default_rng(0)
    rows = pd.DataFrame({"delay": random.normal(size=200), "seats": random.normal(size=200)})
    labels = (rows["delay"] + random.normal(size=200) > 0).astype(int)
    return HistGradientBoostingClassifier(max_iter=5).fit(rows, labels), rows.head(3)


def emptied(folder):
    next(folder.glob("*.skops")).write_bytes(b"")


def saved(model, folder, **options):
    defaults = {"serialization_format": "skops", "pip_requirements": ["scikit-learn"], "skops_trusted_types": TRUSTED}
    mlflow.sklearn.save_model(model, folder, **{**defaults, **options})
    return folder


@pytest.mark.parametrize(
    ("options", "spoil", "says"),
    [
        ({}, None, None),
        ({"serialization_format": "cloudpickle"}, None, "its folder holds model.pkl, which airloop does not save"),
        ({"input_example": None}, None, "it has no input example"),
        ({}, emptied, "BadZipFile"),
        ({}, shutil.rmtree, "its folder has no model.skops"),
    ],
)
def test_only_a_skops_model_with_an_example_passes(tmp_path, capsys, monkeypatch, fitted, options, spoil, says):
    monkeypatch.setattr(model_check, "apply_quiet_environment", lambda: None)
    model, example = fitted
    folder = saved(model, tmp_path / "model", **{"input_example": example, **options})
    if spoil:
        spoil(folder)
    capsys.readouterr()
    code = model_check.main([str(folder), str(tmp_path)])
    said = capsys.readouterr().err.splitlines()
    assert (code, says in said[-1] if says else not said) == (1 if says else 0, True)


def test_a_call_without_a_model_says_how_to_call(capsys):
    assert model_check.main([]) == 1
    assert capsys.readouterr().err == "usage: python -m airloop.gate.model_check FOLDER PROJECT [TYPE...]\n"


@pytest.mark.parametrize(
    ("model", "labels", "says"),
    [
        (LinearSVC(), [0, 1, 0], "predict_proba"),
        (DummyClassifier(), [1, 1, 1], "no probabilities of two classes or more"),
        (DummyRegressor(), [[1, 2], [1, 2], [1, 2]], r"predicts no values: shape \(3, 2\)"),
        (DummyRegressor(), [1e308, 1e308, 1e308], "predicts no values: .*, or NaN or infinity among them"),
    ],
)
def test_a_model_without_what_a_task_asks_for_fails(tmp_path, fitted, model, labels, says):
    _, example = fitted
    folder = saved(model.fit(example, labels), tmp_path / "model", input_example=example)
    with pytest.raises((AttributeError, ValueError), match=says):
        model_check.check_folder(str(folder))


@pytest.mark.parametrize(("model", "labels"), [(LinearRegression(), [0.5, 2, 3]), (LogisticRegression(), [0, 1, 2])])
def test_a_regressor_and_a_classifier_of_many_classes_pass(tmp_path, fitted, model, labels):
    _, example = fitted
    folder = saved(model.fit(example, labels), tmp_path / "model", input_example=example)
    assert model_check.check_folder(str(folder)) == 3


def test_a_version_is_checked_in_a_process_of_its_own(tmp_path, fitted, in_new_processes):
    settings = Settings(home=tmp_path / "home")
    client = MlflowClient(settings.mlflow_tracking_uri, settings.mlflow_tracking_uri)
    client.create_registered_model("flights")
    model, example = fitted
    for name, spoil in (("sound", None), ("broken", emptied)):
        folder = saved(model, tmp_path / name, input_example=example)
        client.create_model_version("flights", source=str(folder))
        if spoil:
            spoil(folder)
    own_digest = fresh_process.check_model(settings, "flights", 1)
    assert fresh_process.check_model(settings, "flights", 1, digest=own_digest) == own_digest
    with pytest.raises(
        GuardRefused, match=r"the files of flights version 1 were changed: SHA-256 .*, on record is eeee"
    ):
        fresh_process.check_model(settings, "flights", 1, digest="e" * 64)
    with pytest.raises(GuardRefused, match=r"flights version 2 does not predict in a fresh process: .*BadZipFile"):
        fresh_process.check_model(settings, "flights", 2)
