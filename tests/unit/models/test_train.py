"""train: exactly one candidate is fitted and registered, once, with all that is needed to judge and repeat it."""

import dataclasses
import json
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.entities import LoggedModelStatus
from tests.support import toy
from tests.support.run_plainly import run_plainly

from airloop.config import Candidate
from airloop.deployment import Deployment
from airloop.errors import GuardRefused
from airloop.models import estimators, model_version, registration, train, trained_entry, training_set
from airloop.models.registration import Origin
from airloop.stores import ledger
from airloop.stores.mlflow import model_types, registry, tracking

WINDOW = toy.days(0, 40)


@pytest.fixture(scope="module")
def upstream(toy_built):
    """Snapshot and tuned candidates of cutoff day 40."""
    frozen = toy.run("snapshot", toy_built, WINDOW, reason="hand", reason_key="first")
    candidates = toy.toy_pipeline(toy_built).training.candidates
    tuned = tuple(toy.run("tune", toy_built, WINDOW, candidate=name) for name in candidates)
    return {"snapshot": frozen, "tuned": tuned}


@pytest.fixture(scope="module")
def trained(toy_built, upstream):
    record = toy.run("train", toy_built, WINDOW)
    toy.run("evaluate", toy_built, WINDOW)
    return record


@pytest.fixture(scope="module")
def run(toy_built, trained):
    return tracking.client(toy_built).get_run(trained.run_id)


def again(settings, upstream, *, reason_key, pipeline=None, **changes):
    frozen = dataclasses.replace(upstream["snapshot"], reason_key=reason_key)
    given = {"snapshot": frozen, "tuned": upstream["tuned"], **changes}
    return run_plainly(train.train, Deployment(pipeline or toy.toy_pipeline(settings), settings), WINDOW, **given)


def versions(settings, key):
    found = tracking.client(settings).search_model_versions("name = 'toy'")
    return [int(version.version) for version in found if version.tags[tracking.INPUT_KEY] == key]


def artifacts(settings, run_id, path=None):
    for item in tracking.client(settings).list_artifacts(run_id, path):
        yield from artifacts(settings, run_id, item.path) if item.is_dir else [item.path]


def test_the_candidate_with_the_best_score_is_registered_and_no_other(toy_built, upstream, trained):
    best = max(upstream["tuned"], key=lambda tuned: tuned.score)
    assert (trained.candidate, trained.params) == (best.candidate, best.params)
    assert versions(toy_built, trained.input_key) == [trained.version]
    assert trained.snapshot_digest == upstream["snapshot"].digest


def test_ties_go_to_the_candidate_declared_first(toy_built, upstream):
    tied = tuple(dataclasses.replace(tuned, score=-0.1) for tuned in upstream["tuned"])
    assert again(toy_built, upstream, reason_key="tied", tuned=tied).candidate == "logistic_regression"


def test_it_is_fitted_on_the_labelled_training_part_alone(toy_built, upstream, trained):
    frozen = upstream["snapshot"]
    rows = training_set.labelled_part(training_set.read_snapshot(frozen, toy_built), "train")
    pipeline, features = toy.toy_pipeline(toy_built), list(frozen.features)
    expected = estimators.new_model(pipeline, trained.candidate, trained.params, rows, features)
    expected.fit(rows[features], rows["label"])
    loaded = model_version.load_version(pipeline, trained.version, toy_built)
    assert loaded.features == frozen.features
    assert np.array_equal(loaded.model.predict_proba(rows[features]), expected.predict_proba(rows[features]))


def test_a_retry_returns_the_same_version_and_fits_nothing(toy_built, upstream, trained, monkeypatch):
    monkeypatch.setattr(train, "_fit", lambda *_arguments, **_options: pytest.fail("fitted again"))
    assert again(toy_built, upstream, reason_key="first") == trained
    assert versions(toy_built, trained.input_key) == [trained.version]


def test_a_training_is_one_entry_of_the_ledger_that_says_of_what_and_for_what_reason(toy_built, upstream, trained):
    again(toy_built, upstream, reason_key="first")
    (entry,) = of_version(toy_built, trained.version)
    frozen = upstream["snapshot"]
    assert (entry.effective_at, entry.payload["reason"], entry.payload["reason_key"]) == (WINDOW.end, "hand", "first")
    assert entry.payload["snapshot_digest"] == frozen.digest
    assert (entry.payload["model_digest"], entry.payload["input_key"]) == (trained.model_digest, trained.input_key)
    assert f"of {frozen.train_rows:,} rows until " in entry.payload["why"]
    assert ledger.verify(toy_built, "toy") == []


def test_killed_before_its_entry_a_retry_writes_it_and_registers_nothing_twice(toy_built, upstream, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(trained_entry, "record", killed)
        with pytest.raises(SystemExit):
            again(toy_built, upstream, reason_key="no entry")
    made = again(toy_built, upstream, reason_key="no entry")
    assert versions(toy_built, made.input_key) == [made.version]
    assert len(of_version(toy_built, made.version)) == 1


def of_version(settings, version):
    return [e for e in ledger.entries(settings, "toy", kind="trained") if e.payload["version"] == version]


def test_killed_between_logging_and_registering_a_retry_registers_the_logged_model(toy_built, upstream, monkeypatch):
    monkeypatch.setattr(tracking, "register", killed)
    with pytest.raises(SystemExit):
        again(toy_built, upstream, reason_key="killed")
    monkeypatch.undo()
    monkeypatch.setattr(train, "_fit", lambda *_arguments, **_options: pytest.fail("fitted again"))
    made = again(toy_built, upstream, reason_key="killed")
    run = tracking.client(toy_built).get_run(made.run_id)
    (output,) = run.outputs.model_outputs
    assert made.model_uri == f"models:/{output.model_id}"
    assert versions(toy_built, made.input_key) == [made.version]


def test_a_model_that_was_not_logged_completely_is_logged_again(toy_built, upstream, monkeypatch):
    monkeypatch.setattr(mlflow.sklearn, "save_model", killed)
    with pytest.raises(SystemExit):
        again(toy_built, upstream, reason_key="half")
    monkeypatch.undo()
    made = again(toy_built, upstream, reason_key="half")
    assert tracking.client(toy_built).get_logged_model(made.model_uri[8:]).status == LoggedModelStatus.READY
    model_version.load_version(toy.toy_pipeline(toy_built), made.version, toy_built)


def test_another_declaration_over_the_same_rows_is_another_version(toy_built, upstream, trained):
    pipeline = toy.toy_pipeline(toy_built)
    other = pipeline.model_copy(update={"training": pipeline.training.model_copy(update={"seed": 8})})
    assert again(toy_built, upstream, reason_key="first", pipeline=other).version != trained.version


def test_the_model_file_is_skops_and_nothing_is_pickled(toy_built, trained):
    model = tracking.client(toy_built).get_logged_model(trained.model_uri.removeprefix("models:/"))
    names = {path.name for path in Path(model.artifact_location.removeprefix("file://")).rglob("*") if path.is_file()}
    assert "model.skops" in names
    assert not [name for name in names if name.endswith((".pkl", ".pickle", ".joblib", ".cloudpickle"))]
    flavor = mlflow.models.get_model_info(trained.model_uri).flavors["sklearn"]
    assert flavor["serialization_format"] == "skops"
    assert set(flavor["skops_trusted_types"]) <= model_types.ALLOWED_TYPES


def test_a_model_with_a_type_off_the_allow_list_is_neither_logged_nor_registered(toy_built, upstream):
    pipeline = toy.toy_pipeline(toy_built)
    strange = Candidate(estimator="sklearn.neighbors:KNeighborsClassifier", encoder="one_hot")
    declared = {"neighbours": strange}
    pipeline = pipeline.model_copy(update={"training": pipeline.training.model_copy(update={"candidates": declared})})
    tuned = dataclasses.replace(upstream["tuned"][0], candidate="neighbours", params={})
    before = len(tracking.client(toy_built).search_model_versions("name = 'toy'"))
    with pytest.raises(GuardRefused, match="not on the allow-list"):
        again(toy_built, upstream, reason_key="strange", pipeline=pipeline, tuned=(tuned,))
    assert len(tracking.client(toy_built).search_model_versions("name = 'toy'")) == before


def test_a_model_has_its_signature_and_an_input_example(trained, upstream):
    info = mlflow.models.get_model_info(trained.model_uri)
    assert info.signature.inputs.input_names() == list(upstream["snapshot"].features)
    example = json.loads(
        (Path(mlflow.artifacts.download_artifacts(trained.model_uri)) / "input_example.json").read_text()
    )
    assert example["columns"] == list(upstream["snapshot"].features)
    assert len(example["data"]) == 5


def test_a_version_of_3000_features_is_registered_and_says_what_it_was_trained_on(toy_built, upstream):
    features = tuple(f"sensor_{number:04d}_mean_over_the_last_24_hours" for number in range(3000))
    wide = dataclasses.replace(upstream["snapshot"], features=features, reason_key="wide")
    run = tracking.run_of(toy.toy_pipeline(toy_built), toy_built, key="wide", name="wide", tags={})
    best = max(upstream["tuned"], key=lambda tuned: tuned.score)
    narrow, named = (
        Origin(frozen, best.candidate, best.params, {"snapshot": frozen.to_json()}, {})
        for frozen in (upstream["snapshot"], wide)
    )
    made = registration.registered_version(
        toy.toy_pipeline(toy_built),
        toy_built,
        run=run,
        key="wide",
        origin=named,
        fit=lambda: train._fit(toy.toy_pipeline(toy_built), best, narrow, toy_built, run_id=run.info.run_id),
    )
    tags = registry.version_of(toy_built, "toy", made).tags
    assert max(map(len, tags.values())) < 5000
    assert model_version.load_version(toy.toy_pipeline(toy_built), made, toy_built).snapshot == wide


def test_the_run_says_what_the_training_was_made_of(run, trained, upstream):
    frozen = upstream["snapshot"]
    (used,) = run.inputs.dataset_inputs
    assert used.dataset.digest == frozen.digest[:36]
    assert run.data.tags["airloop.reason"] == "hand"
    assert run.data.tags["airloop.reason_key"] == "first"
    assert json.loads(run.data.tags["airloop.trigger_evidence"]) == []
    assert {"airloop.code_commit", "airloop.lock_sha256"} <= {*run.data.tags}
    assert run.data.params["candidate"] == trained.candidate
    assert run.data.params["cutoff"] == "2020-02-10T00:00:00+00:00"
    assert {"cv_score", "holdout_roc_auc", "holdout_brier"} <= {*run.data.metrics}
    assert run.info.status == "FINISHED"


def test_the_run_holds_the_pictures_a_person_would_look_at(toy_built, trained):
    names = {*artifacts(toy_built, trained.run_id)}
    plots = {f"plots/{name}.png" for name in ("roc", "precision_recall", "calibration", "importances")}
    assert names >= plots | {"snapshot.json"}


def test_one_parent_run_holds_the_candidates(toy_built, trained, upstream):
    experiment = tracking.experiment_id(toy.toy_pipeline(toy_built), toy_built)
    children = tracking.client(toy_built).search_runs([experiment], f"tags.`mlflow.parentRunId` = '{trained.run_id}'")
    assert {run.info.run_id for run in children} == {tuned.run_id for tuned in upstream["tuned"]}
    assert {run.info.status for run in children} == {"FINISHED"}


def test_a_version_carries_what_it_was_made_from(toy_built, trained, upstream):
    pipeline, frozen = toy.toy_pipeline(toy_built), upstream["snapshot"]
    assert model_version.version_snapshot(pipeline, trained.version, toy_built) == frozen
    tags = tracking.client(toy_built).get_model_version("toy", str(trained.version)).tags
    assert tags["airloop.feature_fingerprint"] == frozen.feature_fingerprint
    assert tags["airloop.feature_service"] == "toy_v1"
    loaded = model_version.load_version(pipeline, trained.version, toy_built)
    assert (loaded.candidate, loaded.params, loaded.snapshot) == (trained.candidate, trained.params, frozen)
    assert isinstance(loaded.holdout_predictions, pd.DataFrame)


def test_what_a_version_of_an_older_airloop_was_trained_on_is_read_from_its_tag(toy_built, trained, upstream):
    older = dataclasses.replace(upstream["snapshot"], digest="older")
    client, version = tracking.client(toy_built), str(trained.version)
    client.set_model_version_tag("toy", version, "airloop.snapshot", json.dumps(older.to_json()))
    try:
        read = model_version.version_snapshot(toy.toy_pipeline(toy_built), trained.version, toy_built)
    finally:
        client.delete_model_version_tag("toy", version, "airloop.snapshot")
    assert read == older


def test_the_start_of_a_training_ends_the_runs_an_earlier_one_left_open(toy_built, upstream):
    abandoned = again(toy_built, upstream, reason_key="abandoned")
    client = tracking.client(toy_built)
    client.update_run(abandoned.run_id, status="RUNNING")
    toy.run("snapshot", toy_built, toy.days(0, 41))
    assert client.get_run(abandoned.run_id).info.status == "KILLED"


def killed(*_arguments, **_options):
    raise SystemExit
