"""The pictures of an evaluation: those of its task, and none that is not defined on its rows."""

import json
from types import SimpleNamespace

import mlflow
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from sklearn.linear_model import LinearRegression, LogisticRegression
from tests.support import toy
from tests.support.toy_turned import judged

from airloop.models import model_version, training_set
from airloop.models.evaluation_plots import pictures
from airloop.problems.binary import Binary
from airloop.problems.multiclass import Multiclass
from airloop.problems.regression import Regression
from airloop.stores.mlflow import tracking


def test_the_run_shows_evidence_and_all_four_pictures(turned, upstream_of_candidate, monkeypatch):
    shown = {}
    monkeypatch.setattr(mlflow, "log_figure", lambda figure, name: shown.update({name: figure}))
    judged(turned, upstream_of_candidate)
    run = tracking.client(turned).get_run(upstream_of_candidate["trained"].run_id)
    assert {"holdout_brier", "champion_brier", "brier_gain", "brier_gain_lower", "brier_gain_upper"} <= {
        *run.data.metrics
    }
    assert [item["metric"] for item in json.loads(run.data.tags["airloop.evidence"])] == ["brier", "roc_auc"]
    assert {*shown} == {f"plots/{name}.png" for name in ("roc", "precision_recall", "calibration", "importances")}
    assert all(isinstance(figure, Figure) for figure in shown.values())
    bars = shown["plots/importances.png"].axes[0].get_yticklabels()
    assert {label.get_text() for label in bars} == {"machine_code", "job_size", "celsius"}


def test_pictures_of_one_class_leave_out_what_is_not_defined(turned, upstream_of_candidate):
    rows = training_set.labelled_part(training_set.read_snapshot(upstream_of_candidate["snapshot"], turned), "holdout")
    loaded = model_version.load_version(toy.toy_pipeline(turned), 2, turned)
    alone = rows[rows["label"] == 1]
    said = Binary().predict(loaded.model, alone[list(loaded.features)])
    assert [*pictures(Binary(), loaded, alone, said)] == ["calibration", "importances"]
    assert [*pictures(Binary(), loaded, alone.head(29), said[:29])] == ["calibration"]


def fitted(model, rows):
    """A version as far as pictures need one."""
    return SimpleNamespace(model=model.fit(rows[["a", "b"]], rows["label"]), features=("a", "b"))


@pytest.fixture
def rows():
    draw = np.random.default_rng(0)
    return pd.DataFrame({"a": draw.normal(size=300), "b": draw.normal(size=300)})


def test_a_regression_is_shown_by_its_values_and_residuals(rows):
    rows["label"] = 5 * rows["a"] + 20
    version = fitted(LinearRegression(), rows)
    predicted = Regression().predict(version.model, rows[["a", "b"]])
    shown = pictures(Regression(), version, rows, predicted)
    assert [*shown] == ["predicted_against_actual", "residuals", "importances"]
    (points,) = shown["predicted_against_actual"].axes[0].collections
    assert np.allclose(points.get_offsets()[:, 0], points.get_offsets()[:, 1])
    assert shown["importances"].axes[0].get_title() == "Rise of the MAE when a feature is shuffled"
    assert [label.get_text() for label in shown["importances"].axes[0].get_yticklabels()] == ["b", "a"]


def test_a_multiclass_task_is_shown_by_its_confusion_with_the_names_of_its_classes(rows):
    task = Multiclass(("low", "middle", "high"))
    rows["label"] = np.digitize(rows["a"], (-0.5, 0.5)).astype(float)
    version = fitted(LogisticRegression(), rows)
    predicted = task.predict(version.model, rows[["a", "b"]])
    shown = pictures(task, version, rows, predicted)
    assert [*shown] == ["confusion", "calibration", "importances"]
    axes = shown["confusion"].axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["low", "middle", "high"]
    assert np.allclose(axes.images[0].get_array().sum(axis=1), 1)
    assert axes.images[0].get_array().trace() > 2.5
    without_a_class = rows["label"] < 2
    assert "importances" in pictures(task, version, rows[without_a_class], predicted[without_a_class])
