"""Folds go forward in time, end with the newest rows, and hold two classes on either side, or are refused."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from tests.support import toy

from airloop.config.prediction import AbsentLabels
from airloop.config.training import Budget
from airloop.errors import ConfigError, DataContractError
from airloop.models.folds import folds, spread

EMBARGO, HOLDOUT = timedelta(days=1), timedelta(days=15)


@pytest.fixture(scope="module")
def declared(toy_built):
    return toy.toy_pipeline(toy_built)


def with_budget(pipeline, **changes):
    budget = Budget(**{**pipeline.training.budget.model_dump(), **changes})
    return pipeline.model_copy(update={"training": pipeline.training.model_copy(update={"budget": budget})})


def rows(days, *, labels=None, a_day=24):
    times = pd.date_range("2020-01-01", periods=days * a_day, freq=f"{24 // a_day}h", tz="UTC")
    label = np.arange(len(times)) % 2 if labels is None else labels(np.arange(len(times)) / a_day)
    return pd.DataFrame({"decision_time": times, "label": np.asarray(label, dtype="float64")})


def test_a_long_history_is_validated_on_its_newest_blocks_as_long_as_the_holdout(declared):
    history = rows(120)
    found = folds(with_budget(declared, folds=3), history)
    assert len(found) == 3
    for fit, check in found:
        assert fit["decision_time"].min() == history["decision_time"].min()
        assert fit["decision_time"].max() < check["decision_time"].min() - EMBARGO
        assert HOLDOUT - timedelta(hours=1) <= check["decision_time"].max() - check["decision_time"].min() <= HOLDOUT
    assert found[-1][1]["decision_time"].max() == history["decision_time"].max()


def test_a_short_history_is_cut_into_equal_parts(declared):
    history = rows(24)
    found = folds(with_budget(declared, folds=3), history)
    validated = pd.concat([check for _, check in found])
    assert validated.index.tolist() == history.index.tolist()[len(history) // 4 :]
    assert [len(fit) for fit, _ in found] == sorted(len(fit) for fit, _ in found)


def test_a_side_beyond_the_budget_is_thinned_over_all_its_time(declared):
    history = rows(120)
    found = folds(with_budget(declared, folds=2, rows=100), history)
    for fit, check in found:
        assert (len(fit), len(check)) == (100, 100)
        assert fit["decision_time"].is_monotonic_increasing
        assert fit["decision_time"].min() == history["decision_time"].min()
    assert spread(history, len(history)) is history


def test_folds_the_embargo_leaves_nothing_for_are_refused(declared):
    with pytest.raises(DataContractError, match="48 rows in 2 folds leave nothing to fit on before the embargo of 1"):
        folds(declared, rows(2))


def test_a_block_of_one_class_is_widened_to_equal_parts(declared):
    found = folds(with_budget(declared, folds=2), rows(120, labels=lambda day: (day < 100) & (day % 2 < 1)))
    assert all(set(side["label"]) == {0.0, 1.0} for fold in found for side in fold)
    assert len(found[1][1]) == 40 * 24


@pytest.mark.parametrize(
    ("labels", "side"), [(lambda day: day < 10, "validate"), (lambda day: day > 100, "fit")], ids=["validate", "fit"]
)
def test_folds_of_one_class_are_refused_with_the_way_out(declared, labels, side):
    with pytest.raises(
        DataContractError, match=rf"rows to {side} on .* needs two classes .*lower training\.budget\.folds"
    ):
        folds(declared, rows(120, labels=labels))


def test_where_no_row_has_another_label_the_way_out_is_what_an_absent_outcome_means(declared):
    with pytest.raises(DataContractError, match=r"another one\. Where .* prediction\.labels: {absent_after_days"):
        folds(declared, rows(120, labels=lambda day: day >= 0))
    absent = AbsentLabels(absent_after_days=60, means=0)
    said = declared.model_copy(update={"prediction": declared.prediction.model_copy(update={"labels": absent})})
    with pytest.raises(DataContractError, match=r"another one; look at section labels of features\.sql"):
        folds(said, rows(120, labels=lambda day: day >= 0))


def test_a_regression_needs_no_classes(declared):
    prediction = declared.prediction.model_copy(update={"task": "regression"})
    found = folds(declared.model_copy(update={"prediction": prediction}), rows(120, labels=lambda day: day * 0))
    assert len(found) == 2


def test_no_group_is_on_both_sides_of_a_fold(declared):
    history = rows(120).assign(machine=lambda frame: frame.index // 700)
    grouped = declared.model_copy(update={"training": declared.training.model_copy(update={"group": "machine"})})
    plain, apart = folds(declared, history), folds(grouped, history)
    assert any(set(fit["machine"]) & set(check["machine"]) for fit, check in plain)
    assert not any(set(fit["machine"]) & set(check["machine"]) for fit, check in apart)


def test_a_group_that_is_no_column_and_one_that_leaves_nothing_are_refused(declared):
    def grouped(name):
        return declared.model_copy(update={"training": declared.training.model_copy(update={"group": name})})

    with pytest.raises(ConfigError, match=r"no feature 'patient'; name one of the service toy_v1, or .*'job'"):
        folds(grouped("patient"), rows(120))
    with pytest.raises(DataContractError, match=r"of other groups than those validated on \(training.group: same\)"):
        folds(grouped("same"), rows(120).assign(same="all"))


def test_a_bound_on_the_past_is_named_where_it_leaves_too_little(declared):
    training = declared.training.model_copy(update={"history_days": 3, "max_train_rows": 90})
    with pytest.raises(
        DataContractError, match=r"raise training\.history_days \(3\) or training\.max_train_rows \(90\)"
    ):
        folds(declared.model_copy(update={"training": training}), rows(2))
