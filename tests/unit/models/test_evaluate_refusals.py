"""evaluate: what keeps two models from being compared makes the gate refuse."""

import dataclasses
import re
import shutil

import mlflow.artifacts
import numpy as np
import pytest
from mlflow.exceptions import MlflowException
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression
from sklearn.svm import LinearSVC
from tests.support import toy
from tests.support.toy_turned import NEW, judged, put_in_force, registered

from airloop.errors import GuardRefused, UpstreamUnavailable
from airloop.gate.judge import judge
from airloop.models import evaluate, model_version
from airloop.models.model_version import loading
from airloop.stores import ledger


@pytest.fixture
def settings(turned_ledger):
    return turned_ledger


@pytest.fixture
def upstream(upstream_of_candidate):
    return upstream_of_candidate


def test_a_champion_trained_on_rows_of_the_holdout_makes_the_gate_refuse(settings, upstream):
    put_in_force(settings, registered(settings, "train", train=toy.days(0, 45)), NEW)
    found, decision = judged(settings, upstream)
    (problem,) = found.problems
    assert re.search("overlapping holdout: champion version .* was trained on rows up to 2020-02-15", problem)
    assert (found.evidence, found.champion_metrics, found.not_comparable) == ((), {}, "")
    assert decision.why.startswith(f"refused: {problem}")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"source": "empty"}, r"the files of version \d+ of toy are gone from MLflow's file store"),
        ({"features": ("celsius", "colour")}, r"version \d+ needs feature 'colour', which the rows do not have"),
        (
            {"feature_fingerprint": "f" * 64},
            r"toy_v1 is not what version \d+ was trained on .definitions ffffffffffff, now",
        ),
    ],
    ids=["files_are_gone", "feature_is_gone", "features_mean_something_else"],
)
def test_a_champion_that_cannot_be_compared_leaves_the_floors_and_is_said(settings, upstream, tmp_path, changes, says):
    name = next(iter(changes))
    champion = registered(settings, name, **({"source": str(tmp_path / "gone")} if name == "source" else changes))
    put_in_force(settings, champion, NEW)
    found, decision = judged(settings, upstream)
    assert re.search(says, found.not_comparable)
    assert (found.evidence, found.champion_metrics, found.problems) == ((), {}, ())
    assert (decision.passed, decision.champion_version, decision.not_comparable) == (
        True,
        champion,
        found.not_comparable,
    )
    assert decision.why.startswith(
        f"passed: champion {champion} is not comparable: floors only ({found.not_comparable})"
    )


def test_a_champion_whose_version_was_deleted_is_not_comparable(settings, upstream):
    put_in_force(settings, 99, NEW)
    found, decision = judged(settings, upstream)
    assert (
        found.not_comparable
        == "cannot find version 99 of toy: MLflow says Model Version (name=toy, version=99) not found"
    )
    assert decision.passed


def test_a_champion_whose_files_were_removed_is_not_comparable(settings, upstream):
    version = registered(settings, "removed", reason="hand")
    put_in_force(settings, version, NEW)
    shutil.rmtree(settings.home / "changed" / "removed")
    found, decision = judged(settings, upstream)
    assert f"version {version}" in found.not_comparable
    assert decision.passed


def test_without_a_comparison_the_floors_still_refuse(settings, upstream):
    put_in_force(settings, 99, NEW)
    found, _ = judged(settings, upstream)
    weak = dataclasses.replace(found, metrics={**found.metrics, "roc_auc": 0.5})
    decision = judge(weak, toy.toy_pipeline(settings).gate)
    assert decision.why == "refused: ROC-AUC 0.5000, must be at least 0.7000"


FILES, SERVER = "mlflow.artifacts.download_artifacts", "mlflow.MlflowClient.get_model_version"
# The client turns whatever happens into errors of its own: a store's bare error comes from the files alone.
OUTAGES = {
    "files-bucket": (FILES, OSError("bucket not reachable")),
    "files-server": (FILES, MlflowException("connection refused")),
    "files-store": (FILES, RuntimeError("endpoint away")),
    "version-network": (SERVER, OSError("network not reachable")),
    "version-server": (SERVER, MlflowException("connection refused")),
}


@pytest.mark.parametrize(("place", "outage"), OUTAGES.values(), ids=OUTAGES)
def test_an_outage_while_the_champion_is_loaded_is_retried_and_never_recorded(
    settings, upstream, monkeypatch, place, outage
):
    module, name = place.rsplit(".", 1)
    owner = mlflow.artifacts if "artifacts" in module else mlflow.MlflowClient
    real = getattr(owner, name)

    def away(*arguments, **options):
        asked = arguments[-1] if "Client" in place else arguments[0].rpartition("/")[2]
        if asked == "1":
            raise outage
        return real(*arguments, **options)

    monkeypatch.setattr(owner, name, away)
    before = ledger.entries(settings, "toy")
    with pytest.raises(UpstreamUnavailable, match=str(outage)):
        judged(settings, upstream)
    assert ledger.entries(settings, "toy") == before


def test_a_candidate_that_does_not_load_is_refused(settings, upstream, tmp_path):
    broken = dataclasses.replace(
        upstream["trained"], model_digest="", version=registered(settings, "broken", source=str(tmp_path / "gone"))
    )
    with pytest.raises(GuardRefused, match=r"the files of version \d+ of toy are gone"):
        judged(settings, {**upstream, "trained": broken})


class Broken(ClassifierMixin, BaseEstimator):
    classes_ = (0.0, 1.0)

    def predict_proba(self, rows):
        return np.full((len(rows), 2), np.nan)


def with_model(monkeypatch, version, model):
    """Loading this version gives another model."""
    real = model_version.load_version

    def load(pipeline, wanted, settings, **options):
        loaded = real(pipeline, wanted, settings, **options)
        return dataclasses.replace(loaded, model=model) if wanted == version else loaded

    for place in (model_version, loading):
        monkeypatch.setattr(place, "load_version", load)


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (LinearRegression(), "LinearRegression is not a classifier, and the task is binary"),
        (LinearSVC(), "LinearSVC with its parameters has no predict_proba"),
        (DummyClassifier().fit([[0], [0]], [0, 4]), "the model predicts class 4, and the task has classes 0 to 1"),
        (Broken(), "version 1: 900 of 900 probabilities are missing"),
    ],
)
def test_a_champion_that_predicts_something_else_is_not_comparable(settings, upstream, monkeypatch, model, says):
    with_model(monkeypatch, 1, model)
    found, decision = judged(settings, upstream)
    assert found.not_comparable.startswith(says)
    assert (decision.passed, found.problems) == (True, ())


def test_a_candidate_that_predicts_nothing_is_refused(settings, upstream, monkeypatch):
    with_model(monkeypatch, 2, Broken())
    with pytest.raises(GuardRefused, match="version 2: 900 of 900 probabilities are missing"):
        judged(settings, upstream)


def test_changed_feature_definitions_make_the_gate_refuse(settings, upstream, tmp_path):
    edited = toy.edited(settings, tmp_path / "edited", "toy.py", "timedelta(hours=3)", "timedelta(hours=4)")
    found, decision = judged(edited, upstream)
    assert not decision.passed
    assert decision.why.startswith("refused: feature definitions changed since the snapshot: ")
    assert len(found.problems) == 1


def test_a_holdout_of_one_class_is_a_refusal_and_no_crash(settings, upstream, monkeypatch):
    def one_class(pipeline, frame, part):
        rows = real(pipeline, frame, part)
        return rows[rows["label"] == 0].reset_index(drop=True)

    real = evaluate.learned_part
    monkeypatch.setattr(evaluate, "learned_part", one_class)
    found, decision = judged(settings, upstream)
    assert found.metrics["roc_auc"] is None
    assert found.metrics["brier"] > 0
    assert "no evidence on roc_auc: " in found.problems[0]
    assert not decision.passed
