"""Tasks: predictions are arranged by the declared classes, and what is not one of a task is refused."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn import metrics
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from tests.support import toy

from airloop.config import METRICS
from airloop.errors import DataContractError, GuardRefused
from airloop.problems import refuse_unfit_labels, task_measured_by, task_of
from airloop.problems._levelled import Levelled
from airloop.problems.binary import Binary
from airloop.problems.multiclass import Multiclass
from airloop.problems.regression import Regression

BINARY, VALUE, FIVE = Binary(), Regression(), Multiclass(tuple("abcde"))
ALL = pytest.mark.parametrize("task", [BINARY, VALUE, FIVE], ids=lambda task: task.kind)
ROWS = pd.DataFrame({"x": np.linspace(-3, 3, 60)})


def labels_of(task):
    kinds = {"binary": ROWS["x"] > 0, "regression": 4 * ROWS["x"], "multiclass": np.arange(60) % 5}
    return np.asarray(kinds[task.kind], dtype=float)


def fitted(task, labels=None):
    estimator = LinearRegression() if task is VALUE else LogisticRegression()
    return make_pipeline(StandardScaler(), estimator).fit(ROWS, labels_of(task) if labels is None else labels)


@ALL
def test_predictions_are_sound_and_survive_a_table(task):
    predicted = task.predict(fitted(task), ROWS)
    assert predicted.shape == ((60, 5) if task is FIVE else (60,))
    assert predicted.dtype == np.float64
    assert task.prediction_problem(predicted) is None
    column = task.to_arrow(predicted)
    assert column.type.equals(task.column_type)
    assert np.array_equal(task.from_column(pa.table({"p": column}).to_pandas()["p"]), predicted)


@ALL
def test_no_rows_have_no_predictions(task):
    nothing = task.predict(fitted(task), ROWS.head(0))
    assert nothing.shape == ((0, 5) if task is FIVE else (0,))
    assert task.prediction_problem(nothing) is None
    assert len(task.to_arrow(nothing)) == 0
    assert np.array_equal(task.from_column(pd.Series([], dtype="object")), nothing)
    assert task.for_drift(pd.Series([], dtype="object")).empty


def test_columns_are_classes_by_number_whatever_classes_the_model_met():
    model = fitted(FIVE, np.where(np.arange(60) % 2 == 0, 3.0, 1.0))
    predicted, said = FIVE.predict(model, ROWS), model.predict_proba(ROWS)
    assert np.array_equal(predicted[:, [1, 3]], said)
    assert not predicted[:, [0, 2, 4]].any()


def test_the_probability_of_one_is_that_of_class_one_even_when_the_model_met_a_single_class():
    model = fitted(BINARY)
    assert np.array_equal(BINARY.predict(model, ROWS), model.predict_proba(ROWS)[:, 1])
    for only in (0.0, 1.0):
        alone = DummyClassifier().fit(ROWS, np.full(60, only))
        assert (BINARY.predict(alone, ROWS) == only).all()


@pytest.mark.parametrize(
    ("task", "model", "says"),
    [
        (BINARY, fitted(FIVE), "the model predicts class 2, and the task has classes 0 to 1"),
        (FIVE, DummyClassifier().fit(ROWS, np.full(60, 5)), "predicts class 5, and the task has classes 0 to 4"),
        (FIVE, DummyClassifier().fit(ROWS, np.full(60, -1)), "predicts class -1"),
        (BINARY, fitted(VALUE), "LinearRegression is not a classifier, and the task is binary"),
        (FIVE, DummyRegressor().fit(ROWS, ROWS["x"]), "DummyRegressor is not a classifier, and the task is multiclass"),
        (BINARY, LinearSVC().fit(ROWS, labels_of(BINARY)), "LinearSVC with its parameters has no predict_proba"),
        (VALUE, fitted(BINARY), "LogisticRegression is not a regressor, and the task is regression"),
    ],
)
def test_a_model_of_another_task_is_refused(task, model, says):
    with pytest.raises(GuardRefused, match=says):
        task.predict(model, ROWS)


@pytest.mark.parametrize(
    ("task", "labels", "says"),
    [
        (BINARY, [0, 1, 0.5], "1 of 3 labels are not 0 or 1, like 0.5"),
        (BINARY, [0, 2, 2], "2 of 3 labels are not 0 or 1, like 2"),
        (BINARY, [0, np.nan], "1 of 2 labels are not 0 or 1, like nan"),
        (VALUE, [1.5, -np.inf], "1 of 2 labels are not finite numbers, like -inf"),
        (FIVE, [0, 4, 7], "1 of 3 labels are not class numbers from 0 to 4, like 7"),
        (FIVE, [0.5, -1], "2 of 2 labels are not class numbers from 0 to 4, like 0.5"),
        (BINARY, [0, 1, 1], None),
        (VALUE, [-1e9, 0, 0.25], None),
        (FIVE, [0, 1, 2, 3, 4], None),
        (FIVE, [], None),
    ],
)
def test_labels_are_what_the_task_says(task, labels, says):
    assert task.label_problem(labels) == says


@pytest.mark.parametrize(
    ("task", "predictions", "says"),
    [
        (BINARY, [0.0, 1.0, 0.3], None),
        (BINARY, [-0.1, np.nan, 1.1, 0.5], "3 of 4 probabilities are missing or outside [0, 1]"),
        (BINARY, [[0.5, 0.5]], "predictions have shape (1, 2), not (1,)"),
        (VALUE, [-7.0, 1e12], None),
        (VALUE, [np.nan, np.inf, 1.0], "2 of 3 predictions are missing or not finite"),
        (FIVE, np.eye(5), None),
        (FIVE, np.full((2, 5), 0.2 + 1e-9), None),
        (FIVE, np.full((2, 5), 0.21), "2 of 2 rows hold a probability that is missing or outside"),
        (FIVE, [[1.2, -0.2, 0, 0, 0], [1, 0, 0, 0, np.nan]], "2 of 2 rows hold a probability that is missing"),
        (FIVE, np.eye(4), "predictions have shape (4, 4), not (4, 5)"),
        (FIVE, [0.5, 0.5], "predictions have shape (2,), not (2, 5)"),
    ],
)
def test_predictions_are_what_the_task_says(task, predictions, says):
    problem = task.prediction_problem(np.array(predictions, dtype=float))
    assert problem is None if says is None else problem.startswith(says)


def test_a_stored_row_with_another_number_of_probabilities_is_refused():
    with pytest.raises(DataContractError, match="not a list of 5 probabilities"):
        FIVE.from_column(pd.Series([[0.2] * 5, [0.5, 0.5]]))


def test_drift_sees_numbers_or_the_names_of_the_predicted_classes_and_keeps_gaps():
    assert BINARY.for_drift(pd.Series([0.25, None], dtype="object")).tolist()[0] == 0.25
    seen = FIVE.for_drift(pd.Series([np.eye(5)[3], np.nan, np.full(5, 0.2)], dtype="object"))
    assert seen[[0, 2]].tolist() == ["d", "a"]
    assert seen.isna().tolist() == [False, True, False]


def test_what_else_is_told_of_a_holdout_equals_scikit_learn():
    draw = np.random.default_rng(3)
    labels, values = draw.normal(size=200), draw.normal(size=200)
    assert VALUE.extra_metrics(labels, values) == pytest.approx(
        {"r2": metrics.r2_score(labels, values), "bias": (values - labels).mean(), "label_mean": labels.mean()}
    )
    labels, said = draw.integers(0, 4, 200).astype(float), draw.dirichlet(np.ones(5), 200)
    hits = said.argmax(axis=1) == labels
    found = FIVE.extra_metrics(labels, said)
    recalls = [hits[labels == number].mean() for number in range(4)]
    assert found == pytest.approx(
        {
            "balanced_accuracy": np.mean(recalls),
            "commonest_class_share": np.bincount(labels.astype(int)).max() / 200,
            "calibration_gap": said.max(axis=1).mean() - hits.mean(),
        }
    )


def test_what_is_not_defined_on_a_holdout_is_none():
    assert VALUE.extra_metrics(np.full(9, 2.0), np.full(9, 3.0)) == {"r2": None, "bias": 1.0, "label_mean": 2.0}
    assert BINARY.extra_metrics(np.zeros(9), np.full(9, 0.5))["average_precision"] is None


def test_only_a_classifier_needs_two_classes_to_learn_and_only_a_binary_task_counts_their_days():
    one = np.zeros(9)
    assert [task.can_learn(one) for task in (BINARY, VALUE, FIVE)] == [False, True, False]
    days = np.arange(9)
    assert [task.days_of_rarer_class(one, days) for task in (BINARY, VALUE, FIVE)] == [0, np.inf, np.inf]
    assert BINARY.days_of_rarer_class([1, 0, 1, 1], np.array([5, 5, 5, 6])) == 1


def test_each_metric_finds_its_task():
    said = Levelled.of(np.ones((4, 3)), (0.1, 0.5, 0.9))
    assert {name: task_measured_by(name, said).kind for name in METRICS} == {
        name: metric.task for name, metric in METRICS.items()
    }
    assert len(task_measured_by("log_loss", np.ones((4, 3))).classes) == 3
    with pytest.raises(DataContractError, match="unknown metric 'auc'"):
        task_measured_by("auc", np.ones(4))


def test_labels_of_another_task_are_refused_with_what_to_change_and_missing_ones_are_not(toy_settings):
    pipeline = toy.toy_pipeline(toy_settings)
    assert task_of(pipeline) == BINARY
    refuse_unfit_labels(pipeline, pd.Series([0.0, 1.0, np.nan]))
    with pytest.raises(DataContractError, match=r"toy: 1 of 2 labels .* like 7: change prediction.task \(binary\)"):
        refuse_unfit_labels(pipeline, pd.Series([7.0, 1.0, np.nan]))


def test_rows_of_each_class_are_counted_by_the_class_that_was_predicted() -> None:
    labels = np.array([0.0, 0.0, 1.0, 1.0, 1.0])
    assert BINARY.confusion(labels, np.array([0.2, 0.5, 0.49, 0.9, 1.0])) == ((1, 1), (1, 2))
    assert BINARY.class_names == ("0", "1")
    three = Multiclass(("a", "b", "c"))
    said = np.eye(3)[[0, 2, 1, 1, 0]]
    assert three.confusion(labels, said) == ((1, 0, 1), (1, 2, 0), (0, 0, 0))
    assert three.class_names == ("a", "b", "c")


def test_a_value_has_no_classes_to_count() -> None:
    assert (VALUE.confusion(np.array([1.5]), np.array([1.4])), VALUE.class_names) == ((), ())
