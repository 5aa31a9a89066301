"""Feature selection: what matters in most fits stays, where the folds allow it; the version reads nothing else."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from tests.support import toy

from airloop.config import Candidate, Pipeline
from airloop.models import estimators, stable_features, tune
from airloop.models.self_training import of_estimator
from airloop.models.stable_features import KEY, loses_little, read_by

SIGNALS, NOISE = ("heat", "site", "size"), tuple(f"noise{number}" for number in range(8))


def declared(settings, *, by: str = "stability", folds: int = 3) -> Pipeline:
    pipeline = toy.toy_pipeline(settings)
    candidate = Candidate(
        estimator="sklearn.ensemble:HistGradientBoostingClassifier",
        encoder="ordinal",
        params={"early_stopping": False, "max_iter": 20},
        search={"max_leaf_nodes": (4, 8)},
    )
    training = pipeline.training.model_dump() | {
        "candidates": {"boosting": candidate.model_dump()},
        "selection": {"by": by},
        "budget": {"trials": 1, "folds": folds, "rows": 5000},
        "holdout_days": 4,
    }
    return pipeline.model_copy(update={"training": type(pipeline.training).model_validate(training)})


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    draw, count = np.random.default_rng(1), 3000
    frame = pd.DataFrame({name: draw.normal(size=count) for name in ("heat", "size", *NOISE)})
    frame["site"] = draw.choice(["north", "south", "west"], count)
    risk = 1.5 * frame["heat"] + frame["size"] + 2.0 * (frame["site"] == "west")
    times = pd.date_range("2020-01-01", periods=count, freq="15min", tz="UTC")
    label = (draw.random(count) < 1 / (1 + np.exp(-risk))).astype(float)
    return frame.assign(decision_time=times, job=[f"j{number}" for number in range(count)], label=label)


@pytest.fixture(scope="module")
def search(toy_settings_of_module, rows):
    return tune.search_of(declared(toy_settings_of_module), "boosting", rows)


@pytest.fixture(scope="module")
def toy_settings_of_module(tmp_path_factory, request):
    from airloop.settings import Settings

    return toy.write_project(tmp_path_factory.mktemp("stable") / "project", Settings().project_dir)


def test_what_matters_stays_and_noise_goes(search):
    found = search["selection"]
    assert found["used"] is True
    assert set(SIGNALS) <= set(found["kept"])
    assert len(set(found["kept"]) & set(NOISE)) <= 1
    assert all(found["shares"][name] == 1.0 for name in SIGNALS)
    assert search["params"][KEY] == found["kept"]
    assert search["fold_scores"] == found["stable"]
    assert search["score"] == pytest.approx(np.mean(found["stable"]))


def test_a_version_reads_its_features_and_is_still_asked_with_all(toy_settings_of_module, search, rows):
    pipeline, features = (
        declared(toy_settings_of_module),
        estimators.feature_columns(declared(toy_settings_of_module), rows),
    )
    model = estimators.fitted_model(pipeline, "boosting", search["params"], rows)
    left_out = [name for name in features if name not in search["params"][KEY]]
    changed = rows.assign(**dict.fromkeys(left_out, 99.0))
    assert np.array_equal(model.predict_proba(rows[features]), model.predict_proba(changed[features]))
    changed = rows.assign(heat=-rows["heat"])
    assert not np.array_equal(model.predict_proba(rows[features]), model.predict_proba(changed[features]))
    again = estimators.fitted_model(pipeline, "boosting", search["params"], rows)
    assert np.array_equal(model.predict_proba(rows[features]), again.predict_proba(rows[features]))
    assert estimators.trusted_types(model)
    assert of_estimator(search["params"]).keys() == {"max_leaf_nodes"}


def test_where_the_folds_lose_by_it_all_features_are_read(toy_settings_of_module, search, rows):
    pipeline, whole = (
        declared(toy_settings_of_module),
        {"params": {"max_leaf_nodes": 4}, "fold_scores": [-0.1, -0.1, -0.1]},
    )
    cut, features = tune.folds(pipeline, rows), estimators.feature_columns(pipeline, rows)

    def fit(params, known):
        return estimators.fitted_model(pipeline, "boosting", params, known)

    found = stable_features.tried(pipeline, whole, cut, features, fit=fit, score=lambda *_arguments: -0.2)
    assert found["selection"]["used"] is False
    assert found["selection"]["stable"] == [-0.2] * 3
    assert {name: found[name] for name in whole} == whole
    assert read_by(found["params"], features) == features


def test_without_the_key_nothing_is_selected(toy_settings_of_module, rows):
    found = tune.search_of(declared(toy_settings_of_module, by="none"), "boosting", rows)
    assert "selection" not in found
    assert found["params"].keys() == {"max_leaf_nodes"}


@pytest.mark.parametrize(
    ("every", "stable", "little"),
    [
        ([-0.2, -0.2, -0.2], [-0.1, -0.2, -0.2], True),
        ([-0.2, -0.2, -0.2], [-0.2, -0.2, -0.2], True),
        ([-0.2, -0.2, -0.2], [-0.3, -0.1, -0.25], True),
        ([-0.2, -0.2, -0.2], [-0.3, -0.3, -0.31], False),
        ([-0.2], [-0.1], False),
    ],
    ids=["gains", "equal", "within the error", "loses in each", "a single fold"],
)
def test_a_loss_within_one_standard_error_is_little(every, stable, little):
    assert loses_little(every, stable) is little


def test_another_way_or_a_task_without_labels_is_refused(toy_settings_of_module):
    with pytest.raises(ValidationError, match="stability"):
        declared(toy_settings_of_module, by="lasso")
    plain = declared(toy_settings_of_module).model_dump(mode="json")
    plain["prediction"] |= {"task": "anomaly", "alarm_share": 0.05}
    with pytest.raises(ValidationError, match="selection needs labels to say which features matter"):
        Pipeline.model_validate(plain)
