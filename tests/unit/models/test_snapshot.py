"""snapshot: the frozen training set of a cutoff; mature rows by horizon, complete outcomes, nothing else."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from tests.support import toy
from tests.support.ledger_entries import put_in_force, triaged
from tests.support.run_plainly import run_plainly

from airloop.deployment import Deployment
from airloop.errors import DataContractError, GuardRefused, UpstreamUnavailable
from airloop.models import snapshot, training_rows, training_set
from airloop.models.training_key import training_key
from airloop.records import Evidence
from airloop.settings import Settings
from airloop.stores import frames, lake
from airloop.stores.mlflow import tracking

CUTOFF = 40
LABELS = "SELECT job, failed::DOUBLE AS label, known_at FROM failures;"


@pytest.fixture(scope="module")
def frozen(toy_built):
    return toy.run("snapshot", toy_built, toy.days(0, CUTOFF), reason="schedule", reason_key="asked")


def fresh(tmp_path: Path, *, days: range = range(30), missing_outcomes: range = range(0)) -> Settings:
    settings = toy.write_project(tmp_path / "project", Settings().project_dir)
    toy.land(settings, days=days)
    for day in missing_outcomes:
        (Path(settings.landing_uri) / "toy" / "failures" / f"{toy.days(day, day + 1).start:%Y-%m-%d}.csv").unlink()
    toy.run_data(settings, toy.days(days.start, days.stop))
    return settings


def test_parts_are_the_mature_rows_with_an_embargo_before_the_newest(frozen, toy_built):
    # 24 h label delay, 15 days of holdout, 1 day of embargo.
    assert (frozen.train, frozen.holdout) == (toy.days(0, 23), toy.days(24, 39))
    frame = training_set.read_snapshot(frozen, toy_built)
    for part, window in (("train", frozen.train), ("holdout", frozen.holdout)):
        times = frame[frame["part"] == part]["decision_time"]
        assert times.between(window.start, window.end, inclusive="left").all()
        assert len(times) == (window.end - window.start).days * toy.ROWS_A_DAY
    assert set(frame["part"]) == {"train", "holdout"}
    assert (frozen.train_rows, frozen.holdout_rows) == (23 * toy.ROWS_A_DAY, 15 * toy.ROWS_A_DAY)
    assert frame.sort_values(["decision_time", "job"]).equals(frame)


def test_the_record_says_what_the_set_was_made_of(frozen, toy_built):
    assert frozen.features == ("machine_code", "job_size", "celsius")
    assert (frozen.feature_service, frozen.reason, frozen.reason_key) == ("toy_v1", "schedule", "asked")
    assert len(frozen.leak_checked) == 2
    for table, version in frozen.table_versions.items():
        layer, name = table.split("/")
        assert lake.open_table(lake.table_uri(toy_built, "toy", layer, name), toy_built).version() == version
    assert {*frozen.table_versions} == {
        *(f"clean/{feed}" for feed in ("jobs", "heat", "machines", "failures")),
        *(f"features/{view}" for view in ("job_static", "machine_heat")),
    }


def test_a_reason_key_is_made_of_reason_and_cutoff_when_none_is_given(toy_built):
    made = toy.run("snapshot", toy_built, toy.days(0, CUTOFF), reason="hand")
    assert made.reason_key == "hand:2020-02-10T00:00Z"


def test_the_digest_is_equal_in_another_process(frozen, toy_built):
    code = (
        "import json, sys; from airloop import config, deployment, settings; from airloop.models import snapshot;"
        "from airloop.records import Window;"
        "s = settings.load_settings(project_dir=sys.argv[1], home=sys.argv[2]);"
        "w = Window.parse(sys.argv[3], sys.argv[4]);"
        "at = deployment.Deployment(config.load_pipeline('toy', s), s);"
        "print(snapshot.snapshot(at, w, snapshot.inputs(at, w)).digest)"
    )
    window = toy.days(0, CUTOFF).to_json()
    arguments = [str(toy_built.project_dir), str(toy_built.home), window["start"], window["end"]]
    include = Settings().project_dir / "include"
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=include,
    )
    assert found.stdout.split()[-1] == frozen.digest


def test_the_same_cutoff_again_is_done_and_unchanged_by_windows_that_came_after_it(tmp_path):
    settings = fresh(tmp_path, days=range(31))
    window, pipeline = toy.days(0, 31), toy.toy_pipeline(settings)
    before = snapshot.inputs(Deployment(pipeline, settings), window)
    toy.land(settings, days=range(31, 33))
    toy.run_data(settings, toy.days(31, 33))
    assert snapshot.inputs(Deployment(pipeline, settings), window) == before
    assert snapshot.inputs(Deployment(pipeline, settings), toy.days(0, 33)) != before


def test_a_tampered_file_is_refused(frozen, toy_built, tmp_path):
    frame = training_set.read_snapshot(frozen, toy_built)
    frame.loc[3, "label"] = 1 - frame.loc[3, "label"]
    path = tmp_path / "copy.parquet"
    frames.write(frame, str(path), toy_built)
    shutil.copy(frozen.uri, tmp_path / "kept.parquet")
    shutil.copy(path, frozen.uri)
    try:
        with pytest.raises(DataContractError, match=r"content digest \w{12} is not the recorded"):
            training_set.read_snapshot(frozen, toy_built)
    finally:
        shutil.copy(tmp_path / "kept.parquet", frozen.uri)
    assert len(training_set.read_snapshot(frozen, toy_built)) == len(frame)


def test_rows_without_a_label_are_kept_and_are_never_a_zero(toy_built, tmp_path):
    # Jobs of machine m1 never report an outcome.
    silent = (
        "SELECT f.job, failed::DOUBLE AS label, f.known_at FROM failures f JOIN jobs USING (job) WHERE machine <> 'm1';"
    )
    settings = toy.edited(toy_built, tmp_path, "features.sql", LABELS, silent)
    made = run_plainly(snapshot.snapshot, Deployment(toy.toy_pipeline(settings), settings), toy.days(0, CUTOFF))
    frame = training_set.read_snapshot(made, settings)
    silent = frame[frame["machine_code"] == "m1"]
    assert len(silent) == made.unlabelled_rows > 100
    assert silent["label"].isna().all()
    for part in ("train", "holdout"):
        assert not training_set.labelled_part(frame, part)["machine_code"].eq("m1").any()
    assert made.train_rows + made.holdout_rows + made.unlabelled_rows == len(frame)


def test_too_few_training_rows_are_refused(toy_built):
    with pytest.raises(DataContractError, match="60 labelled training rows before 2020-01-03, min_train_rows is 100"):
        toy.run("snapshot", toy_built, toy.days(0, 18))


def test_too_few_rows_by_a_bound_on_the_past_name_the_bound(toy_built, tmp_path):
    settings = toy.edited(
        toy_built, tmp_path, "pipeline.yaml", "min_train_rows: 100,", "min_train_rows: 100, history_days: 1,"
    )
    with pytest.raises(
        DataContractError, match=r"min_train_rows is 100: .* raise training\.history_days \(1\), or lower"
    ):
        run_plainly(snapshot.snapshot, Deployment(toy.toy_pipeline(settings), settings), toy.days(0, CUTOFF))


def test_a_cutoff_without_any_time_to_train_on_is_refused(toy_built):
    with pytest.raises(DataContractError, match=r"cutoff 2020-01-18T00:00Z leaves no training rows.*later cutoff"):
        toy.run("snapshot", toy_built, toy.days(0, 17))


@pytest.mark.parametrize("missing", [range(28, 30), range(20, 30), range(30)], ids=["two_days", "ten_days", "all"])
def test_an_outcome_feed_that_has_not_landed_up_to_the_cutoff_is_refused(tmp_path, missing):
    settings = fresh(tmp_path, missing_outcomes=missing)
    says = "labelled training rows|has not landed up to the cutoff|days of failures have no file"
    with pytest.raises((DataContractError, GuardRefused), match=says):
        toy.run("snapshot", settings, toy.days(0, 30))


def test_outcomes_of_rows_that_are_not_mature_are_not_waited_for(tmp_path):
    settings = fresh(tmp_path, missing_outcomes=range(29, 30))
    made = toy.run("snapshot", settings, toy.days(0, 30))
    assert made.unlabelled_rows == 0


def test_days_without_any_outcome_between_others_are_refused_and_named(tmp_path):
    settings = fresh(tmp_path, missing_outcomes=[3, 20])
    with pytest.raises(
        GuardRefused,
        match=r"2 of 29 days of failures have no file .*: 2020-01-04, 2020-01-21 (?s:.*)airloop alarms answer",
    ):
        toy.run("snapshot", settings, toy.days(0, 30))


def rows_of_a_day(settings, root, day, *, kept="true", known="false"):
    """Of a day only the jobs `kept`, with only the outcomes `known`, in the training rows of the cutoff."""
    outcomes = f"FROM failures WHERE known_at::DATE <> DATE '{day}' OR {known};"
    settings = toy.edited(settings, root / "a", "features.sql", LABELS, LABELS.replace("FROM failures;", outcomes))
    jobs = f"AS decision_time FROM jobs WHERE starts_at::DATE <> DATE '{day}' OR {kept};"
    settings = toy.edited(settings, root / "b", "features.sql", "AS decision_time FROM jobs;", jobs)
    made = training_rows.training_rows(Deployment(toy.toy_pipeline(settings), settings), toy.days(0, CUTOFF).end).frame
    return made[made["decision_time"].dt.strftime("%Y-%m-%d") == day]


def test_a_day_of_twenty_examples_needs_an_outcome(toy_built, tmp_path):
    with pytest.raises(DataContractError, match=r"outcomes are missing of 2020-01-10 .*leave these days out"):
        rows_of_a_day(toy_built, tmp_path / "20", "2020-01-10", kept="job < 'j009-020'")
    few = rows_of_a_day(toy_built, tmp_path / "19", "2020-01-10", kept="job < 'j009-019'")
    assert (len(few), few["label"].count()) == (19, 0)
    with pytest.raises(DataContractError, match=r"2020-01-10 .*; 10 of 60 examples have one, usually 100%"):
        rows_of_a_day(toy_built, tmp_path / "ten", "2020-01-10", known="job < 'j009-010'")
    half = rows_of_a_day(toy_built, tmp_path / "half", "2020-01-10", known="job < 'j009-030'")
    assert (len(half), half["label"].count()) == (toy.ROWS_A_DAY, 30)
    assert rows_of_a_day(toy_built, tmp_path / "embargo", "2020-01-24").empty


def test_features_that_are_not_validated_are_refused(tmp_path):
    settings = fresh(tmp_path)
    toy.land(settings, days=range(30, 31))
    for stage in ("ingest", "validate_raw", "build_features"):
        toy.run(stage, settings, toy.days(30, 31))
    with pytest.raises(UpstreamUnavailable, match="not built and validated from 2020-01-31T00:00Z on"):
        toy.run("snapshot", settings, toy.days(0, 32))


def test_its_mlflow_run_carries_data_reason_and_evidence_and_stays_open(toy_built):
    pipeline = toy.toy_pipeline(toy_built)
    put_in_force(toy_built, "toy", 1, toy.days(0, 1).end)
    proof = Evidence("brier", 0.01, 0.001, 0.02, 0.9, 0.2, 0.19, 500, 20, 200, 7)
    triaged(toy_built, "toy", toy.days(0, CUTOFF).end, champion=1, evidence=[proof])
    made = run_plainly(snapshot.snapshot, Deployment(pipeline, toy_built), toy.days(0, CUTOFF), reason="probe")
    client = tracking.client(toy_built)
    key = training_key(pipeline, made)
    (run,) = client.search_runs([tracking.experiment_id(pipeline, toy_built)], f"tags.`{tracking.INPUT_KEY}` = '{key}'")
    assert run.info.status == "RUNNING"
    assert json.loads(run.data.tags["airloop.trigger_evidence"]) == [proof.to_json()]
    assert (run.data.tags["airloop.reason"], run.data.tags["airloop.snapshot"]) == ("probe", made.digest)
    assert run.data.tags["airloop.engine"] == f"duckdb {duckdb.__version__}"
    assert run.data.params["train_rows"] == str(made.train_rows)
    (used,) = run.inputs.dataset_inputs
    assert used.dataset.digest == made.digest[:36]
