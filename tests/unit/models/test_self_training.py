"""Self-training: used where folds on labelled rows surely gain, else left out; only sure rows are guessed."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from tests.support import toy, toy_tasks

from airloop.config import Candidate, Pipeline, load_pipeline
from airloop.errors import ConfigError
from airloop.models import estimators, tune, unlabelled_trial
from airloop.models.fold_gains import surely_gains
from airloop.models.self_training import KEY, self_trained, uses_unlabelled
from airloop.settings import Settings

USED = {KEY: "self_training"}


def declared(settings: Settings, *, sure: float = 0.95, folds: int = 3, by: str = "self_training") -> Pipeline:
    pipeline = toy.toy_pipeline(settings)
    candidate = Candidate(
        estimator="sklearn.naive_bayes:GaussianNB", encoder="ordinal", search={"var_smoothing": (1e-9, 1e-6)}
    )
    training = pipeline.training.model_dump() | {
        "candidates": {"bayes": candidate.model_dump()},
        "unlabelled": {"by": by, "sure": sure},
        "budget": {"trials": 2, "folds": folds, "rows": 5000},
        "holdout_days": 2,
    }
    return pipeline.model_copy(update={"training": type(pipeline.training).model_validate(training)})


def clouds(*, labelled: float, seed: int = 1, rows: int = 3000, apart: float = 1.0) -> pd.DataFrame:
    """Two clouds in twelve dimensions over thirty days; of a share of the rows the label is known."""
    draw = np.random.default_rng(seed)
    label = draw.integers(0, 2, rows).astype(float)
    values = draw.normal(size=(rows, 12)) + np.outer(2 * label - 1, np.full(12, apart / 2))
    frame = pd.DataFrame(values, columns=[f"x{number}" for number in range(12)])
    times = pd.date_range("2020-01-01", periods=rows, freq="15min", tz="UTC")
    return frame.assign(
        decision_time=times,
        job=[f"j{number}" for number in range(rows)],
        label=np.where(draw.uniform(size=rows) < labelled, label, np.nan),
    )


def test_what_the_folds_gain_by_is_used_and_what_they_lose_by_is_not(toy_settings):
    pipeline, rows = declared(toy_settings), clouds(labelled=0.1)
    known, unknown = rows[rows["label"].notna()].reset_index(drop=True), rows[rows["label"].isna()]
    cut = tune.folds(pipeline, known)
    search = {"params": {"var_smoothing": 1e-9}, "score": 0.2, "fold_scores": [0.1, 0.2, 0.3]}
    better = unlabelled_trial.tried(pipeline, search, cut, unknown, lambda *_: 0.5)
    assert better["params"] == {"var_smoothing": 1e-9, **USED}
    assert (better["score"], better["fold_scores"], better["unlabelled"]["used"]) == (0.5, [0.5] * 3, True)
    worse = unlabelled_trial.tried(pipeline, search, cut, unknown, lambda *_: 0.15)
    assert {name: worse[name] for name in search} == search
    assert worse["unlabelled"] == {"without": [0.1, 0.2, 0.3], "using": [0.15] * 3, "used": False}


def test_where_guesses_are_wrong_it_is_left_out(toy_settings):
    pipeline = declared(toy_settings, sure=0.51)
    rows = clouds(labelled=0.3, apart=0.0)
    search = tune.search_of(pipeline, "bayes", rows)
    assert search["unlabelled"]["used"] is False
    assert not uses_unlabelled(search["params"])
    plain = tune.search_of(
        declared(toy_settings, by="none"), "bayes", rows[rows["label"].notna()].reset_index(drop=True)
    )
    assert (plain["params"], plain["score"]) == (search["params"], search["score"])
    assert "unlabelled" not in plain


@pytest.mark.parametrize(
    ("without", "using", "gains"),
    [
        ([0.1, 0.2, 0.3], [0.2, 0.3, 0.4], True),
        ([0.1, 0.2, 0.3], [0.1, 0.2, 0.3], False),
        ([0.1, 0.2, 0.3], [0.0, 0.1, 0.9], False),
        ([0.1, 0.2, 0.3], [0.09, 0.19, 0.29], False),
        ([0.1], [0.9], False),
    ],
    ids=["all gain", "equal", "one fold alone", "worse", "a single fold"],
)
def test_a_gain_is_in_the_mean_and_in_most_folds(without, using, gains):
    assert surely_gains(without, using) is gains


def test_only_sure_rows_are_guessed_and_labelled_ones_keep_their_label(toy_settings):
    pipeline, seen = declared(toy_settings), []
    rows = clouds(labelled=0.1)

    def fit(known):
        seen.append(known)
        return estimators.fitted_model(pipeline, "bayes", {}, known)

    self_trained(pipeline, rows, [f"x{number}" for number in range(12)], fit)
    first, second = seen
    assert first["label"].notna().all()
    guessed = second.loc[second.index.difference(first.index)]
    assert 0 < len(guessed) < len(rows) - len(first)
    assert second.loc[first.index, "label"].equals(first["label"])
    assert second["decision_time"].is_monotonic_increasing


def test_a_first_fit_that_is_sure_of_nothing_is_the_model(toy_settings):
    pipeline = declared(toy_settings, sure=1 - 1e-12)
    rows = clouds(labelled=0.1, apart=0.0)
    model = estimators.fitted_model(pipeline, "bayes", USED, rows)
    plain = estimators.fitted_model(pipeline, "bayes", {}, rows[rows["label"].notna()].reset_index(drop=True))
    features = [f"x{number}" for number in range(12)]
    assert np.array_equal(model.predict_proba(rows[features]), plain.predict_proba(rows[features]))


def test_a_fold_learns_from_no_unlabelled_row_that_came_later(toy_settings):
    pipeline, seen = declared(toy_settings), []

    def score(_params, fit, check):
        seen.append((fit["decision_time"].max(), check["decision_time"].min()))
        return 0.0

    rows = clouds(labelled=0.1)
    known, unknown = rows[rows["label"].notna()].reset_index(drop=True), rows[rows["label"].isna()]
    cut = tune.folds(pipeline, known)
    unlabelled_trial.tried(pipeline, {"params": {}, "fold_scores": [0.0] * 3}, cut, unknown, score)
    assert len(seen) == 3
    assert all(last < first for last, first in seen)


@pytest.mark.parametrize("kind", ["regression", "quantiles"])
def test_a_task_without_classes_has_nothing_to_guess(tmp_path, kind):
    settings = toy_tasks.write_project(tmp_path / "project", Settings().project_dir, kind)
    path = settings.pipelines_dir / "toy" / "pipeline.yaml"
    path.write_text(path.read_text().replace("seed: 7", "seed: 7, unlabelled: {by: self_training}"))
    with pytest.raises(ConfigError, match="guesses classes, and the task is"):
        load_pipeline("toy", settings)


def test_another_way_or_an_unsure_bound_is_refused(toy_settings):
    with pytest.raises(ValidationError, match="self_training"):
        declared(toy_settings, by="label_propagation")
    with pytest.raises(ValidationError, match=r"greater than 0\.5"):
        declared(toy_settings, sure=0.4)
