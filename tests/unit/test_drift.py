"""Drift: shifted columns are found, unshifted ones are not, and what cannot be measured is said, not guessed."""

import numpy as np
import pandas as pd
import pytest

from airloop.monitoring.drift import MIN_ROWS, Drift, Sides, measure

ROWS = 2000


def side(seed: int, *, shift: float = 0.0, rows: int = ROWS, city: str = "abc") -> Sides:
    draw = np.random.default_rng(seed)
    features = pd.DataFrame(
        {
            "steady": draw.normal(size=rows),
            "shifted": draw.normal(size=rows) + shift,
            "city": draw.choice(list(city), size=rows),
        }
    )
    return Sides(features, pd.Series(draw.uniform(size=rows) ** (1 + shift)))


def drift(reference: Sides, current: Sides, *, ignore: tuple[str, ...] = (), sample_rows: int = 1000) -> Drift:
    headline = {"champion": "version <7>"}
    return measure(reference, current, ignore=ignore, threshold=0.2, sample_rows=sample_rows, seed=1, headline=headline)


def test_a_shifted_feature_and_shifted_predictions_are_found_and_steady_ones_are_not() -> None:
    found = drift(side(1), side(2, shift=1.0))
    assert found.drifted == ("shifted",)
    assert found.share == pytest.approx(1 / 3)
    assert found.prediction_psi is not None
    assert found.prediction_psi > 0.2
    assert found.psi["steady"] < 0.1


def test_nothing_drifts_between_two_samples_of_the_same() -> None:
    found = drift(side(1), side(2))
    assert found.drifted == ()
    assert found.share == 0.0
    assert found.prediction_psi is not None
    assert found.prediction_psi < 0.1


def test_an_ignored_feature_is_measured_and_does_not_count() -> None:
    found = drift(side(1), side(2, shift=1.0), ignore=("shifted",))
    assert found.share == 0.0
    assert found.drifted == ()
    assert found.psi["shifted"] > 0.2


def test_categories_that_are_new_or_gone_are_drift() -> None:
    assert drift(side(1), side(2, city="bcd")).drifted == ("city",)


def test_the_same_rows_give_the_same_scores() -> None:
    assert drift(side(1), side(2, shift=0.3)).psi == drift(side(1), side(2, shift=0.3)).psi


def test_a_feature_without_values_is_reported_as_empty_and_breaks_nothing() -> None:
    current = side(2)
    current.features["steady"] = np.nan
    found = drift(side(1), current)
    assert found.empty == ("steady",)
    assert set(found.psi) == {"shifted", "city"}
    assert found.share == 0.0


def test_a_feature_whose_few_values_the_sample_missed_is_empty_too() -> None:
    current = side(2)
    current.features["steady"] = np.nan
    current.features.loc[0, "steady"] = 1.0
    assert "steady" not in drift(side(1), current, sample_rows=MIN_ROWS).drifted


def test_a_feature_that_has_become_constant_is_drift() -> None:
    current = side(2)
    current.features["steady"] = 0.5
    assert drift(side(1), current).drifted == ("steady",)


def test_missing_values_are_no_drift() -> None:
    current = side(2)
    current.features.loc[: ROWS // 2, "steady"] = np.nan
    assert drift(side(1), current).psi["steady"] < 0.1


def test_too_few_rows_are_not_measured() -> None:
    found = drift(side(1), side(2, rows=MIN_ROWS - 1))
    assert (found.share, found.prediction_psi, found.drifted, found.html) == (None, None, (), "")
    assert drift(side(1), side(2, rows=MIN_ROWS)).share is not None


def test_without_predictions_features_are_still_measured() -> None:
    current = side(2)
    found = drift(Sides(side(1).features, pd.Series(dtype="float64")), current)
    assert found.prediction_psi is None
    assert found.share == 0.0


def test_predictions_of_unscored_rows_are_left_out() -> None:
    current = side(2)
    current.predictions.iloc[: ROWS // 2] = np.nan
    found = drift(side(1), current)
    assert found.prediction_psi is not None
    assert found.prediction_psi < 0.1


def test_predicted_classes_are_compared_as_categories() -> None:
    draw = np.random.default_rng(4)
    then, same, other = (
        Sides(side(1).features, pd.Series(draw.choice(["cat", "dog", "owl"], ROWS, p=shares), dtype="object"))
        for shares in ([0.6, 0.3, 0.1], [0.6, 0.3, 0.1], [0.1, 0.3, 0.6])
    )
    assert drift(then, same).prediction_psi < 0.1
    assert drift(then, other).prediction_psi > 0.5
    assert drift(then, Sides(side(2).features, other.predictions.head(MIN_ROWS - 1))).prediction_psi is None


def test_when_every_feature_is_ignored_there_is_no_share() -> None:
    found = drift(side(1), side(2, shift=1.0), ignore=("steady", "shifted", "city"))
    assert found.share is None
    assert len(found.psi) == 3


def test_the_report_is_evidentlys_with_our_headline_and_without_the_network() -> None:
    page = drift(side(1), side(2, shift=1.0)).html
    assert "Drift is detected for 33.333% of columns (1 out of 3)." in page
    assert "champion" in page
    assert 'src="http' not in page
