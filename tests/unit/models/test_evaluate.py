"""evaluate: two models on the same rows neither has seen, by the metrics of the task."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sklearn_metrics
from tests.support import toy
from tests.support.toy_turned import CUTOFF, NEW, OLD, judged, put_in_force, registered, trained

from airloop.deployment import Deployment
from airloop.errors import UpstreamUnavailable
from airloop.models import evaluate, model_version, training_set
from airloop.models.metric_values import metric_values
from airloop.problems.binary import Binary
from airloop.stores import frames, ledger


@pytest.fixture
def settings(turned_ledger):
    return turned_ledger


@pytest.fixture
def upstream(upstream_of_candidate):
    return upstream_of_candidate


def test_metrics_equal_those_of_scikit_learn_on_the_holdout(turned, upstream):
    found, _ = judged(turned, upstream)
    rows = training_set.labelled_part(training_set.read_snapshot(upstream["snapshot"], turned), "holdout")
    assert found.holdout_rows == len(rows) == 15 * toy.ROWS_A_DAY
    for version, values in ((2, found.metrics), (1, found.champion_metrics)):
        loaded = model_version.load_version(toy.toy_pipeline(turned), version, turned)
        said = loaded.model.predict_proba(rows[list(loaded.features)])[:, 1]
        expected = {
            "roc_auc": sklearn_metrics.roc_auc_score(rows["label"], said),
            "brier": sklearn_metrics.brier_score_loss(rows["label"], said),
            "average_precision": sklearn_metrics.average_precision_score(rows["label"], said),
            "log_loss": sklearn_metrics.log_loss(rows["label"], said),
            "calibration_gap": said.mean() - rows["label"].mean(),
            "label_rate": rows["label"].mean(),
        }
        assert values == pytest.approx(expected, rel=1e-12)
    by_metric = {item.metric: item for item in found.evidence}
    assert by_metric["brier"].gain == pytest.approx(found.champion_metrics["brier"] - found.metrics["brier"])
    assert by_metric["roc_auc"].gain == pytest.approx(found.metrics["roc_auc"] - found.champion_metrics["roc_auc"])
    assert {(item.rows, item.blocks) for item in found.evidence} == {(len(rows), 15)}


def test_a_candidate_that_learned_the_new_world_passes(turned, upstream):
    found, decision = judged(turned, upstream)
    assert (found.version, found.champion_version, found.problems) == (2, 1, ())
    assert decision.passed
    assert decision.why.startswith("passed: gain in Brier 0.")


def test_a_stale_model_is_refused_for_its_score(settings, upstream):
    put_in_force(settings, 2, NEW)
    found, decision = judged(settings, {**upstream, **trained(settings, OLD)})
    assert (found.version, found.champion_version, found.problems) == (1, 2, ())
    assert not decision.passed
    assert "refused: gain in Brier -0." in decision.why


def test_an_equal_candidate_is_refused(settings, upstream):
    put_in_force(settings, registered(settings, "twin"), NEW)
    found, decision = judged(settings, {**upstream, **trained(settings, OLD)})
    assert {item.gain for item in found.evidence} == {0.0}
    assert "the candidate scores as the champion does" in decision.why


def test_shuffled_labels_are_refused_by_the_floors(toy_settings):
    toy.land(toy_settings, days=range(45), shuffled=True)
    toy.run_data(toy_settings, toy.days(0, 45))
    decision = toy.run_training(toy_settings, 45)
    assert decision.outcome == "refused"
    assert "refused: ROC-AUC 0." in decision.why
    assert "must be at least 0.7000" in decision.why


def test_judging_again_after_the_promotion_judges_the_same(settings, upstream):
    before, _ = judged(settings, upstream)
    put_in_force(settings, 2, NEW)
    assert ledger.champion_at(settings, "toy", CUTOFF.end) == 2
    after, decision = judged(settings, upstream)
    assert after == before
    assert after.champion_version == 1
    assert decision.passed
    pipeline = toy.toy_pipeline(settings)
    assert evaluate.inputs(Deployment(pipeline, settings), CUTOFF, **upstream) == evaluate.Standing(1, 0)
    history = ledger.history(settings, "toy")
    assert evaluate.incumbent(history, toy.days(0, OLD), version=1) is None


def test_a_champion_of_later_is_not_the_incumbent(settings, upstream):
    put_in_force(settings, registered(settings, "later"), NEW + 1)
    assert judged(settings, upstream)[0].champion_version == 1


def test_metrics_of_too_few_rows_are_missing():
    labels, said = pd.Series([0.0, 1.0] * 5), np.linspace(0.1, 0.9, 10)
    found = metric_values(Binary(), labels, said)
    assert (found["roc_auc"], found["brier"]) == (None, None)
    assert found["label_rate"] == 0.5


def test_holdout_predictions_are_read_when_they_are_asked_for_and_not_before(turned, upstream, monkeypatch):
    def silent(uri, _settings):
        raise UpstreamUnavailable(f"{uri} cannot be read")

    judged(turned, upstream)
    monkeypatch.setattr(frames, "read", silent)
    loaded = model_version.load_version(toy.toy_pipeline(turned), 2, turned)
    with pytest.raises(UpstreamUnavailable, match=r"holdout-v2\.parquet cannot be read"):
        loaded.holdout_predictions  # noqa: B018


def test_holdout_predictions_are_kept_with_the_version(turned, upstream):
    judged(turned, upstream)
    kept = model_version.load_version(toy.toy_pipeline(turned), 2, turned).holdout_predictions
    assert list(kept.columns) == ["job", "decision_time", "label", "prediction"]
    rows = training_set.labelled_part(training_set.read_snapshot(upstream["snapshot"], turned), "holdout")
    assert kept["job"].tolist() == rows["job"].tolist()
