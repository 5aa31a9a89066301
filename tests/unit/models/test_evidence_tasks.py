"""Evidence on regression and multiclass metrics: right values, the same day-block bootstrap, the same refusals."""

from functools import partial

import numpy as np
import pytest
from sklearn import metrics

from airloop.config import METRICS
from airloop.errors import DataContractError
from airloop.models import evidence
from airloop.models.bootstrap import Bootstrap

OPTIONS = {"bootstrap": Bootstrap(0.95, 200, 7)}


def accuracy(labels, predictions):
    return metrics.accuracy_score(labels, predictions.argmax(axis=1))


SKLEARN = {
    "mae": metrics.mean_absolute_error,
    "rmse": metrics.root_mean_squared_error,
    "log_loss": partial(metrics.log_loss, labels=[0, 1, 2]),
    "accuracy": accuracy,
}
both = pytest.mark.parametrize("metric", [*SKLEARN])


def scored_rows(metric, rows=1500, days=17):
    """Labels, a champion's and a better candidate's predictions, days."""
    draw = np.random.default_rng(1)
    day, signal = draw.integers(0, days, rows) + 15_706, draw.normal(size=rows)
    noisy = signal + draw.normal(0, 0.6, rows)
    if METRICS[metric].task == "regression":
        return 20 + 5 * noisy, 20 + 2 * signal, 20 + 5 * signal, day
    labels = np.digitize(noisy, (-0.5, 0.5)).astype(float)
    return labels, probabilities(signal + draw.normal(0, 1.5, rows)), probabilities(signal), day


def probabilities(scores):
    """Three classes, from low scores to high."""
    powers = np.exp(np.column_stack([-2 * scores, np.full(scores.size, 0.3), 2 * scores]))
    return powers / powers.sum(axis=1, keepdims=True)


@both
def test_value_equals_scikit_learn(metric):
    labels, champion, _, _ = scored_rows(metric)
    assert evidence.metric_value(metric, labels, champion) == pytest.approx(
        SKLEARN[metric](labels, champion), abs=1e-12
    )


@both
def test_interval_equals_a_naive_bootstrap_over_whole_days(metric):
    labels, champion, candidate, days = scored_rows(metric)
    found = evidence.compare(labels, champion, candidate, days, metric=metric, **OPTIONS)

    score, sign = SKLEARN[metric], METRICS[metric].sign
    rows_of = [np.flatnonzero(days == day) for day in np.unique(days)]
    draws = np.random.default_rng(7).integers(0, len(rows_of), size=(200, len(rows_of)))
    gains = []
    for draw in draws:
        rows = np.concatenate([rows_of[day] for day in draw])
        gains.append(sign * (score(labels[rows], candidate[rows]) - score(labels[rows], champion[rows])))

    assert (found.lower, found.upper) == pytest.approx(tuple(np.quantile(gains, [0.025, 0.975])), abs=1e-12)
    assert found.gain == pytest.approx(sign * (score(labels, candidate) - score(labels, champion)), abs=1e-12)


@both
def test_gain_of_a_better_candidate_is_positive_and_of_an_equal_one_nothing(metric):
    labels, champion, candidate, days = scored_rows(metric)
    assert evidence.compare(labels, champion, candidate, days, metric=metric, **OPTIONS).lower > 0
    assert evidence.compare(labels, candidate, champion, days, metric=metric, **OPTIONS).upper < 0
    same = evidence.compare(labels, champion, champion.copy(), days, metric=metric, **OPTIONS)
    assert (same.gain, same.lower, same.upper) == (0.0, 0.0, 0.0)


@both
def test_interval_of_one_model_holds_its_value(metric):
    labels, champion, _, days = scored_rows(metric)
    value, lower, upper = evidence.interval(labels, champion, days, metric=metric, **OPTIONS)
    assert value == pytest.approx(evidence.metric_value(metric, labels, champion), abs=1e-12)
    assert lower < value < upper


def test_a_class_of_probability_zero_costs_what_one_of_1e_15_does():
    labels = np.zeros(30)
    impossible = np.tile([0.0, 1.0], (30, 1))
    assert evidence.metric_value("log_loss", labels, impossible) == pytest.approx(-np.log(1e-15))
    assert evidence.metric_value("log_loss", labels, impossible[:, ::-1]) == 0.0


def test_of_equally_probable_classes_the_first_is_the_one_predicted():
    assert evidence.metric_value("accuracy", np.zeros(30), np.full((30, 2), 0.5)) == 1.0
    assert evidence.metric_value("accuracy", np.ones(30), np.full((30, 2), 0.5)) == 0.0


def test_labels_of_a_single_class_or_value_have_a_loss():
    assert evidence.metric_value("mae", np.full(30, 4.0), np.full(30, 3.0)) == 1.0
    assert evidence.metric_value("rmse", np.full(30, 4.0), np.full(30, 2.0)) == 2.0
    assert evidence.metric_value("log_loss", np.zeros(30), np.full((30, 2), 0.5)) == pytest.approx(np.log(2))


def with_first(values, value):
    changed = np.array(values)
    changed[0] = value
    return changed


@pytest.mark.parametrize(
    ("metric", "change", "says"),
    [
        ("mae", {"labels": lambda y: with_first(y, np.nan)}, "1 of 300 labels are not finite numbers, like nan"),
        ("rmse", {"labels": lambda y: with_first(y, np.inf)}, "1 of 300 labels are not finite numbers, like inf"),
        ("mae", {"champion": lambda p: with_first(p, np.nan)}, "1 of 300 predictions are missing or not finite"),
        ("rmse", {"candidate": lambda p: with_first(p, -np.inf)}, "1 of 300 predictions are missing or not finite"),
        ("mae", {"candidate": lambda p: p[:-1]}, "differ in shape"),
        ("mae", {"candidate": lambda p: p[:, None]}, "differ in shape"),
        ("mae", {name: lambda p: np.c_[p, p] for name in ("champion", "candidate")}, "have shape"),
        ("mae", {"days": lambda d: d * 0}, "1 calendar day"),
        (
            "log_loss",
            {"labels": lambda y: with_first(y, 3)},
            "1 of 300 labels are not class numbers from 0 to 2",
        ),
        ("accuracy", {"labels": lambda y: with_first(y, 0.5)}, "not class numbers from 0 to 2, like 0.5"),
        ("log_loss", {"labels": lambda y: with_first(y, -1)}, "not class numbers from 0 to 2, like -1"),
        (
            "log_loss",
            {"candidate": lambda p: with_first(p, np.nan)},
            "1 of 300 rows hold a probability",
        ),
        ("log_loss", {"champion": lambda p: with_first(p, [0.5, 0.4, 0.0])}, "or do not sum to 1"),
        ("accuracy", {"champion": lambda p: with_first(p, [1.5, -0.5, 0.0])}, "or outside"),
        ("log_loss", {"candidate": lambda p: p[:, :2]}, "differ in shape"),
        ("log_loss", {name: lambda p: p[:, 0] for name in ("champion", "candidate")}, "have shape"),
        ("log_loss", {"candidate": lambda p: list(p[:-1])}, "differ in shape"),
    ],
)
def test_rows_that_prove_nothing_are_refused(metric, change, says):
    arrays = dict(zip(("labels", "champion", "candidate", "days"), scored_rows(metric, 300, 15), strict=True))
    arrays |= {name: spoil(arrays[name]) for name, spoil in change.items()}
    with pytest.raises(DataContractError, match=says):
        evidence.compare(**arrays, metric=metric, **OPTIONS)


@both
def test_too_few_rows_are_refused(metric):
    labels, champion, _, _ = scored_rows(metric, 29)
    with pytest.raises(DataContractError, match="29 labelled rows are too few"):
        evidence.metric_value(metric, labels, champion)
