"""Quantiles: their levels go with them, they never cross, and the pinball loss tells good ones from bad ones."""

import pickle

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression, QuantileRegressor
from sklearn.metrics import mean_pinball_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tests.support import toy_tasks

from airloop.config import load_pipeline
from airloop.errors import ConfigError, DataContractError, GuardRefused
from airloop.models import estimators, evidence
from airloop.models.bootstrap import Bootstrap
from airloop.models.quantile_fits import QuantileFits
from airloop.problems import task_measured_by, task_of
from airloop.problems._levelled import Levelled
from airloop.problems.quantiles import Quantiles
from airloop.settings import Settings
from airloop.stores.mlflow import model_files

LEVELS = (0.1, 0.5, 0.9)
TASK = Quantiles(levels=LEVELS)
DRAW = np.random.default_rng(5)
ROWS = pd.DataFrame({"x": DRAW.uniform(-2, 2, 800)})
LABELS = 3 * ROWS["x"].to_numpy() + DRAW.normal(size=800)
DAYS = np.repeat(np.arange(20), 40)


def fitted(levels=LEVELS):
    fits = QuantileFits([QuantileRegressor(quantile=level, alpha=0) for level in levels], levels)
    return make_pipeline(StandardScaler(), fits).fit(ROWS, LABELS)


@pytest.fixture
def settings(tmp_path) -> Settings:
    return toy_tasks.write_project(tmp_path / "project", Settings().project_dir, "quantiles")


def test_predictions_are_sound_know_their_levels_and_survive_a_table():
    predicted = TASK.predict(fitted(), ROWS)
    assert (predicted.shape, predicted.levels) == ((800, 3), LEVELS)
    assert TASK.prediction_problem(predicted) is None
    column = TASK.to_arrow(predicted)
    assert column.type.equals(TASK.column_type)
    back = TASK.from_column(pa.table({"p": column}).to_pandas()["p"])
    assert np.array_equal(back, predicted)
    assert back.levels == LEVELS
    assert TASK.predict(fitted(), ROWS.head(0)).shape == (0, 3)


def test_each_quantile_lies_where_its_share_of_labels_does():
    told = TASK.extra_metrics(LABELS, TASK.predict(fitted(), ROWS))
    assert [told[f"share_below_{level:g}"] for level in LEVELS] == pytest.approx(LEVELS, abs=0.01)
    assert told["width"] == pytest.approx(2.56, abs=0.2)
    assert TASK.gap(LABELS, TASK.predict(fitted(), ROWS)) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize(
    "made",
    [
        lambda a: a[10:20],
        lambda a: a[np.arange(800) % 2 == 0],
        lambda a: np.concatenate([a, a]),
        lambda a: np.asanyarray(a, dtype=np.float64),
        lambda a: pickle.loads(pickle.dumps(a)),
    ],
    ids=["slice", "mask", "concatenated", "as array", "sent"],
)
def test_levels_stay_with_what_is_made_of_predictions(made):
    assert made(Levelled.of(np.zeros((800, 3)), LEVELS)).levels == LEVELS


def test_the_pinball_loss_equals_scikit_learn_and_tells_quantiles_apart():
    good = TASK.predict(fitted(), ROWS)
    wide = Levelled.of(np.asarray(good) + np.array([-3, 0, 3]), LEVELS)
    by_hand = np.mean([mean_pinball_loss(LABELS, good[:, at], alpha=level) for at, level in enumerate(LEVELS)])
    assert evidence.metric_value("pinball", LABELS, good) == pytest.approx(by_hand)
    drawn = {"bootstrap": Bootstrap(0.9, 100, 3)}
    assert evidence.compare(LABELS, wide, good, DAYS, metric="pinball", **drawn).lower > 0


def test_predictions_that_lost_their_levels_have_no_loss():
    with pytest.raises(DataContractError, match="do not say of which quantiles they are"):
        evidence.metric_value("pinball", LABELS, np.zeros((800, 3)))
    with pytest.raises(DataContractError, match="do not say of which quantiles"):
        task_measured_by("pinball", np.zeros((4, 3)))


@pytest.mark.parametrize(
    ("predictions", "says"),
    [
        ([[1.0, 2.0, 3.0], [1.0, 1.0, 1.0]], None),
        ([[1.0, 3.0, 2.0]], "1 of 1 rows hold a quantile that is missing or not finite, or quantiles that cross"),
        ([[1.0, np.nan, 2.0], [1, 2, np.inf], [1, 2, 3]], "2 of 3 rows hold a quantile"),
        ([[1.0, 2.0]], "predictions have shape (1, 2), not (1, 3)"),
    ],
)
def test_quantiles_that_cross_or_are_missing_are_no_predictions(predictions, says):
    problem = TASK.prediction_problem(np.array(predictions))
    assert problem is None if says is None else problem.startswith(says)


def test_fits_that_cross_are_put_in_order():
    class Fixed:
        def __init__(self, value):
            self.value = value

        def predict(self, rows):
            return np.full(len(rows), self.value)

    crossing = QuantileFits([Fixed(2.0), Fixed(1.0), Fixed(3.0)], LEVELS)
    assert crossing.predict(np.zeros((2, 1))).tolist() == [[1, 2, 3], [1, 2, 3]]


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (fitted((0.25, 0.5, 0.75)), r"predicts the quantiles \[0.25, 0.5, 0.75\], and prediction.quantiles is"),
        (
            LogisticRegression().fit(ROWS, LABELS > 0),
            "LogisticRegression is not a regressor, and the task is quantiles",
        ),
    ],
)
def test_a_model_of_other_levels_or_of_classes_is_refused(model, says):
    with pytest.raises(GuardRefused, match=says):
        TASK.predict(model, ROWS)


def test_a_model_of_the_declared_levels_says_the_same_as_it_is_declared():
    assert TASK.other_outputs(fitted()) == ""
    assert "prediction.quantiles is [0.1, 0.5, 0.9]: train again" in TASK.other_outputs(fitted((0.2, 0.5, 0.9)))


def test_stored_rows_of_another_number_of_levels_are_refused():
    with pytest.raises(DataContractError, match="not a list of 3 quantiles"):
        TASK.from_column(pd.Series([[1.0, 2.0, 3.0], [1.0, 2.0]]))
    with pytest.raises(DataContractError, match="not a list of 3 quantiles"):
        TASK.from_column(pd.Series([1.0, 2.0]))


def test_a_saved_model_predicts_the_same_bits(settings):
    from skops.io import dumps

    pipeline = load_pipeline("toy", settings)
    rows = ROWS.assign(label=LABELS, decision_time=pd.Timestamp("2020-01-01", tz="UTC"))
    for candidate in ("linear", "boosting"):
        model = estimators.fitted_model(pipeline, candidate, {}, rows, ["x"])
        assert estimators.trusted_types(model) is not None
        loaded = model_files.loaded(dumps(model), frozenset())
        assert np.array_equal(task_of(pipeline).predict(loaded, ROWS), task_of(pipeline).predict(model, ROWS))


@pytest.mark.parametrize("estimator", ["lightgbm:LGBMRegressor", "xgboost:XGBRegressor"])
def test_frameworks_fit_each_level_and_are_kept_as_text(settings, estimator):
    pytest.importorskip(estimator.partition(":")[0])
    pipeline = load_pipeline("toy", settings)
    declared = pipeline.training.candidates["boosting"].model_copy(
        update={"estimator": estimator, "params": {"n_estimators": 30}, "search": {}}
    )
    training = pipeline.training.model_copy(update={"candidates": {"boosting": declared}})
    pipeline = pipeline.model_copy(update={"training": training})
    estimators.check_candidate(pipeline, "boosting")
    rows = ROWS.assign(label=LABELS, decision_time=pd.Timestamp("2020-01-01", tz="UTC"))
    model = estimators.fitted_model(pipeline, "boosting", {}, rows, ["x"])
    told = task_of(pipeline).extra_metrics(LABELS, task_of(pipeline).predict(model, ROWS))
    assert told["share_below_0.1"] < 0.25
    assert told["share_below_0.9"] > 0.75


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("quantiles: [0.1, 0.5, 0.9]", "quantiles: [0.9, 0.5]", "names its levels in ascending order"),
        ("quantiles: [0.1, 0.5, 0.9]", "quantiles: [0.5, 0.5]", "each once"),
        ("quantiles: [0.1, 0.5, 0.9]", "quantiles: []", "names its levels"),
        ("quantiles: [0.1, 0.5, 0.9]", "quantiles: [0.1, 1.5]", "less than 1"),
        ("task: quantiles, ", "task: regression, ", "only a task of quantiles has them, and this one is regression"),
        ("metric: pinball, at_most: 1.6", "metric: mae, at_most: 6", "is not a metric of a quantiles task"),
    ],
)
def test_a_declaration_that_does_not_fit_is_refused_when_it_is_read(settings, old, new, says):
    path = settings.pipelines_dir / "toy" / "pipeline.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(ConfigError) as refused:
        load_pipeline("toy", settings)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("sklearn.linear_model:QuantileRegressor", "sklearn.linear_model:Ridge", "sklearn.linear_model:Ridge fits no"),
        ("max_iter: 20}", "max_iter: 20, quantile: 0.3}", "quantile is set for each of prediction.quantiles"),
        ("max_iter: 20}", "max_iter: 20, loss: squared_error}", "loss is set for each of prediction.quantiles"),
    ],
)
def test_an_estimator_that_fits_no_quantile_is_refused_by_the_check(settings, old, new, says):
    path = settings.pipelines_dir / "toy" / "pipeline.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    pipeline = load_pipeline("toy", settings)
    candidate = "linear" if "Ridge" in new else "boosting"
    with pytest.raises(ConfigError) as refused:
        estimators.check_candidate(pipeline, candidate)
    assert says in str(refused.value)
