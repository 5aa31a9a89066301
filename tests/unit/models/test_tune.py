"""tune: folds go forward in time, the budget holds, and the same snapshot gives the same parameters."""

import dataclasses
import itertools
import json

import pandas as pd
import pytest
from pydantic import ValidationError
from tests.support import toy
from tests.support.run_plainly import run_plainly

from airloop.config.training import Budget
from airloop.deployment import Deployment
from airloop.errors import GuardRefused
from airloop.models import training_set, tune
from airloop.models.choice import Incumbent
from airloop.models.training_key import training_key
from airloop.stores.mlflow import tracking


@pytest.fixture(scope="module")
def frozen(toy_built):
    return toy.run("snapshot", toy_built, toy.days(0, 40))


def with_budget(settings, **changes):
    pipeline = toy.toy_pipeline(settings)
    budget = Budget(**{**pipeline.training.budget.model_dump(), **changes})
    return pipeline.model_copy(update={"training": pipeline.training.model_copy(update={"budget": budget})})


def tuned(settings, frozen, candidate="gradient_boosting", *, reason_key="once", **budget):
    """Tuned as a training of its own: what was found for another reason is not taken over."""
    record = dataclasses.replace(frozen, reason_key=reason_key)
    pipeline = with_budget(settings, **budget)
    return run_plainly(tune.tune, Deployment(pipeline, settings), toy.days(0, 40), snapshot=record, candidate=candidate)


def run_of(settings, record):
    return tracking.client(settings).get_run(record.run_id)


def test_a_search_sees_labelled_training_rows_only(toy_built, frozen, monkeypatch):
    seen = []

    def folds(pipeline, rows):
        seen.append(rows)
        return real(pipeline, rows)

    real = tune.folds
    monkeypatch.setattr(tune, "folds", folds)
    tuned(toy_built, frozen, reason_key="rows", rows=600, trials=1)
    (rows,) = seen
    assert len(rows) == frozen.train_rows
    assert rows["label"].notna().all()
    assert rows["decision_time"].max() < frozen.train.end


def test_the_champions_parameters_are_the_first_trial_where_the_search_holds_them(toy_built, frozen):
    rows = training_set.labelled_part(training_set.read_snapshot(frozen, toy_built), "train")
    pipeline = with_budget(toy_built, trials=1)

    def found(candidate, **params):
        return tune.search_of(pipeline, "logistic_regression", rows, Incumbent(candidate, params))["params"]

    own = tune.search_of(pipeline, "logistic_regression", rows)["params"]
    assert found("logistic_regression", C=0.02) == {"C": 0.02}
    assert found("logistic_regression", C=99.0) == own
    assert found("logistic_regression", depth=3) == own
    assert found("gradient_boosting", C=0.02) == own


@pytest.mark.parametrize("candidate", ["logistic_regression", "gradient_boosting"])
def test_the_same_snapshot_gives_the_same_parameters_and_score(toy_built, frozen, candidate):
    first = tuned(toy_built, frozen, candidate, reason_key="first", trials=4)
    second = tuned(toy_built, frozen, candidate, reason_key="second", trials=4)
    assert first.run_id != second.run_id
    assert (first.params, first.score) == (second.params, second.score)
    assert first.score < 0  # Brier, negated: higher is better
    assert first.trials == 4


def test_the_best_trial_wins(toy_built, frozen):
    found = tuned(toy_built, frozen, "logistic_regression", reason_key="best", trials=4)
    history = tracking.client(toy_built).get_metric_history(found.run_id, "trial_brier")
    assert len(history) == 4
    assert min(metric.value for metric in history) == -found.score
    assert 0.01 <= found.params["C"] <= 10


def test_a_candidate_without_a_search_is_one_trial(toy_built, frozen):
    pipeline = toy.toy_pipeline(toy_built)
    declared = {name: item.model_copy(update={"search": {}}) for name, item in pipeline.training.candidates.items()}
    training = pipeline.training.model_copy(update={"candidates": declared})
    pipeline = pipeline.model_copy(update={"training": training})
    found = run_plainly(
        tune.tune, Deployment(pipeline, toy_built), toy.days(0, 40), snapshot=frozen, candidate="gradient_boosting"
    )
    assert (found.params, found.trials) == ({}, 1)


def test_seconds_abort_with_the_way_out_and_never_end_a_search_early(toy_built, frozen):
    with pytest.raises(
        GuardRefused, match=r"training\.budget\.seconds is 0\.001: raise it, or lower .*trials, folds or rows"
    ):
        tuned(toy_built, frozen, reason_key="hurry", trials=3, seconds=0.001)
    assert tuned(toy_built, frozen, reason_key="hurry", trials=3, seconds=600).trials == 3


def test_a_slow_machine_finds_the_same_as_a_fast_one(toy_built, frozen, monkeypatch):
    fast = tuned(toy_built, frozen, reason_key="fast", trials=4, seconds=3600)
    ticks = itertools.count(step=100)
    monkeypatch.setattr(tune.time, "monotonic", lambda: next(ticks))
    slow = tuned(toy_built, frozen, reason_key="slow", trials=4, seconds=3600)
    assert (slow.params, slow.score, slow.trials) == (fast.params, fast.score, fast.trials)
    assert slow.seconds > 400


def test_a_search_of_400_trials_is_kept_whole_and_resumed(toy_built, frozen, monkeypatch):
    monkeypatch.setattr(tune, "_score", lambda _, __, params, *_rows, **_answers: -1 / params["max_leaf_nodes"])
    monkeypatch.setattr(tune, "folds", lambda _pipeline, rows: [(rows, rows)])
    monkeypatch.setattr(tracking, "end_run", killed)
    monkeypatch.setattr(tune, "_log", lambda *_arguments: None)
    with pytest.raises(SystemExit):
        tuned(toy_built, frozen, reason_key="many", trials=400)
    monkeypatch.undo()
    monkeypatch.setattr(tune, "_log", lambda *_arguments: None)
    monkeypatch.setattr(tune, "search_of", lambda *_arguments: pytest.fail("searched again"))
    assert tuned(toy_built, frozen, reason_key="many", trials=400).trials == 400


def test_a_search_that_was_killed_fits_no_trial_twice_and_ends_as_if_it_never_was(toy_built, frozen, monkeypatch):
    whole = tuned(toy_built, frozen, "logistic_regression", reason_key="whole", trials=4)
    real, fits = tune._score, []

    def score(*arguments, **answers):
        fits.append(arguments[2])
        if len(fits) == 6:  # the second fold of the third trial
            raise SystemExit
        return real(*arguments, **answers)

    monkeypatch.setattr(tune, "_score", score)
    with pytest.raises(SystemExit):
        tuned(toy_built, frozen, "logistic_regression", reason_key="killed", trials=4)
    again = tuned(toy_built, frozen, "logistic_regression", reason_key="killed", trials=4)
    assert len(fits) == 6 + 4
    assert (again.params, again.score, again.fold_scores) == (whole.params, whole.score, whole.fold_scores)
    assert again.trials == 4


def scored(monkeypatch, *, killed_at=None):
    """Folds that agree on which parameters are good, without a fit; (parameters, fold) of each score asked for."""
    asked = []

    def score(_pipeline, _candidate, params, fold, _check, **_answers):
        asked.append((params["C"], fold))
        if len(asked) == killed_at:
            raise SystemExit
        return -abs(params["C"] - 1) - fold / 100

    monkeypatch.setattr(tune, "_score", score)
    monkeypatch.setattr(tune, "folds", lambda *_arguments: [(number, number) for number in range(4)])
    return asked


def test_hopeless_trials_are_given_up_after_a_fold_and_the_best_one_is_kept(toy_built, monkeypatch):
    asked = scored(monkeypatch)
    rows = pd.DataFrame({"label": [0.0, 1.0]})
    whole = tune.search_of(with_budget(toy_built, trials=12, folds=4), "logistic_regression", rows)
    assert (len(asked), whole["pruned"]) == (48, [])
    asked.clear()
    found = tune.search_of(with_budget(toy_built, trials=12, folds=4, prune="median"), "logistic_regression", rows)
    assert 3 <= len(found["pruned"]) <= 8
    assert min(found["pruned"]) >= 4
    assert len(asked) == 48 - 3 * len(found["pruned"])
    assert len(found["trials"]) == 12
    assert found["score"] == max(found["trials"])
    assert len(found["fold_scores"]) == 4
    behind = [found["trials"][number] for number in found["pruned"]]
    assert max(behind) < found["score"]


def test_a_pruned_search_that_was_killed_ends_as_if_it_never_was(toy_built, monkeypatch):
    pipeline, rows = with_budget(toy_built, trials=12, folds=4, prune="median"), pd.DataFrame({"label": [0.0, 1.0]})
    asked = scored(monkeypatch)
    whole = tune.search_of(pipeline, "logistic_regression", rows)
    fits = len(asked)
    known = {}
    asked = scored(monkeypatch, killed_at=fits - 2)
    with pytest.raises(SystemExit):
        tune.search_of(pipeline, "logistic_regression", rows, known=known)
    ended = sum(map(len, known.values()))
    asked = scored(monkeypatch)
    again = tune.search_of(pipeline, "logistic_regression", rows, known=known)
    assert len(asked) == fits - ended
    assert {name: again[name] for name in again if name != "seconds"} == {
        name: whole[name] for name in whole if name != "seconds"
    }


def test_a_single_fold_leaves_nothing_to_prune(toy_built):
    with pytest.raises(ValidationError, match="gives a trial up after a fold, and there is one: raise folds"):
        with_budget(toy_built, folds=1, prune="median")
    assert with_budget(toy_built, folds=2, prune="median").training.budget.prune == "median"


@pytest.mark.parametrize(("cut", "trials"), [(None, 7), (20, 2)], ids=["whole", "cut_off_by_mlflow"])
def test_a_search_kept_in_a_tag_by_an_older_airloop_is_resumed_when_it_is_whole(toy_built, frozen, cut, trials):
    key = f"tag {cut}"
    record = dataclasses.replace(frozen, reason_key=key)
    run = tune._run(toy.toy_pipeline(toy_built), record, "gradient_boosting", toy_built)
    search = {"params": {"max_leaf_nodes": 4}, "score": -0.2, "trials": [-0.2] * 7, "seconds": 1.0}
    tracking.client(toy_built).set_tag(run.info.run_id, "airloop.found", json.dumps(search)[:cut])
    assert tuned(toy_built, frozen, reason_key=key).trials == trials


def test_a_retry_returns_what_was_found_even_if_a_new_search_would_end_elsewhere(toy_built, frozen, monkeypatch):
    monkeypatch.setattr(tracking, "end_run", killed)
    with pytest.raises(SystemExit):
        tuned(toy_built, frozen, reason_key="killed", trials=3)
    monkeypatch.undo()
    monkeypatch.setattr(tune, "_score", lambda *_arguments: pytest.fail("searched again"))
    found = tuned(toy_built, frozen, reason_key="killed", trials=3)
    run = run_of(toy_built, found)
    assert found.trials == 3
    assert run.info.status == "FINISHED"
    assert run.data.params["max_leaf_nodes"] == str(found.params["max_leaf_nodes"])
    again = tuned(toy_built, frozen, reason_key="killed", trials=3)
    assert again == found
    assert len(tracking.client(toy_built).get_metric_history(found.run_id, "trial_brier")) == 3


def test_a_retry_completes_a_run_that_was_killed_before_it_was_logged(toy_built, frozen, monkeypatch):
    monkeypatch.setattr(tune, "_log", killed)
    with pytest.raises(SystemExit):
        tuned(toy_built, frozen, reason_key="unlogged")
    monkeypatch.undo()
    found = tuned(toy_built, frozen, reason_key="unlogged")
    run = run_of(toy_built, found)
    assert run.data.metrics["cv_brier"] == -found.score
    assert run.data.params["estimator"] == "sklearn.ensemble:HistGradientBoostingClassifier"


def test_candidates_are_nested_below_one_parent_run(toy_built, frozen):
    runs = [
        run_of(toy_built, tuned(toy_built, frozen, name, reason_key="nested", trials=1))
        for name in ("logistic_regression", "gradient_boosting")
    ]
    (parent,) = {run.data.tags["mlflow.parentRunId"] for run in runs}
    record = dataclasses.replace(frozen, reason_key="nested")
    key = training_key(with_budget(toy_built, trials=1), record)
    assert tracking.client(toy_built).get_run(parent).data.tags[tracking.INPUT_KEY] == key
    assert [run.info.status for run in runs] == ["FINISHED", "FINISHED"]


def killed(*_arguments, **_options):
    raise SystemExit
