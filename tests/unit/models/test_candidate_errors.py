"""Whatever a candidate's own code does, a training ends in one error that names the candidate and the way out."""

import logging

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from tests.support import toy

from airloop.errors import ConfigError, DataContractError, GuardRefused
from airloop.models import estimators, tune
from airloop.models.candidate_errors import told
from airloop.problems import task_of

LOGISTIC = "sklearn.linear_model:LogisticRegression"
OWN = """
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class Own(ClassifierMixin, BaseEstimator):
    def __init__(self, does="well"):
        self.does = does
        if does == "raises when it is made":
            raise RuntimeError("no licence")

    def fit(self, rows, labels):
        self.classes_ = np.unique(labels)
        if self.does == "raises in fit":
            raise RuntimeError("the matrix\\n  is singular")
        if self.does == "says nothing":
            raise KeyError
        if self.does == "ends the process":
            raise SystemExit(3)
        if self.does == "takes all memory":
            raise MemoryError
        return self

    def predict_proba(self, rows):
        if self.does == "raises in predict":
            raise ValueError("rows of another shape")
        shapes = {"one column": (len(rows), 1), "flat": (len(rows),), "three rows": (3, 2)}
        values = {"nothing": np.nan, "beyond one": 1.5}
        return np.full(shapes.get(self.does, (len(rows), 2)), values.get(self.does, 0.5))
"""


@pytest.fixture
def declared(toy_settings, tmp_path, monkeypatch):
    (tmp_path / "own_candidate.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))

    def with_training(**changes):
        pipeline = toy.toy_pipeline(toy_settings)
        training = type(pipeline.training).model_validate(pipeline.training.model_dump() | changes)
        return pipeline.model_copy(update={"training": training})

    return with_training


def one(estimator, encoder="ordinal", **more):
    return {"candidates": {"one": {"estimator": estimator, "encoder": encoder, **more}}}


def own(does):
    return one("own_candidate:Own", params={"does": does})


def rows(count=600, **columns):
    draw = np.random.default_rng(1)
    size = draw.normal(size=count)
    frame = pd.DataFrame({"job_size": size, "machine_code": draw.choice(["m0", "m1"], count)}).assign(**columns)
    label = (draw.uniform(size=count) < 1 / (1 + np.exp(-2 * size))).astype(float)
    times = pd.date_range("2020-01-01", periods=count, freq="90min", tz="UTC")
    return frame.assign(decision_time=times, job=[f"j{place}" for place in range(count)], label=label)


@pytest.mark.parametrize(
    ("does", "says"),
    [
        ("raises in fit", r"could not fit .* rows: RuntimeError: the matrix is singular; mend its params"),
        ("says nothing", r"could not fit .* KeyError: it says no more; .*out of training\.candidates"),
        ("ends the process", r"could not fit .* SystemExit: 3"),
        ("takes all memory", r"ran out of memory when it was to fit .* set training\.max_train_rows"),
        ("raises in predict", r"could not predict \d+ rows: ValueError: rows of another shape"),
        ("nothing", r"could not predict .* \d+ of \d+ probabilities are missing or outside \[0, 1\]"),
        ("beyond one", r"could not predict .* probabilities are missing or outside \[0, 1\]"),
    ],
)
def test_what_a_candidate_raises_or_predicts_wrong_names_it_once(declared, does, says, caplog):
    pipeline = declared(**own(does))
    with caplog.at_level(logging.WARNING), pytest.raises(ConfigError, match=says) as caught:
        tune.search_of(pipeline, "one", rows())
    assert str(caught.value).startswith("toy/pipeline.yaml: training.candidates.one: own_candidate:Own ")
    assert "\n" not in str(caught.value)
    assert not caplog.records  # Optuna would tell it twice more


@pytest.mark.parametrize(
    ("does", "shape"), [("one column", r"\(\d+, 1\)"), ("flat", r"\(\d+,\)"), ("three rows", r"\(3, 2\)")]
)
def test_probabilities_of_another_shape_are_not_spread_over_the_classes(declared, does, shape):
    with pytest.raises(GuardRefused, match=rf"predict_proba of Own gives shape {shape} for \d+ rows and 2 classes"):
        tune.search_of(declared(**own(does)), "one", rows())


def test_a_candidate_that_does_well_is_searched_and_its_warnings_are_its_own(declared):
    assert tune.search_of(declared(**own("well")), "one", rows())["score"] == pytest.approx(-0.25)


def test_a_class_that_cannot_be_made_is_refused_before_a_training(declared):
    pipeline = declared(**own("raises when it is made"))
    with pytest.raises(ConfigError, match=r"candidates\.one\.estimator: .*cannot be made .*RuntimeError: no licence"):
        estimators.check_candidate(pipeline, "one")


def test_a_value_out_of_range_ends_the_search_with_the_candidate_and_the_range(declared):
    pipeline = declared(**one(LOGISTIC, "one_hot", search={"C": [-1.0]}))
    with pytest.raises(ConfigError, match=r"one: .*LogisticRegression could not fit \{'C': -1\.0\} on .*'C' parameter"):
        tune.search_of(pipeline, "one", rows())


def test_numbers_that_an_estimator_cannot_read_name_it(declared):
    infinite = rows(job_size=lambda frame: frame["job_size"].where(frame.index % 9 > 0, np.inf))
    with pytest.raises(ConfigError, match=r"one: .* could not fit .* contains infinity"):
        tune.search_of(declared(**one(LOGISTIC, "one_hot")), "one", infinite)


def test_errors_of_airloop_pass_as_they_are(declared):
    with pytest.raises(DataContractError, match="as it is"), told(declared(), "logistic_regression", "fit"):
        raise DataContractError("as it is")


def test_lists_are_values_of_a_search_without_a_warning(declared):
    layers = {"hidden_layer_sizes": [[2], [3, 2]]}
    candidate = one("sklearn.neural_network:MLPClassifier", "one_hot", params={"tol": 1.0}, search=layers)
    assert tune.search_of(declared(**candidate), "one", rows())["params"]["hidden_layer_sizes"] in ([2], [3, 2])


@pytest.mark.parametrize("days", [1e-9, 1e-300, 0.2])
def test_a_half_life_that_leaves_weight_to_a_handful_of_rows_is_refused(declared, days):
    with pytest.raises(DataContractError, match=r"half_life_days is .*: \d+ rows so weighted count for .*raise it"):
        tune.search_of(declared(half_life_days=days), "gradient_boosting", rows())


def test_a_half_life_of_days_weights_rows(declared):
    pipeline, frame = declared(half_life_days=5), rows()
    weighted = estimators.fitted_model(pipeline, "logistic_regression", {}, frame)
    plain = estimators.fitted_model(declared(), "logistic_regression", {}, frame)
    said = [task_of(pipeline).predict(model, frame[["job_size", "machine_code"]]) for model in (weighted, plain)]
    assert np.abs(said[0] - said[1]).max() > 1e-4


@pytest.mark.parametrize("seed", [-1, 2**32, 2**40])
def test_a_seed_that_numpy_cannot_take_is_refused_where_it_is_written(declared, seed):
    with pytest.raises(ValidationError, match="seed"):
        declared(seed=seed)
    assert declared(seed=2**32 - 1).training.seed == 2**32 - 1


def test_a_fold_too_small_for_a_metric_says_so_with_the_way_out(declared):
    with pytest.raises(
        DataContractError, match=r"toy: 60 rows in 2 folds: \d+ rows to validate on .* needs 30: raise .*lower"
    ):
        tune.search_of(declared(embargo_days=0), "gradient_boosting", rows(60))
