"""A pipeline with an array feature through every stage: one column in lake and Feast, numbers everywhere else."""

import json
from pathlib import Path

import pytest
from tests.support import toy, toy_arrays

from airloop.errors import DataContractError
from airloop.models import model_version, training_set
from airloop.serving import score
from airloop.settings import Settings
from airloop.stores import lake

pytestmark = [pytest.mark.integration]

FEATURES = ("machine_code", "job_size", "celsius", *toy_arrays.COLUMNS)
CUTOFF = 40


def project(tmp_path, **transforms):
    settings = toy_arrays.write_project(tmp_path / "project", Settings().project_dir, **transforms)
    toy.land(settings)
    return settings


def test_an_array_is_learned_scored_and_watched_as_numbers(tmp_path):
    settings = project(tmp_path)
    ignored = "lookback_days: 3, ignore_drift: [readings]"
    toy_arrays.rewrite(settings.pipelines_dir / "toy" / "pipeline.yaml", "lookback_days: 3", ignored)
    for window in (toy.days(0, CUTOFF), toy.days(CUTOFF, toy.DAYS)):
        toy.run_data(settings, window)
        assert toy.run("materialize", settings, window).rows["machine_heat"] == 5
    assert toy.run_training(settings, CUTOFF).passed
    snapshot = toy.run("snapshot", settings, toy.days(0, CUTOFF))
    assert (snapshot.features, len(snapshot.leak_checked)) == (FEATURES, 2)
    frame = training_set.read_snapshot(snapshot, settings)
    assert (frame[[*toy_arrays.COLUMNS]].dtypes == "float64").all()
    version = toy.run("promote", settings, toy.days(0, CUTOFF)).version
    assert model_version.load_version(toy.toy_pipeline(settings), version, settings).features == FEATURES
    window = toy.days(CUTOFF, toy.DAYS)
    assert toy.run("score", settings, window).appended == 20 * toy.ROWS_A_DAY
    watched = toy.run("monitor", settings, window)
    assert [*json.loads(Path(watched.metrics_uri).read_text())["psi"]] == sorted(FEATURES)
    assert "(0 out of 3)" in Path(watched.report_uri).read_text()
    assert lake.read(score.predictions_uri(toy.toy_pipeline(settings), settings), settings).num_rows == 1200


def test_the_same_window_again_writes_no_new_version(tmp_path):
    settings = project(tmp_path)
    toy.run_data(settings, toy.days(0, 2))
    uri = lake.table_uri(settings, "toy", "features", "machine_heat")
    before = lake.open_table(uri, settings).version()
    again = settings.model_copy(update={"state_url": f"sqlite:///{tmp_path}/state.db"})
    toy.run_data(again, toy.days(0, 2))
    assert lake.open_table(uri, settings).version() == before


def test_a_training_whose_function_reads_the_row_after_is_refused_by_the_snapshot(tmp_path):
    settings = project(tmp_path, transforms=toy_arrays.LEAKING, through="next_readings")
    toy.run_data(settings, toy.days(0, 30))
    with pytest.raises(DataContractError, match=r"leak: feature 'readings_0' of j\d{3}-\d{3} at 2020-01-\d\dT.*Z was"):
        toy.run("snapshot", settings, toy.days(0, 30))
