"""MLflow runs and versions are found again by their input key; what does not load is refused, not retried."""

import dataclasses
import subprocess

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from tests.support import toy

from airloop.errors import GuardRefused, UpstreamUnavailable
from airloop.models import model_version
from airloop.models.training_key import training_key
from airloop.records import Snapshot
from airloop.settings import Settings
from airloop.stores.mlflow import provenance, tracking


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return toy.write_project(tmp_path_factory.mktemp("toy") / "project", Settings().project_dir)


@pytest.fixture(scope="module")
def pipeline(settings):
    return toy.toy_pipeline(settings)


@pytest.fixture
def a_snapshot():
    return Snapshot(
        pipeline="toy",
        cutoff=toy.days(0, 40).end,
        train=toy.days(0, 23),
        holdout=toy.days(24, 39),
        uri="",
        digest="d" * 64,
        train_rows=1,
        holdout_rows=1,
        unlabelled_rows=0,
        features=("celsius",),
        feature_service="toy_v1",
        feature_fingerprint="f" * 64,
        table_versions={},
        leak_checked=(),
        reason="hand",
        reason_key="asked",
    )


def started(pipeline, settings, key, *, parent=None, **tags):
    return tracking.run_of(pipeline, settings, key=key, name=key, tags=tags, parent=parent)


def status(settings, run):
    return tracking.client(settings).get_run(run.info.run_id).info.status


def test_a_key_has_one_run_which_a_second_call_resumes(pipeline, settings):
    first = started(pipeline, settings, "one", reason="hand")
    tracking.end_run(settings, first.info.run_id)
    again = started(pipeline, settings, "one", reason="other")
    assert again.info.run_id == first.info.run_id
    assert again.data.tags["reason"] == "hand"
    assert status(settings, first) == "RUNNING"


def test_a_nested_run_lies_below_its_parent(pipeline, settings):
    parent = started(pipeline, settings, "two")
    child = started(pipeline, settings, "two:boosting", parent=parent.info.run_id)
    assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert started(pipeline, settings, "two").info.run_id == parent.info.run_id


def test_ending_a_run_twice_changes_nothing(pipeline, settings):
    run = started(pipeline, settings, "three")
    tracking.end_run(settings, run.info.run_id)
    tracking.end_run(settings, run.info.run_id)
    assert status(settings, run) == "FINISHED"


def test_runs_whose_task_is_gone_are_ended_and_nobody_elses(pipeline, settings):
    gone = [started(pipeline, settings, key) for key in ("gone", "gone:boosting")]
    mine = [started(pipeline, settings, key) for key in ("mine", "mine:boosting")]
    ended = started(pipeline, settings, "ended")
    tracking.end_run(settings, ended.info.run_id)
    client = tracking.client(settings)
    persons = client.create_run(tracking.experiment_id(pipeline, settings))
    other = client.create_run(client.create_experiment("other"), tags={tracking.INPUT_KEY: "elsewhere"})
    assert tracking.end_abandoned_runs(pipeline, settings, keep="mine") >= 2
    assert [status(settings, run) for run in gone] == ["KILLED", "KILLED"]
    assert [status(settings, run) for run in (*mine, persons, other)] == ["RUNNING"] * 4
    assert status(settings, ended) == "FINISHED"
    assert tracking.end_abandoned_runs(pipeline, settings, keep="mine") == 0


def test_models_that_killed_tasks_left_pending_are_failed_and_nobody_elses(pipeline, settings):
    client, experiment = tracking.client(settings), tracking.experiment_id(pipeline, settings)
    gone, mine = started(pipeline, settings, "killed"), started(pipeline, settings, "again")
    persons = client.create_run(experiment)
    client.set_terminated(persons.info.run_id)
    pending = [
        client.create_logged_model(experiment, name="model", source_run_id=run.info.run_id)
        for run in (gone, mine, persons)
    ]
    tracking.end_abandoned_runs(pipeline, settings, keep="again")
    states = [str(client.get_logged_model(model.model_id).status) for model in pending]
    assert states == ["FAILED", "PENDING", "PENDING"]
    assert tracking.fail_half_logged_models(pipeline, settings, run_id=mine.info.run_id) == 1
    assert str(client.get_logged_model(pending[1].model_id).status) == "FAILED"


def test_a_model_is_registered_once_under_a_key(pipeline, settings):
    run = started(pipeline, settings, "four")
    arguments = {"model_uri": str(settings.home), "run_id": run.info.run_id, "tags": {"a": "b"}}
    assert tracking.version_of_key(pipeline, settings, "four") is None
    first = tracking.register(pipeline, settings, key="four", **arguments)
    assert tracking.register(pipeline, settings, key="four", **arguments) == first
    assert tracking.register(pipeline, settings, key="five", **arguments) == first + 1
    assert tracking.version_of_key(pipeline, settings, "four") == first


@pytest.mark.parametrize(
    "changes",
    [{"digest": "e" * 64}, {"feature_fingerprint": "g" * 64}, {"reason_key": "again"}],
    ids=["data", "definitions", "reason"],
)
def test_a_training_of_other_data_definitions_or_reason_has_another_key(pipeline, a_snapshot, changes):
    changed = dataclasses.replace(a_snapshot, **changes)
    assert training_key(pipeline, changed) != training_key(pipeline, a_snapshot)


def test_a_training_of_another_declaration_or_code_has_another_key(pipeline, a_snapshot, monkeypatch):
    key = training_key(pipeline, a_snapshot)
    other = pipeline.model_copy(update={"training": pipeline.training.model_copy(update={"seed": 8})})
    assert training_key(other, a_snapshot) != key
    assert training_key(pipeline, dataclasses.replace(a_snapshot, uri="elsewhere")) == key
    monkeypatch.setattr("airloop.models.training_key.code_digest", lambda _package: "edited")
    assert training_key(pipeline, a_snapshot) != key


def test_a_version_that_is_not_there_or_not_ours_is_refused(pipeline, settings):
    run = started(pipeline, settings, "six")
    with pytest.raises(GuardRefused, match="cannot find version 99 of toy"):
        model_version.load_version(pipeline, 99, settings)
    made = tracking.register(
        pipeline, settings, model_uri=str(settings.home), run_id=run.info.run_id, key="six", tags={}
    )
    with pytest.raises(GuardRefused, match=rf"version {made} has no tag airloop\.candidate: it was not registered by"):
        model_version.load_version(pipeline, made, settings)
    with pytest.raises(GuardRefused, match="was not registered by airloop"):
        model_version.version_snapshot(pipeline, made, settings)


def test_a_registry_that_does_not_answer_may_be_asked_again(pipeline, settings, monkeypatch):
    def silent(*_arguments):
        raise MlflowException("connection refused")

    monkeypatch.setattr(MlflowClient, "get_model_version", silent)
    with pytest.raises(UpstreamUnavailable, match="connection refused"):
        model_version.load_version(pipeline, 1, settings)
    monkeypatch.setattr(MlflowClient, "get_experiment_by_name", silent)
    with pytest.raises(UpstreamUnavailable, match="connection refused"):
        tracking.experiment_id(pipeline, settings)


def test_the_commit_says_when_the_checkout_was_edited(tmp_path):
    def git(*words):
        identity = ("-c", "user.name=t", "-c", "user.email=t@t")
        subprocess.run(["git", *identity, "-C", str(tmp_path), *words], check=True, capture_output=True)

    assert provenance.code_commit(tmp_path / "nowhere") == "unknown"
    git("init")
    (tmp_path / "file").write_text("1")
    git("add", ".")
    git("commit", "-m", "first")
    provenance.code_commit.cache_clear()
    clean = provenance.code_commit(tmp_path)
    assert len(clean) == 40
    (tmp_path / "file").write_text("2")
    provenance.code_commit.cache_clear()
    assert provenance.code_commit(tmp_path) == f"{clean}-dirty"


def test_provenance_names_commit_and_lock(settings):
    project = Settings()
    found = provenance.provenance(project)
    assert len(found["airloop.lock_sha256"]) == 64
    assert found["airloop.code_commit"] == provenance.code_commit(project.project_dir)
    assert provenance.provenance(settings)["airloop.lock_sha256"] == "unlocked"
