"""Drift: shifted columns are found, unshifted ones are not, and what cannot be measured is said, not guessed."""

import numpy as np
import pandas as pd
import pytest
from tests.support.drift_sides import ROWS, side

from airloop.watch.drift import MIN_ROWS, Drift, Sides, measure
from airloop.watch.drift import reference as reference_of


def drift(reference: Sides, current: Sides, *, ignore: tuple[str, ...] = ()) -> Drift:
    return measure(reference_of(reference), current, ignore=ignore, threshold=0.2)


def alone(column: pd.Series, *, category: bool = False) -> Sides:
    return Sides(column.to_frame("column"), pd.Series(dtype="float64"), categories=("column",) if category else ())


def of_column(then: pd.Series, now: pd.Series, *, category: bool = False) -> Drift:
    return drift(alone(then, category=category), alone(now))


def numbers(seed: int, rows: int = ROWS) -> pd.Series:
    return pd.Series(np.random.default_rng(seed).normal(50, 10, rows))


def test_a_shifted_feature_and_shifted_predictions_are_found_and_steady_ones_are_not() -> None:
    found = drift(side(1), side(2, shift=1.0))
    assert found.drifted == ("shifted",)
    assert found.share == pytest.approx(1 / 3)
    assert found.prediction.score is not None
    assert found.prediction.score > 0.2
    assert found.psi["steady"] < 0.01


def test_nothing_drifts_between_two_samples_of_the_same() -> None:
    found = drift(side(1), side(2))
    assert found.drifted == ()
    assert found.share == 0.0
    assert found.prediction.score is not None
    assert found.prediction.score < 0.01


@pytest.mark.parametrize("value", [1e3, 1e6, 9.9e11, -9.9e11, np.inf])
@pytest.mark.parametrize("where", ["then", "now"])
def test_one_absurd_value_hides_no_shift_and_makes_none(value: float, where: str) -> None:
    then, same, moved = numbers(1), numbers(2), numbers(2) + 20
    for column in (then,) if where == "then" else (same, moved):
        column.iloc[3] = value
    assert of_column(then, moved).psi["column"] > 2
    assert of_column(then, same).psi["column"] < 0.01


def test_an_ignored_feature_is_measured_and_does_not_count() -> None:
    found = drift(side(1), side(2, shift=1.0), ignore=("shifted",))
    assert found.share == 0.0
    assert found.drifted == ()
    assert found.psi["shifted"] > 0.2


def test_categories_that_are_new_or_gone_are_drift() -> None:
    found = drift(side(1), side(2, city="bcd"))
    assert found.drifted == ("city",)
    assert found.columns["city"].new_share == pytest.approx(1 / 3, abs=0.05)


def test_the_same_rows_give_the_same_scores() -> None:
    assert drift(side(1), side(2, shift=0.3)).psi == drift(side(1), side(2, shift=0.3)).psi


def test_a_feature_without_values_now_is_empty_and_has_drifted_where_it_had_some() -> None:
    current = side(2)
    current.features["steady"] = np.nan
    found = drift(side(1), current)
    assert found.empty == ("steady",)
    assert found.drifted == ("steady",)
    assert found.columns["steady"].missing_shares == (0.0, 1.0)


def test_a_feature_without_values_then_and_now_is_not_judged() -> None:
    nothing = pd.Series(np.full(ROWS, np.nan))
    found = of_column(nothing, nothing)
    assert (found.drifted, found.share, found.not_judged) == ((), None, {"column": "no value on either side"})
    assert of_column(nothing, numbers(1)).drifted == ("column",)


def test_a_feature_that_has_become_constant_is_drift() -> None:
    assert of_column(numbers(1), pd.Series(np.full(ROWS, 50.0))).drifted == ("column",)


def test_a_constant_that_stays_is_no_drift_and_one_that_moves_is() -> None:
    constant = pd.Series(np.full(ROWS, 5.0))
    assert of_column(constant, constant).psi == {"column": 0.0}
    assert of_column(constant, constant - 0.1).drifted == ("column",)
    assert of_column(constant, constant + 0.1).drifted == ("column",)


@pytest.mark.parametrize("dtype", [bool, float, "object"])
def test_flags_are_compared_by_their_share(dtype: type | str) -> None:
    draw = np.random.default_rng(3)
    then, same, more = (pd.Series(draw.uniform(size=ROWS) < share).astype(dtype) for share in (0.1, 0.1, 0.4))
    for category in (True, False):
        assert of_column(then, same, category=category).drifted == ()
        assert of_column(then, more, category=category).drifted == ("column",)


def test_missing_values_are_a_category_of_their_own() -> None:
    some, more = numbers(2), numbers(2)
    some[: ROWS // 20], more[: ROWS // 2] = np.nan, np.nan
    assert of_column(some, more).drifted == ("column",)
    assert of_column(some, some).drifted == ()
    cities = side(1).features["city"].astype("object")
    assert of_column(cities, cities.where(more.notna()), category=True).drifted == ("column",)


def test_a_change_among_few_values_of_a_mostly_empty_column_is_seen() -> None:
    rain = pd.Series(np.where(numbers(1, 10_000) < 35, numbers(2, 10_000), 0))
    assert of_column(rain, rain.sample(frac=1, random_state=1)).drifted == ()
    assert of_column(rain, rain * 25.4).drifted == ("column",)


def test_a_column_is_compared_as_it_is_declared() -> None:
    codes = pd.Series(np.random.default_rng(1).integers(100, 400, ROWS))
    assert of_column(codes, codes + 300, category=False).psi["column"] > 1
    assert of_column(codes, codes.sample(frac=1, random_state=1), category=True).drifted == ()
    assert of_column(codes, codes + 300, category=True).columns["column"].new_share > 0.9


def test_rare_categories_are_pooled_and_a_new_one_is_counted() -> None:
    draw = np.random.default_rng(1)
    then, now = (pd.Series(np.char.mod("t%d", draw.integers(0, 3000, 40_000))) for _ in range(2))
    assert of_column(then, now, category=True).psi["column"] < 0.001
    found = of_column(then, now.where(draw.uniform(size=len(now)) > 0.2, "new"), category=True)
    assert found.drifted == ("column",)
    assert found.columns["column"].new_share == pytest.approx(0.2, abs=0.02)


def test_ids_are_not_judged() -> None:
    ids = pd.Series([f"order-{number}" for number in range(ROWS)])
    found = of_column(ids, ids.str.replace("order", "later"), category=True)
    assert found.not_judged == {"column": "most values occur once, like an id's"}
    assert found.columns["column"].new_share == 0.0


def test_too_few_rows_are_not_judged() -> None:
    found = drift(side(1), side(2, rows=MIN_ROWS - 1))
    assert (found.share, found.prediction.score, found.drifted) == (None, None, ())
    assert found.not_judged["city"] == "99 rows on a side, at least 100 are needed"
    assert drift(side(1), side(2, rows=MIN_ROWS)).share is not None


def test_too_few_values_are_not_judged_unless_there_were_many() -> None:
    few = numbers(1)
    few[5:] = np.nan
    found = of_column(few, few + 1000)
    assert found.not_judged == {"column": "5 values on a side, at least 100 are needed"}
    assert found.share is None
    assert of_column(numbers(1), few).drifted == ("column",)


def test_without_predictions_features_are_still_measured() -> None:
    found = drift(Sides(side(1).features, pd.Series(dtype="float64"), ("city",)), side(2))
    assert found.prediction.score is None
    assert found.share == 0.0


def test_predictions_of_unscored_rows_are_left_out() -> None:
    current = side(2)
    current.predictions.iloc[: ROWS // 2] = np.nan
    found = drift(side(1), current)
    assert found.prediction.score is not None
    assert found.prediction.score < 0.01


def test_predicted_classes_are_compared_as_categories() -> None:
    draw = np.random.default_rng(4)
    then, same, other = (
        Sides(side(1).features, pd.Series(draw.choice(["cat", "dog", "owl"], ROWS, p=shares), dtype="object"))
        for shares in ([0.6, 0.3, 0.1], [0.6, 0.3, 0.1], [0.1, 0.3, 0.6])
    )
    assert drift(then, same).prediction.drifted is False
    assert (drift(then, other).prediction.score or 0) > 0.5
    assert drift(then, Sides(side(2).features, other.predictions.head(MIN_ROWS - 1))).prediction.score is None


def test_when_every_feature_is_ignored_there_is_no_share() -> None:
    found = drift(side(1), side(2, shift=1.0), ignore=("steady", "shifted", "city"))
    assert found.share is None
    assert len(found.psi) == 3
