"""Importances: a feature that decides is found, one that does not matter is not, and Shapley values add up."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from airloop.models.importance import MOST_FEATURES, importances, shapley

FEATURES = ("heat", "machine", "noise")


@pytest.fixture(scope="module")
def rows():
    draw = np.random.default_rng(1)
    frame = pd.DataFrame(
        {"heat": draw.normal(size=900), "machine": draw.choice(["a", "b", "c"], 900), "noise": draw.normal(size=900)}
    )
    risk = 2 * frame["heat"] + (frame["machine"] == "b") * 1.5
    return frame.assign(label=(draw.random(900) < 1 / (1 + np.exp(-risk))).astype(float))


def linear(frame):
    return 0.5 + 0.1 * frame["heat"].to_numpy() + 0.05 * (frame["machine"] == "b").to_numpy()


def test_what_decides_comes_first_and_what_does_not_matter_is_nothing(rows):
    found = importances(lambda frame: np.clip(linear(frame), 0, 1), rows, FEATURES, metric="brier", seed=7)
    assert [item.feature for item in found] == list(FEATURES)
    assert found[0].loss > found[1].loss > found[2].loss == found[2].moves == 0
    assert found == importances(lambda frame: np.clip(linear(frame), 0, 1), rows, FEATURES, metric="brier", seed=7)


def test_shapley_values_of_a_linear_model_are_its_terms(rows):
    values = shapley(linear, rows, FEATURES, seed=7)
    places = np.linspace(0, 899, len(values)).astype(int)
    heat = rows["heat"].to_numpy()[places]
    # 12 rows drawn for each: their mean is within 4 standard errors of the mean of all.
    np.testing.assert_allclose(values[:, 0], 0.1 * (heat - rows["heat"].mean()), atol=4 * 0.1 / np.sqrt(12))
    assert np.all(values[:, 2] == 0)


def test_shapley_values_add_up_to_the_prediction_also_with_native_categories(rows):
    frame = rows.assign(machine=rows["machine"].astype("category"))
    model = HistGradientBoostingClassifier(max_iter=10, categorical_features="from_dtype", random_state=1)
    model.fit(frame[list(FEATURES)], frame["label"])
    asked = []

    def predict(given):
        said = model.predict_proba(given[list(FEATURES)].astype({"machine": frame["machine"].dtype}))[:, 1]
        asked.append(said)
        return said

    values = shapley(predict, frame, FEATURES, seed=7)
    explained, *orders = asked
    against = np.mean([said.reshape(len(FEATURES) + 1, -1)[0] for said in orders], axis=0)
    np.testing.assert_allclose(values.sum(axis=1), explained - against, atol=1e-12)


def test_of_several_classes_the_predicted_one_is_explained(rows):
    def three(frame):
        first = np.clip(linear(frame), 0, 1)
        return np.stack([first, (1 - first) / 2, (1 - first) / 2], axis=1)

    assert shapley(three, rows, FEATURES, seed=7).shape[1] == len(FEATURES)
    labels = rows.assign(label=np.arange(len(rows)) % 3)
    found = {item.feature: item for item in importances(three, labels, FEATURES, metric="log_loss", seed=7)}
    assert found["noise"].loss == found["noise"].moves == 0 != found["heat"].loss


def test_too_few_rows_or_too_many_features_have_none(rows):
    assert importances(linear, rows.head(20), FEATURES, metric="brier", seed=7) == ()
    wide = rows.assign(**{f"p{number}": 0.0 for number in range(MOST_FEATURES + 1)})
    names = [name for name in wide if name.startswith("p")]
    assert importances(linear, wide, names, metric="brier", seed=7) == ()
