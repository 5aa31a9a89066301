"""Reserve days: no model learns from them, wherever one is fitted, and the gate compares models on them."""

import shutil
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from tests.support import toy

from airloop.authoring.backtest.past import read_past
from airloop.authoring.backtest.work import Work
from airloop.config.refit import Refit
from airloop.deployment import Deployment
from airloop.errors import ConfigError
from airloop.models import estimators, model_version, reserve, training_rows, training_set
from airloop.records import Window
from airloop.settings import Settings, load_settings
from airloop.watch import probe_models

EVERY = 3
CUTOFF, NEXT = toy.days(0, 40), toy.days(0, 43)


def declared(settings: Settings, every: int | None = EVERY, **training):
    pipeline = toy.toy_pipeline(settings)
    update = {"reserve_days": every, **training}
    return pipeline.model_copy(update={"training": pipeline.training.model_copy(update=update)})


@pytest.fixture
def fits(monkeypatch) -> list[pd.Series]:
    """The decision times of the rows of every fit."""
    times: list[pd.Series] = []
    actual = estimators.new_model

    def recorded(pipeline, candidate, params, frame, features=None):
        times.append(frame["decision_time"])
        return actual(pipeline, candidate, params, frame, features)

    monkeypatch.setattr(estimators, "new_model", recorded)
    return times


@pytest.fixture
def settings(toy_built, tmp_path):
    """A home of its own, with reserve days, the refit, and the rule that reads them."""
    shutil.copytree(toy_built.home, tmp_path / "home")
    here = load_settings(project_dir=toy_built.project_dir, home=tmp_path / "home")
    asked = f"leak_check_times: 2, reserve_days: {EVERY}, refit: {{on: all_mature}},"
    edited = toy.edited(here, tmp_path / "with_days", "pipeline.yaml", "leak_check_times: 2,", asked)
    rule = "gate:\n  rules: [{kind: forgetting, min_days: 5}]\n"
    return toy.edited(edited, tmp_path / "with_rule", "pipeline.yaml", "gate:\n", rule)


def on_reserve_days(times: pd.Series) -> int:
    return int(reserve.reserved(times, EVERY).sum())


def test_days_are_counted_alike_in_every_training(toy_built):
    times = pd.Series(pd.date_range("2020-01-01", periods=90, freq="D", tz="UTC"))
    kept = times[reserve.reserved(times, 10)]
    assert (kept.diff().dropna() == timedelta(days=10)).all()
    assert len(kept) == 9
    assert kept.isin(times[reserve.reserved(times, 5)]).all()
    assert not reserve.reserved(times, None).any()


def test_a_snapshot_keeps_reserve_days_apart_and_the_holdout_whole(toy_built):
    plain = training_rows.training_rows(Deployment(toy.toy_pipeline(toy_built), toy_built), CUTOFF.end)
    made = training_rows.training_rows(Deployment(declared(toy_built), toy_built), CUTOFF.end)
    assert set(made.frame["part"]) == {"train", "holdout", "reserve"}
    parts = {part: made.frame[made.frame["part"] == part] for part in ("train", "holdout", "reserve")}
    assert on_reserve_days(parts["train"]["decision_time"]) == 0
    assert on_reserve_days(parts["reserve"]["decision_time"]) == len(parts["reserve"]) > 400
    assert len(parts["train"]) + len(parts["reserve"]) == (plain.frame["part"] == "train").sum()
    assert (
        parts["holdout"]
        .reset_index(drop=True)
        .equals(plain.frame[plain.frame["part"] == "holdout"].reset_index(drop=True))
    )


def test_reserve_days_reach_back_behind_what_is_learned_from_and_are_thinned_like_it(toy_built):
    made = training_rows.training_rows(
        Deployment(declared(toy_built, history_days=8, max_train_rows=150), toy_built), CUTOFF.end
    )
    times = {part: rows["decision_time"] for part, rows in made.frame.groupby("part")}
    assert (len(times["train"]), len(times["reserve"])) == (150, 150)
    assert times["train"].min() >= made.train.end - timedelta(days=8)
    assert times["reserve"].min() < toy.days(0, 4).end
    assert made.examples_before_holdout > 150


def test_no_fold_training_refit_or_probe_learns_from_a_reserve_day(settings, fits):
    decision = toy.run_training(settings, 40)
    assert decision.passed, decision.why
    counted = len(fits)
    assert counted == 3 * 2 + 1  # trials of which none is like another, folds; and the one that is registered
    refitted = toy.run("refit", settings, CUTOFF)
    champion = model_version.load_version(toy.toy_pipeline(settings), refitted.version, settings)
    probe = probe_models.probe(toy.toy_pipeline(settings), champion, CUTOFF.end, settings, keep_from=None)
    assert (refitted.outcome, probe is not None, len(fits)) == ("refitted", True, counted + 2)
    assert [on_reserve_days(times) for times in fits] == [0] * len(fits)
    frame = training_set.read_snapshot(champion.snapshot, settings)
    assert refitted.rows == len(champion.learned(frame)) < champion.snapshot.train_rows + champion.snapshot.holdout_rows
    assert on_reserve_days(frame[frame["part"] == "holdout"]["decision_time"]) > 0


def test_no_fit_of_a_backtest_learns_from_a_reserve_day(toy_built, fits):
    def replayed(every):
        fits.clear()
        pipeline = declared(toy_built, every, refit=Refit(on="all_mature"))
        work = Work(read_past(pipeline, toy.days(0, 43), toy_built), lambda _line: None)
        made, _ = work.training(CUTOFF.end, None)
        work.goes_in_force(made)
        work._refit(made, CUTOFF.end)
        assert len(fits) == 3 * 2 + 3
        return [on_reserve_days(times) for times in fits]

    assert set(replayed(EVERY)) == {0}
    assert min(replayed(None)) > 0


def test_the_second_model_is_compared_with_the_first_on_days_that_neither_learned_from(settings):
    first = toy.run_training(settings, 40)
    assert ("forgetting", True) in [(check.rule, check.passed) for check in first.checks]
    toy.run("refit", settings, CUTOFF)
    toy.run("promote", settings, CUTOFF)
    toy.run_training(settings, 43)
    found = toy.run("evaluate", settings, NEXT).measured["1 forgetting"]
    frame = training_set.read_snapshot(toy.run("snapshot", settings, NEXT, reason="hand", reason_key=""), settings)
    kept = frame[(frame["part"] == "reserve") & frame["label"].notna()]
    assert (found["rows"], found["days"]) == (len(kept), kept["decision_time"].dt.date.nunique())
    assert 0 < found["p"] < 1


def test_rows_that_either_has_learned_from_are_not_compared():
    times = pd.Series(pd.date_range("2020-01-01", periods=240, freq="12h", tz="UTC"))
    frame = pd.DataFrame({"decision_time": times, "label": 1.0, "part": reserve.RESERVE})
    frame = frame[reserve.reserved(times, 5)]

    def says(rows):
        return np.full(len(rows), 0.5)

    candidate = reserve.Learned(says, toy.days(0, 120).end, 5)
    until = toy.days(0, 60).end
    counted = {
        every: len(reserve.reserve_rows(frame, reserve.Learned(says, until, every), candidate).labels)
        for every in (5, 10, None)
    }
    assert counted == {5: 48, 10: 36, None: 24}


def test_a_rule_without_reserve_days_is_refused_when_it_is_declared(settings, toy_built, tmp_path):
    rule = "gate:\n  rules: [{kind: forgetting}]\n"
    without = toy.edited(toy_built, tmp_path / "without", "pipeline.yaml", "gate:\n", rule)
    with pytest.raises(ConfigError, match=r"gate\.rules names forgetting.*add reserve_days: 10 to training"):
        toy.toy_pipeline(without)
    assert toy.toy_pipeline(settings).gate.rules[0].kind == "forgetting"


@pytest.mark.parametrize("every", [7, 14])
def test_days_that_would_all_be_one_weekday_are_refused(toy_built, every):
    training = toy.toy_pipeline(toy_built).training
    with pytest.raises(ValueError, match=f"{every} days are whole weeks.*write {every + 3}"):
        type(training).model_validate({**training.model_dump(), "reserve_days": every})
    assert type(training).model_validate({**training.model_dump(), "reserve_days": 10}).reserve_days == 10


def test_the_window_of_a_snapshot_stays_what_is_learned_from(toy_built):
    made = training_rows.training_rows(Deployment(declared(toy_built, history_days=8), toy_built), CUTOFF.end)
    assert made.train == Window(made.train.end - timedelta(days=8), made.train.end)
