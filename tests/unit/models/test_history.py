"""How much of the past is learned from: a rolling history, thinning over time, and weights that decay."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from tests.support import toy

from airloop.deployment import Deployment
from airloop.errors import ConfigError
from airloop.models import estimators, training_rows
from airloop.models.history import Thinning, evenly, learned_growth
from airloop.settings import Settings

CUTOFF = toy.days(0, 40).end


def declared(settings: Settings, **training):
    pipeline = toy.toy_pipeline(settings)
    return pipeline.model_copy(update={"training": pipeline.training.model_copy(update=training)})


@pytest.mark.parametrize(
    ("count", "at_most", "kept"),
    [(5, None, [0, 1, 2, 3, 4]), (5, 5, [0, 1, 2, 3, 4]), (5, 3, [0, 2, 4]), (9, 2, [0, 8]), (4, 1, [3]), (0, 3, [])],
)
def test_positions_are_spread_evenly_and_hold_the_last_one(count, at_most, kept):
    assert evenly(count, at_most) == kept


def test_thinned_examples_span_the_whole_history_and_the_record_says_from_how_many(toy_built):
    whole = training_rows.training_rows(Deployment(toy.toy_pipeline(toy_built), toy_built), CUTOFF)
    thinned = training_rows.training_rows(Deployment(declared(toy_built, max_train_rows=200), toy_built), CUTOFF)
    parts = thinned.frame["part"].value_counts()
    # The embargo's day lies before the holdout and in neither part.
    assert parts["train"] == 200
    assert parts["holdout"] == whole.frame["part"].value_counts()["holdout"]
    assert thinned.examples_before_holdout == whole.examples_before_holdout > 200
    times = thinned.frame.loc[thinned.frame["part"] == "train", "decision_time"]
    assert times.max() >= whole.train.end - timedelta(days=1)
    gaps = times.diff().dropna()
    assert gaps.max() < timedelta(days=2)


def test_a_rolling_history_leaves_older_rows_out(toy_built):
    rolling = declared(toy_built, history_days=10)
    made = training_rows.training_rows(Deployment(rolling, toy_built), CUTOFF)
    assert made.train.end - made.train.start == timedelta(days=10)
    assert made.frame["decision_time"].min() >= made.train.start
    whole = training_rows.parts(declared(toy_built, history_days=1000), CUTOFF)
    assert whole == training_rows.parts(toy.toy_pipeline(toy_built), CUTOFF)


def test_the_past_that_is_learned_from_grows_until_its_history_is_full(toy_built):
    start, delay = toy.START, timedelta(days=1)
    twenty, thirty, sixty = (start + delay + timedelta(days=days) for days in (20, 30, 60))
    whole = declared(toy_built)
    assert learned_growth(whole, twenty, thirty) == 1.5
    assert learned_growth(whole, twenty, sixty) == 3
    rolling = declared(toy_built, history_days=25)
    assert [learned_growth(rolling, twenty, now) for now in (thirty, sixty)] == [1.25, 1.25]
    assert learned_growth(rolling, thirty, sixty) == 1


def test_without_a_past_there_is_no_growth(toy_built):
    assert learned_growth(declared(toy_built), None, CUTOFF) is None
    assert learned_growth(declared(toy_built), toy.START, CUTOFF) is None


def test_a_thinning_without_a_limit_keeps_all(toy_built):
    frame = training_rows.training_rows(Deployment(toy.toy_pipeline(toy_built), toy_built), CUTOFF)
    assert frame.examples_before_holdout == (frame.frame["part"] == "train").sum()
    pipeline = toy.toy_pipeline(toy_built)
    assert Thinning(pipeline, training_rows.parts(pipeline, CUTOFF)[0]).examples == 0


def test_a_half_life_lets_old_rows_weigh_less(toy_built):
    rng = np.random.default_rng(0)
    size = rng.normal(size=600)
    times = pd.date_range("2020-01-01", periods=600, freq="h", tz="UTC")
    label = np.where(np.arange(600) < 400, size > 0, size < 0).astype(float)
    rows = pd.DataFrame({"job": "j", "decision_time": times, "job_size": size, "label": label})

    def slope(pipeline):
        model = estimators.fitted_model(pipeline, "logistic_regression", {"C": 1.0}, rows, ["job_size"])
        return model.steps[-1][1].coef_[0][0]

    assert slope(toy.toy_pipeline(toy_built)) > 0
    assert slope(declared(toy_built, half_life_days=1.0)) < 0


def test_an_estimator_without_weights_is_refused_where_a_half_life_is_declared(toy_built):
    nearest = estimators.resolve("airloop.config:Candidate")(
        estimator="sklearn.neighbors:KNeighborsClassifier", encoder="one_hot"
    )
    with pytest.raises(ConfigError, match=r"takes no sample_weight, which training\.half_life_days needs"):
        estimators.check_candidate(declared(toy_built, half_life_days=1.0, candidates={"nearest": nearest}), "nearest")
    estimators.check_candidate(declared(toy_built, half_life_days=1.0), "logistic_regression")
