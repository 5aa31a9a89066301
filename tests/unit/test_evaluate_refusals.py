"""evaluate: what keeps two models from being compared makes the gate refuse."""

import dataclasses
import re

import numpy as np
import pytest
import toy
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression
from sklearn.svm import LinearSVC
from toy_turned import CUTOFF, NEW, judged, put_in_force, registered

from airloop import evaluate, ledger, tracking
from airloop.errors import GuardRefused, UpstreamUnavailable


@pytest.fixture
def settings(turned_ledger):
    return turned_ledger


@pytest.fixture
def upstream(upstream_of_candidate):
    return upstream_of_candidate


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"source": "empty"}, r"champion version \d+ does not load: "),
        ({"train": toy.days(0, 45)}, "overlapping holdout: champion version .* was trained on rows up to 2020-02-15"),
        ({"features": ("celsius", "colour")}, "needs feature 'colour', which the snapshot does not have"),
    ],
    ids=["does_not_load", "overlapping_holdout", "missing_feature"],
)
def test_a_champion_that_cannot_be_compared_makes_the_gate_refuse(settings, upstream, tmp_path, changes, says):
    name = next(iter(changes))
    if name == "source":
        changes = {"source": str(tmp_path)}
    put_in_force(settings, registered(settings, name, **changes), NEW)
    found, decision = judged(settings, upstream)
    (problem,) = found.problems
    assert re.search(says, problem)
    assert found.evidence == ()
    assert found.champion_metrics == {}
    assert decision.why.startswith(f"refused: {problem}")


def test_a_champion_is_not_called_broken_because_mlflow_does_not_answer(settings, upstream, monkeypatch):
    def load(pipeline, version, settings):
        if version == 1:
            raise UpstreamUnavailable("MLflow does not answer")
        return real(pipeline, version, settings)

    real = tracking.load_version
    monkeypatch.setattr(tracking, "load_version", load)
    with pytest.raises(UpstreamUnavailable):
        judged(settings, upstream)


def test_a_candidate_that_does_not_load_is_refused(settings, upstream, tmp_path):
    broken = dataclasses.replace(upstream["train"], version=registered(settings, "broken", source=str(tmp_path)))
    with pytest.raises(GuardRefused, match=r"toy version \d+ does not load"):
        judged(settings, {**upstream, "train": broken})


class Broken(ClassifierMixin, BaseEstimator):
    classes_ = (0.0, 1.0)

    def predict_proba(self, rows):
        return np.full((len(rows), 2), np.nan)


def with_model(monkeypatch, version, model):
    """Loading this version gives another model."""
    real = tracking.load_version

    def load(pipeline, wanted, settings):
        loaded = real(pipeline, wanted, settings)
        return dataclasses.replace(loaded, model=model) if wanted == version else loaded

    monkeypatch.setattr(tracking, "load_version", load)


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (LinearRegression(), "LinearRegression is no classifier, and the task is binary"),
        (LinearSVC(), "LinearSVC with its parameters has no predict_proba"),
        (DummyClassifier().fit([[0], [0]], [0, 4]), "the model predicts class 4, and the task has classes 0 to 1"),
        (Broken(), "toy version 1 on the holdout: 900 of 900 probabilities are missing"),
    ],
)
def test_a_champion_that_predicts_something_else_makes_the_gate_refuse(settings, upstream, monkeypatch, model, says):
    with_model(monkeypatch, 1, model)
    found, decision = judged(settings, upstream)
    (problem,) = found.problems
    assert problem.startswith(f"champion version 1 does not predict: {says}")
    assert decision.why.startswith(f"refused: {problem}")


def test_a_candidate_that_predicts_nothing_is_refused(settings, upstream, monkeypatch):
    with_model(monkeypatch, 2, Broken())
    with pytest.raises(GuardRefused, match="toy version 2 on the holdout: 900 of 900 probabilities are missing"):
        judged(settings, upstream)


def test_changed_feature_definitions_make_the_gate_refuse(settings, upstream, tmp_path):
    edited = toy.edited(settings, tmp_path / "edited", "toy.py", "timedelta(hours=3)", "timedelta(hours=4)")
    found, decision = judged(edited, upstream)
    assert not decision.passed
    assert decision.why.startswith("refused: feature definitions changed since the snapshot: ")
    assert len(found.problems) == 1


def test_the_reason_probe_needs_the_triage_that_asked(settings, upstream):
    asked = {**upstream, "snapshot": dataclasses.replace(upstream["snapshot"], reason="probe", reason_key="March")}
    _, decision = judged(settings, asked)
    assert decision.why.startswith("refused: reason probe, but no triage in the ledger asked for 'March'")
    ledger.append(settings, "toy", kind="triage", effective_at=CUTOFF.end, payload={"reason_key": "March"})
    assert judged(settings, asked)[1].passed


def test_a_holdout_of_one_class_is_a_refusal_and_no_crash(settings, upstream, monkeypatch):
    def one_class(frame, part):
        rows = real(frame, part)
        return rows[rows["label"] == 0].reset_index(drop=True)

    real = evaluate.labelled_part
    monkeypatch.setattr(evaluate, "labelled_part", one_class)
    found, decision = judged(settings, upstream)
    assert found.metrics["roc_auc"] is None
    assert found.metrics["brier"] > 0
    assert "no evidence on roc_auc: " in found.problems[0]
    assert not decision.passed
