"""The paired day-block bootstrap: right values, right draws, an interval that covers, clear refusals."""

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from airloop.errors import DataContractError
from airloop.models import evidence
from airloop.models.bootstrap import Bootstrap

SKLEARN = {"brier": brier_score_loss, "roc_auc": roc_auc_score}
OPTIONS = {"bootstrap": Bootstrap(0.95, 200, 7)}


def scored_rows(rows, days, *, seed=1):
    random = np.random.default_rng(seed)
    day = random.integers(0, days, rows) + 15_706
    labels = (random.random(rows) < 0.25).astype(float)
    champion = np.round(1 / (1 + np.exp(-(random.normal(size=rows) + labels - 1))), 2)
    candidate = np.clip(champion + 0.05 * (labels - 0.3) + random.normal(0, 0.03, rows), 0, 1)
    return labels, champion, candidate, day


@pytest.mark.parametrize("metric", ["brier", "roc_auc"])
def test_value_equals_scikit_learn_with_ties(metric):
    labels, champion, _, _ = scored_rows(3000, 20)
    assert evidence.metric_value(metric, labels, champion) == pytest.approx(
        SKLEARN[metric](labels, champion), abs=1e-12
    )


@pytest.mark.parametrize("metric", ["brier", "roc_auc"])
def test_interval_equals_a_naive_bootstrap_over_whole_days(metric):
    labels, champion, candidate, days = scored_rows(1500, 17)
    found = evidence.compare(labels, champion, candidate, days, metric=metric, **OPTIONS)

    score, sign = SKLEARN[metric], {"brier": -1, "roc_auc": 1}[metric]
    rows_of = [np.flatnonzero(days == day) for day in np.unique(days)]
    draws = np.random.default_rng(7).integers(0, len(rows_of), size=(200, len(rows_of)))
    gains = []
    for draw in draws:
        rows = np.concatenate([rows_of[day] for day in draw])
        gains.append(sign * (score(labels[rows], candidate[rows]) - score(labels[rows], champion[rows])))

    assert (found.lower, found.upper) == pytest.approx(tuple(np.quantile(gains, [0.025, 0.975])), abs=1e-12)
    assert found.gain == pytest.approx(sign * (score(labels, candidate) - score(labels, champion)), abs=1e-12)
    assert (found.rows, found.blocks) == (1500, 17)


@pytest.mark.parametrize("metric", ["brier", "roc_auc"])
def test_gain_of_a_better_candidate_is_positive_for_either_metric(metric):
    labels, champion, candidate, days = scored_rows(3000, 20)
    forward = evidence.compare(labels, champion, candidate, days, metric=metric, **OPTIONS)
    backward = evidence.compare(labels, candidate, champion, days, metric=metric, **OPTIONS)
    assert forward.lower > 0
    assert backward.gain == pytest.approx(-forward.gain)


@pytest.mark.parametrize("metric", ["brier", "roc_auc"])
def test_equal_models_gain_exactly_nothing(metric):
    labels, champion, _, days = scored_rows(2000, 20)
    found = evidence.compare(labels, champion, champion.copy(), days, metric=metric, **OPTIONS)
    assert (found.gain, found.lower, found.upper) == (0.0, 0.0, 0.0)


def test_result_depends_on_the_seed_and_not_on_the_order_of_rows():
    labels, champion, candidate, days = scored_rows(2000, 20)
    first = evidence.compare(labels, champion, candidate, days, metric="roc_auc", **OPTIONS)
    order = np.random.default_rng(3).permutation(2000)
    shuffled = [values[order] for values in (labels, champion, candidate, days)]
    again = evidence.compare(*shuffled, metric="roc_auc", **OPTIONS)
    other = evidence.compare(
        labels, champion, candidate, days, metric="roc_auc", bootstrap=replace(OPTIONS["bootstrap"], seed=8)
    )
    assert (again.lower, again.upper) == pytest.approx((first.lower, first.upper), abs=1e-12)
    assert other.lower != first.lower
    assert first == evidence.compare(labels, champion, candidate, days, metric="roc_auc", **OPTIONS)


@pytest.mark.parametrize("metric", ["brier", "roc_auc"])
def test_interval_of_one_model_holds_its_value(metric):
    labels, champion, _, days = scored_rows(3000, 28)
    value, lower, upper = evidence.interval(labels, champion, days, metric=metric, **OPTIONS)
    assert value == pytest.approx(evidence.metric_value(metric, labels, champion), abs=1e-12)
    assert lower < value < upper


def test_a_month_of_rows_takes_well_under_three_seconds():
    labels, champion, candidate, days = scored_rows(28_000, 31)

    def cpu_seconds() -> float:
        began = time.process_time()
        for metric in SKLEARN:
            evidence.compare(labels, champion, candidate, days, metric=metric, **OPTIONS)
        return time.process_time() - began

    # Other processes only ever add: one good measurement of a few shows what it takes.
    assert any(cpu_seconds() < 3 for _ in range(4))


def test_interval_covers_with_day_effects_where_a_row_wise_one_does_not():
    random = np.random.default_rng(5)
    days = np.repeat(np.arange(21), 60)
    champion, candidate = np.full(days.size, 0.3), np.full(days.size, 0.35)
    # The label rate of a day is Beta(2, 6): mean 1/4. The gain is linear in the label, so its true value is known.
    true_gain = 0.3**2 - 0.35**2 + 2 * 0.05 * 0.25
    covered = {"days": 0, "rows": 0}
    for repeat in range(200):
        labels = (random.random(days.size) < random.beta(2, 6, 21)[days]).astype(float)
        for name, block in (("days", days), ("rows", np.arange(days.size))):
            drawn = Bootstrap(0.95, 200, repeat)
            found = evidence.compare(labels, champion, candidate, block, metric="brier", bootstrap=drawn)
            covered[name] += found.lower <= true_gain <= found.upper
    assert covered["days"] >= 0.88 * 200
    assert covered["rows"] <= 0.60 * 200


def test_days_are_utc_calendar_days():
    instants = pd.Series(pd.to_datetime(["2013-01-01T23:30:00-05:00", "2013-01-02T01:00:00+00:00"], utc=True))
    assert evidence.utc_days(instants).tolist() == [15_707, 15_707]
    assert evidence.blocks([15_706, 15_707, 15_707]) == 2


@pytest.mark.parametrize("instants", [["2013-01-01"], [pd.Timestamp("2013-01-01", tz="UTC"), pd.NaT]])
def test_days_of_local_or_missing_instants_are_refused(instants):
    with pytest.raises(DataContractError, match="timezone"):
        evidence.utc_days(pd.to_datetime(pd.Series(instants)))


def with_one(values, value):
    changed = np.array(values, dtype=object)
    changed[0] = value
    return changed


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"champion": lambda p: with_one(p, np.nan)}, "1 of 300 probabilities are missing"),
        ({"candidate": lambda p: with_one(p, 1.2)}, "outside"),
        ({"candidate": lambda p: with_one(p, None)}, "probabilities are missing"),
        ({"candidate": lambda p: with_one(p, pd.NA)}, "without gaps"),
        ({"candidate": lambda p: p[:-1]}, "differ in shape"),
        ({"labels": lambda y: with_one(y, np.nan)}, "1 of 300 labels are not 0 or 1, like nan"),
        ({"labels": lambda y: y * 2}, "labels are not 0 or 1, like 2"),
        ({"labels": lambda y: y * 0}, "single class"),
        ({"days": lambda d: d * 0}, "1 calendar day"),
        ({"days": lambda d: d.astype(float)}, "integer block id"),
        ({"days": lambda d: d[:-1]}, "integer block id"),
        ({"labels": lambda y: np.r_[1.0, np.zeros(y.size - 1)]}, "both classes"),
    ],
)
def test_rows_that_prove_nothing_are_refused(change, says):
    arrays = dict(zip(("labels", "champion", "candidate", "days"), scored_rows(300, 15), strict=True))
    arrays |= {name: spoil(arrays[name]) for name, spoil in change.items()}
    with pytest.raises(DataContractError, match=says):
        evidence.compare(**arrays, metric="roc_auc", **OPTIONS)


def test_too_few_rows_and_unknown_metrics_are_refused():
    labels, champion, _, _ = scored_rows(29, 10)
    with pytest.raises(DataContractError, match="29 labelled rows are too few"):
        evidence.metric_value("brier", labels, champion)
    labels, champion, _, _ = scored_rows(30, 10)
    with pytest.raises(DataContractError, match=r"unknown metric 'auc' \(known: brier, roc_auc, mae"):
        evidence.metric_value("auc", labels, champion)
