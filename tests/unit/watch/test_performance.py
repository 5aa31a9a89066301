"""Performance: live metrics within their bounds, and what the probe may learn from and gains."""

from typing import Any

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from tests.support import toy
from tests.support.monitor_stand import WINDOW, world

from airloop.config import metrics_of
from airloop.errors import DataContractError
from airloop.models import evidence
from airloop.records import Window


def test_live_metrics_are_those_of_the_live_predictions_within_their_bounds(make) -> None:
    stand = make()
    stand.score(toy.days(28, 52))
    found = stand.monitor()
    rows = stand.feature_frame(stand.pipeline, toy.days(29, 49), stand.settings)
    predicted = stand.predict(rows)
    for metric in ("brier", "roc_auc"):
        assert found.live[metric] == pytest.approx(evidence.metric_value(metric, rows["label"], predicted))
        assert found.live[f"{metric}_lower"] < found.live[metric] < found.live[f"{metric}_upper"]
    assert found.calibration_gap == pytest.approx(predicted.mean() - rows["label"].mean())
    assert found.classes == ("0", "1")
    said = predicted >= 0.5
    assert found.confusion == tuple(
        tuple(int(((rows["label"] == label) & (said == bool(other))).sum()) for other in (0, 1)) for label in (0, 1)
    )


def test_the_probe_gains_surely_when_the_world_has_turned(make) -> None:
    stand = make(world(turned=True))
    stand.score(toy.days(39, 59))
    probe = {item.metric: item for item in stand.monitor(toy.days(40, 60)).probe}
    assert probe["brier"].lower > 0
    assert probe["roc_auc"].lower > 0
    assert probe["brier"].rows == 20 * 48
    assert probe["brier"].blocks == 20
    assert probe["brier"].confidence == stand.pipeline.monitoring.policy.confidence


def test_the_probe_gains_nothing_sure_when_the_world_has_not(make) -> None:
    stand = make()
    stand.score(toy.days(29, 49))
    assert all(item.lower <= 0 < item.rows for item in stand.monitor().probe)


def test_the_probe_learns_only_from_labels_of_before_the_window_and_from_no_judged_row(make) -> None:
    stand = make()
    stand.score(toy.days(29, 49))
    stand.asked.clear()
    assert stand.monitor().probe
    assert stand.asked == [(toy.days(29, 49), WINDOW.end), (toy.days(0, 29), WINDOW.start)]


@pytest.mark.parametrize(
    ("scored", "policy", "training"),
    [
        pytest.param(toy.days(29, 42), {}, {}, id="13 days"),
        pytest.param(toy.days(29, 49), {"min_rows": 961}, {}, id="960 rows"),
        pytest.param(toy.days(29, 49), {}, {"min_train_rows": 29 * 48 + 1}, id="too few rows to learn from"),
    ],
)
def test_too_little_data_makes_no_probe(make, scored: Window, policy: dict[str, Any], training: dict[str, Any]) -> None:
    stand = make()
    pipeline = stand.pipeline
    watch = pipeline.monitoring.model_copy(update={"policy": pipeline.monitoring.policy.model_copy(update=policy)})
    limits = {"monitoring": watch, "training": pipeline.training.model_copy(update=training)}
    stand.pipeline = pipeline.model_copy(update=limits)
    stand.score(scored)
    found = stand.monitor()
    assert found.probe == ()
    assert found.live["brier"] is not None


def test_too_few_days_for_an_interval_leave_the_bounds_empty(make) -> None:
    stand = make()
    stand.score(toy.days(29, 42))
    live = stand.monitor().live
    assert live["roc_auc"] is not None
    assert live["roc_auc_lower"] is live["roc_auc_upper"] is None


def test_failures_on_too_few_days_make_no_interval_and_no_probe(make) -> None:
    rows = world()
    day = (rows["decision_time"] - toy.START).dt.days
    rows.loc[(day >= 29) & ~day.isin([30, 33, 36, 39]), "label"] = 0.0
    stand = make(rows)
    stand.score(toy.days(29, 49))
    found = stand.monitor()
    assert found.live["roc_auc"] is not None
    assert found.live["roc_auc_lower"] is None
    assert found.probe == ()


@pytest.mark.parametrize("rows", [29, 0])
def test_a_handful_of_rows_makes_no_metric(make, rows: int) -> None:
    stand = make()
    some = stand.feature_frame(stand.pipeline, toy.days(29, 49), stand.settings).head(rows)
    if rows:
        stand.append(some, [0.5] * rows)
    found = stand.monitor()
    assert found.labelled_rows == rows
    assert set(found.live.values()) == {None}
    assert found.calibration_gap is None
    assert found.drifted_share is not None


def test_labels_of_one_class_make_no_metric(make) -> None:
    stand = make(world().assign(label=0.0))
    rows = stand.feature_frame(stand.pipeline, toy.days(29, 49), stand.settings)
    stand.model = DummyClassifier(strategy="uniform").fit(rows, [0.0, 1.0] * (len(rows) // 2))
    stand.score(toy.days(29, 49))
    found = stand.monitor()
    assert set(found.live.values()) == {None}
    assert found.probe == ()
    assert found.calibration_gap == 0.5


def mean_gap(labels, predicted) -> float:
    return (predicted - labels).mean()


def confidence_gap(labels, predicted) -> float:
    return predicted.max(axis=1).mean() - (predicted.argmax(axis=1) == labels).mean()


@pytest.mark.parametrize(("kind", "gap"), [("regression", mean_gap), ("multiclass", confidence_gap)])
def test_live_metrics_of_other_tasks_lie_within_their_bounds(make, kind: str, gap) -> None:
    stand = make(kind=kind)
    stand.score(toy.days(28, 52))
    found = stand.monitor()
    rows = stand.feature_frame(stand.pipeline, toy.days(29, 49), stand.settings)
    predicted = stand.predict(rows)
    assert set(found.live) == {f"{name}{end}" for name in metrics_of(kind) for end in ("", "_lower", "_upper")}
    for metric in metrics_of(kind):
        assert found.live[metric] == pytest.approx(evidence.metric_value(metric, rows["label"], predicted))
        assert found.live[f"{metric}_lower"] < found.live[metric] < found.live[f"{metric}_upper"]
    assert found.calibration_gap == pytest.approx(gap(rows["label"].to_numpy(), predicted))


@pytest.mark.parametrize("kind", ["regression", "multiclass"])
@pytest.mark.parametrize("turned", [True, False])
def test_the_probe_of_other_tasks_gains_surely_only_when_the_world_has_turned(make, kind: str, turned: bool) -> None:
    stand = make(world(kind, turned=turned), kind=kind)
    stand.score(toy.days(39, 59))
    probe = stand.monitor(toy.days(40, 60)).probe
    assert [item.metric for item in probe] == list(metrics_of(kind))
    assert [item.lower > 0.01 * item.champion for item in probe] == [turned, turned]
    assert {(item.rows, item.blocks) for item in probe} == {(20 * 48, 20)}


def test_a_class_that_is_rare_keeps_no_multiclass_metric_from_being_measured(make) -> None:
    rows = world("multiclass")
    day = (rows["decision_time"] - toy.START).dt.days
    rows.loc[(day >= 29) & (rows["label"] == 2), "label"] = 1.0
    stand = make(rows, kind="multiclass")
    stand.score(toy.days(29, 49))
    found = stand.monitor()
    assert None not in found.live.values()
    assert len(found.probe) == 2


@pytest.mark.parametrize(("kind", "label", "says"), [("regression", np.inf, "like inf"), ("multiclass", 3.0, "like 3")])
def test_labels_that_do_not_fit_the_task_are_refused(make, kind: str, label: float, says: str) -> None:
    rows = world(kind)
    rows.loc[rows["decision_time"] == toy.days(0, 35).end, "label"] = label
    stand = make(rows, kind=kind)
    stand.champion()
    stand.score(toy.days(29, 49))
    with pytest.raises(DataContractError, match=says):
        stand.monitor()
