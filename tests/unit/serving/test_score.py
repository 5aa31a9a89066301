"""score: the champion in force at the window's start predicts before any outcome is known; rows are only added."""

import shutil
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest
from tests.support import ledger_entries, toy
from tests.support.run_plainly import run_plainly
from tests.support.served_toy import CUTOFF, twin

from airloop.deployment import Deployment
from airloop.errors import GuardRefused, UpstreamUnavailable
from airloop.features import examples
from airloop.models import model_version
from airloop.models.model_version import loading
from airloop.serving import score
from airloop.settings import Settings
from airloop.stores import lake
from airloop.stores.mlflow import tracking

NEXT = toy.days(CUTOFF, CUTOFF + 1)


@pytest.fixture(scope="module")
def championed(served_home: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Version 1, trained up to day 25 and in force from then on; day 25 has landed without outcomes."""
    return toy.copied(served_home, tmp_path_factory.mktemp("toy") / "project")


@pytest.fixture
def settings(championed: Settings, tmp_path: Path) -> Settings:
    """The same registry with a ledger and a lake of its own."""
    shutil.copy(championed.home / "state.db", tmp_path / "state.db")
    shutil.copytree(championed.lake_uri, tmp_path / "lake")
    update = {"state_url": f"sqlite:///{tmp_path}/state.db", "lake_uri": str(tmp_path / "lake")}
    return championed.model_copy(update=update)


def put_in_force(settings, version, day):
    ledger_entries.put_in_force(settings, "toy", version, toy.days(0, day).end)


def scored(settings, window=NEXT, **options):
    return run_plainly(score.score, Deployment(toy.toy_pipeline(settings), settings), window, **options)


def predictions(settings):
    return lake.read(score.predictions_uri(toy.toy_pipeline(settings), settings), settings).to_pandas()


def test_a_window_is_scored_before_any_of_its_outcomes_has_landed(settings):
    clean = lake.table_uri(settings, "toy", "clean", "failures")
    assert lake.read(clean, settings, where=lake.between("ended_at", NEXT)).num_rows == 0
    assert lake.read(clean, settings, where=pc.field("known_at") >= pc.scalar(NEXT.start)).num_rows == 0
    found = scored(settings)
    assert (found.version, found.rows, found.appended, found.mode) == (1, toy.ROWS_A_DAY, toy.ROWS_A_DAY, "live")
    rows = predictions(settings)
    assert list(rows.columns) == [
        "job", "decision_time", "model_version", "role", "mode", "prediction", "window_start",
    ]  # fmt: skip
    assert rows["decision_time"].between(NEXT.start, NEXT.end, inclusive="left").all()
    assert set(rows["role"]) == {"champion"}
    assert set(rows["window_start"]) == {NEXT.start}


def test_predictions_are_those_of_the_registered_model_on_the_features_known_at_the_decision(settings):
    scored(settings)
    pipeline = toy.toy_pipeline(settings)
    frame = examples.feature_frame(pipeline, NEXT, settings, with_labels=False)
    model = model_version.load_version(pipeline, 1, settings)
    expected = dict(zip(frame["job"], model.model.predict_proba(frame[list(model.features)])[:, 1], strict=True))
    rows = predictions(settings)
    assert dict(zip(rows["job"], rows["prediction"], strict=True)) == expected
    assert rows["prediction"].std() > 0.1


def test_a_window_scored_twice_adds_nothing(settings):
    first = scored(settings)
    again = scored(settings)
    assert (again.rows, again.appended, again.table_version) == (first.rows, 0, first.table_version)
    assert len(predictions(settings)) == toy.ROWS_A_DAY


def test_a_window_scored_in_part_is_completed(settings):
    half = type(NEXT)(NEXT.start, NEXT.start + (NEXT.end - NEXT.start) / 2)
    first = scored(settings, half)
    assert 0 < first.appended < toy.ROWS_A_DAY
    assert scored(settings).appended == toy.ROWS_A_DAY - first.appended
    rows = predictions(settings)
    assert len(rows) == rows["job"].nunique() == toy.ROWS_A_DAY


def test_the_champion_in_force_at_the_start_scores_and_not_the_alias(settings):
    second = twin(settings)
    tracking.client(settings).set_registered_model_alias("toy", "champion", str(second))
    put_in_force(settings, second, CUTOFF + 1)
    assert scored(settings).version == 1
    put_in_force(settings, second, CUTOFF)
    assert scored(settings).version == second
    assert sorted(predictions(settings)["model_version"].value_counts().items()) == [(1, 60), (second, 60)]


def test_without_a_champion_in_force_nothing_is_scored(settings):
    found = scored(settings, toy.days(CUTOFF - 1, CUTOFF))
    assert (found.version, found.rows, found.appended, found.table_version) == (0, 0, 0, -1)
    assert lake.open_table(score.predictions_uri(toy.toy_pipeline(settings), settings), settings) is None


def test_a_model_trained_up_to_after_the_window_starts_is_refused_unless_it_is_a_backtest(settings):
    past = toy.days(CUTOFF - 3, CUTOFF - 2)
    put_in_force(settings, 1, CUTOFF - 3)
    with pytest.raises(GuardRefused, match=r"version 1 was trained up to 2020-01-26T00:00Z, after .*mode=backtest"):
        scored(settings, past)
    found = scored(settings, past, mode="backtest")
    assert (found.mode, found.version, found.appended) == ("backtest", 1, toy.ROWS_A_DAY)
    assert set(predictions(settings)["mode"]) == {"backtest"}
    assert scored(settings, past, mode="backtest").appended == 0


def test_a_backtest_takes_the_newest_champion_and_never_mixes_with_live_rows(settings):
    second = twin(settings)
    put_in_force(settings, second, CUTOFF + 5)
    scored(settings)
    assert scored(settings, mode="backtest").version == second
    by_mode = predictions(settings).groupby("mode")["model_version"].agg(["unique", "size"])
    assert by_mode["unique"].map(list).to_dict() == {"backtest": [second], "live": [1]}
    assert by_mode["size"].to_dict() == {"backtest": 60, "live": 60}


def test_predictions_that_are_none_are_refused_and_nothing_is_written(settings, monkeypatch):
    def load(pipeline, version, settings):
        loaded = real(pipeline, version, settings)
        monkeypatch.setattr(loaded.model, "predict_proba", lambda rows: np.full((len(rows), 2), np.nan))
        return loaded

    real = model_version.load_version
    monkeypatch.setattr(loading, "load_version", load)
    with pytest.raises(
        GuardRefused, match=r"\[2020.*version 1: 60 of 60 probabilities are missing .*nothing is written"
    ):
        scored(settings)
    assert lake.open_table(score.predictions_uri(toy.toy_pipeline(settings), settings), settings) is None


def test_a_window_whose_features_are_not_there_yet_is_waited_for(settings):
    with pytest.raises(UpstreamUnavailable, match="not built and validated from 2020-01-27T00:00Z on"):
        scored(settings, toy.days(CUTOFF + 1, CUTOFF + 2))


def test_a_quiet_window_is_scored_with_no_row(settings):
    night = type(NEXT)(NEXT.start, NEXT.start + (NEXT.end - NEXT.start) / 24)
    found = scored(settings, night)
    assert (found.version, found.rows, found.appended) == (1, 0, 0)


def test_a_changed_model_or_table_is_a_new_input_and_the_next_month_is_not(settings):
    pipeline, month = toy.toy_pipeline(settings), toy.days(CUTOFF, 31)
    before = score.inputs(Deployment(pipeline, settings), month)
    assert before.version == 1
    toy.land(settings, days=range(CUTOFF + 1, 33), outcomes=False)
    toy.run_data(settings, toy.days(31, 33))
    assert score.inputs(Deployment(pipeline, settings), month) == before
    toy.run_data(settings, toy.days(CUTOFF + 1, 31))
    assert score.inputs(Deployment(pipeline, settings), month).tables != before.tables
    put_in_force(settings, twin(settings), CUTOFF)
    assert score.inputs(Deployment(pipeline, settings), month).version != 1
