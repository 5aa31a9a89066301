"""monitor: which rows are judged, by whose predictions, what is refused, and what its record and reports say."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support import toy
from tests.support.monitor_stand import VERSION, WINDOW, world

from airloop.deployment import Deployment
from airloop.errors import ConfigError, DataContractError, GuardRefused
from airloop.features import feature_store
from airloop.problems import task_of
from airloop.records import Monitored
from airloop.stores import ledger
from airloop.watch import monitor, monitor_report


def test_without_a_champion_nothing_is_judged_and_the_reports_say_so(make) -> None:
    found = make(champion=None).monitor()
    assert (found.version, found.labelled_rows, found.probe, found.drifted_share) == (0, 0, (), None)
    assert set(found.live.values()) == set(found.quality.values()) == {None}
    assert "no champion was in force" in Path(found.report_uri).read_text()
    assert json.loads(Path(found.metrics_uri).read_text())["version"] == 0


def test_rows_are_judged_once_their_labels_have_matured(make) -> None:
    stand = make()
    stand.score(toy.days(28, 52))
    stand.asked.clear()
    found = stand.monitor()
    assert found.rows_window == toy.days(29, 49)
    assert stand.asked[0] == (toy.days(29, 49), WINDOW.end)
    assert found.labelled_rows == 20 * 48


@pytest.mark.parametrize("other", [{"mode": "backtest"}, {"role": "challenger"}, {"version": VERSION - 1}])
def test_only_live_predictions_of_the_champion_in_force_count(make, other: dict[str, Any]) -> None:
    stand = make()
    stand.score(toy.days(29, 44))
    stand.score(toy.days(44, 49), **other)
    assert stand.monitor().labelled_rows == 15 * 48


def test_rows_the_champion_before_scored_are_counted_and_left_out(make) -> None:
    stand = make()
    stand.score(toy.days(29, 30), version=VERSION - 1)
    stand.score(toy.days(30, 48))
    found = stand.monitor()
    assert found.quality["other_champion_rows"] == 48
    assert found.quality["unscored_rows"] == 48
    assert found.labelled_rows == 18 * 48


def test_a_row_without_a_label_is_never_a_zero(make) -> None:
    rows = world()
    rows.loc[rows.index % 4 == 0, "label"] = np.nan
    stand = make(rows)
    stand.score(toy.days(29, 49))
    found = stand.monitor()
    assert found.labelled_rows == 15 * 48
    assert found.quality["unlabelled_share"] == 0.25
    assert abs(found.calibration_gap) < 0.05


def test_a_shifted_feature_is_named_with_the_share_it_makes(make) -> None:
    rows = world()
    late = rows["decision_time"] >= toy.days(0, 29).end
    rows.loc[late, "job_size"] += 200
    stand = make(rows)
    stand.score(toy.days(29, 49))
    found = stand.monitor()
    assert found.drifted_features == ("job_size",)
    assert found.drifted_share == pytest.approx(1 / 3)
    metrics = json.loads(Path(found.metrics_uri).read_text())
    assert metrics["psi"]["job_size"] > 1 > metrics["psi"]["celsius"]


def test_a_feature_whose_drift_is_expected_does_not_count_and_an_unknown_one_is_refused(make) -> None:
    rows = world()
    rows.loc[rows["decision_time"] >= toy.days(0, 29).end, "job_size"] += 200
    stand = make(rows)
    stand.score(toy.days(29, 49))
    declared = stand.pipeline
    ignores = declared.features.model_copy(update={"ignore_drift": ("job_size",)})
    stand.pipeline = declared.model_copy(update={"features": ignores})
    found = stand.monitor()
    assert (found.drifted_features, found.drifted_share) == ((), 0.0)
    ignores = declared.features.model_copy(update={"ignore_drift": ("job_sise",)})
    stand.pipeline = declared.model_copy(update={"features": ignores})
    with pytest.raises(ConfigError, match=r"ignore_drift names 'job_sise'.*did you mean 'job_size'"):
        stand.monitor()


def test_a_feature_that_has_gone_is_a_matter_of_quality(make) -> None:
    rows = world()
    rows.loc[rows["decision_time"] >= toy.days(0, 29).end, "celsius"] = np.nan
    rows.loc[rows["decision_time"] >= toy.days(0, 29).end, "job_size"] = 7.0
    stand = make(rows)
    found = stand.monitor()
    assert found.quality["empty_features"] == 1
    assert found.quality["missing_share_max"] == 1.0
    assert json.loads(Path(found.metrics_uri).read_text())["missing_share"]["celsius"] == 1.0


def test_an_alarm_stands_in_the_record_and_on_top_of_the_report_and_none_where_nothing_is_wrong(make) -> None:
    rows = world()
    hidden = (rows["decision_time"] >= toy.days(0, 29).end) & (rows.index % 3 == 0)
    rows.loc[hidden, "celsius"] = np.nan
    stand = make(rows)
    stand.score(toy.days(29, 49))
    found = stand.monitor()
    assert (found.alarms[0].kind, found.alarms[0].subject) == ("missing_values", "celsius")
    assert Monitored.from_json(found.to_json()) == found
    assert "ALARM: missing values of celsius" in Path(found.report_uri).read_text()
    task = task_of(stand.pipeline)
    assert next(iter(monitor_report.headline(found, task))) == "ALARM: missing values of celsius"
    assert json.loads(Path(found.metrics_uri).read_text())["alarms"][0]["kind"] == "missing_values"


def test_a_window_as_before_raises_no_alarm(make) -> None:
    stand = make()
    stand.score(toy.days(29, 49))
    found = stand.monitor()
    assert found.alarms == ()
    assert "ALARM" not in Path(found.report_uri).read_text()


@pytest.mark.parametrize("wrong", [1.5, float("nan")])
def test_a_prediction_that_is_no_probability_is_refused(make, wrong: float) -> None:
    stand = make()
    some = stand.feature_frame(stand.pipeline, toy.days(29, 30), stand.settings).head(1)
    stand.append(some, [wrong])
    with pytest.raises(DataContractError, match="1 of 1 probabilities are missing or outside"):
        stand.monitor()


@pytest.mark.parametrize(
    ("kind", "wrong", "says"),
    [
        ("regression", float("nan"), "1 of 1 predictions are missing or not finite"),
        ("regression", float("inf"), "1 of 1 predictions are missing or not finite"),
        ("multiclass", [0.2, 0.3, 0.4], "1 of 1 rows hold a probability that is missing or outside"),
        ("multiclass", [0.5, 0.5, None], "1 of 1 rows hold a probability that is missing or outside"),
        ("multiclass", [1.5, -0.5, 0.0], "1 of 1 rows hold a probability that is missing or outside"),
        ("multiclass", [0.5, 0.5], "a stored prediction is not a list of 3 probabilities"),
    ],
)
def test_a_prediction_that_does_not_fit_its_task_is_refused(make, kind: str, wrong: Any, says: str) -> None:
    stand = make(kind=kind)
    some = stand.feature_frame(stand.pipeline, toy.days(29, 30), stand.settings).head(1)
    stand.append(some, [wrong])
    with pytest.raises(DataContractError, match=says):
        stand.monitor()


@pytest.mark.parametrize(
    ("kind", "titles"),
    [
        ("regression", ["mean of prediction - label", "live MAE", "live RMSE", "gain of the probe, MAE"]),
        ("multiclass", ["mean confidence - accuracy", "live log loss", "live accuracy", "gain of the probe, log loss"]),
    ],
)
def test_reports_of_other_tasks_name_their_metrics(make, kind: str, titles: list[str]) -> None:
    stand = make(kind=kind)
    stand.score(toy.days(29, 49))
    found = stand.monitor()
    page = Path(found.report_uri).read_text()
    assert [title for title in titles if title not in page] == []
    assert found.prediction_psi is not None
    assert found.prediction_psi < 0.1
    assert "live ROC-AUC" not in page


def test_a_shift_of_the_predicted_classes_is_seen(make) -> None:
    stand = make(kind="multiclass")
    rows = stand.feature_frame(stand.pipeline, toy.days(29, 49), stand.settings)
    stand.append(rows, [[0.8, 0.1, 0.1]] * len(rows))
    assert stand.monitor().prediction_psi > 1


def test_doubled_predictions_are_refused(make) -> None:
    stand = make()
    stand.score(toy.days(29, 30))
    stand.score(toy.days(29, 30))
    with pytest.raises(DataContractError, match="doubled"):
        stand.monitor()


def test_features_that_mean_something_else_now_are_refused(make, monkeypatch: pytest.MonkeyPatch) -> None:
    stand = make()
    monkeypatch.setattr(feature_store, "fingerprint_like", lambda _stored, _pipeline, _settings: "other")
    with pytest.raises(GuardRefused, match="toy_v1"):
        stand.monitor()


def test_the_origin_and_the_reports_of_a_window_are_in_its_record(make) -> None:
    stand = make()
    stand.score(toy.days(29, 49))
    found = stand.monitor(origin="backfill")
    assert found.origin == "backfill"
    assert Monitored.from_json(found.to_json()) == found
    assert found.report_uri.endswith("/toy/monitoring/20200131T000000Z_20200220T000000Z.html")
    assert "Data Drift Summary" in Path(found.report_uri).read_text()
    assert stand.monitor(origin="backfill") == found


def test_a_run_depends_on_its_champion_and_on_predictions_made_for_its_rows(make, monkeypatch) -> None:
    stand = make()
    stand.score(toy.days(29, 40))

    def reads() -> monitor.LookReads:
        return monitor.inputs(Deployment(stand.pipeline, stand.settings), WINDOW)

    before = reads()
    assert reads() == before
    stand.score(toy.days(60, 61))
    assert reads() == before
    stand.score(toy.days(40, 41))
    after = reads()
    assert after != before
    monkeypatch.setattr(ledger, "champion_at", lambda _settings, _pipeline, _instant: VERSION + 1)
    assert reads() != after
