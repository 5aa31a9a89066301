"""monitor: which rows are judged, by whose predictions, and what the probe may learn from."""

import dataclasses
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import toy

from airloop import evidence, examples, feature_store, lake, ledger, models, monitor, tracking
from airloop.config import Pipeline
from airloop.errors import DataContractError, GuardRefused
from airloop.records import Monitored, Snapshot, Window
from airloop.settings import Settings

FEATURES = ("machine_code", "job_size", "celsius")
WINDOW = toy.days(30, 50)
VERSION = 3


def world(*, turned: bool = False) -> pd.DataFrame:
    """Examples of 62 days, one every half hour; the hot fail, from day 15 on the cold if the world has turned."""
    count = 62 * 48
    draw = np.random.default_rng(5)
    instants = [toy.START + timedelta(minutes=30 * number) for number in range(count)]
    celsius, size = draw.normal(50, 15, count), draw.integers(0, 100, count).astype(float)
    risk = (celsius - 50) / 8
    if turned:
        risk = np.where(np.arange(count) >= 15 * 48, -risk, risk)
    return pd.DataFrame(
        {
            "job": [f"j{number}" for number in range(count)],
            "decision_time": pd.Series(instants, dtype="datetime64[us, UTC]"),
            "machine_code": draw.choice(["a", "b"], count),
            "job_size": size,
            "celsius": celsius,
            "label": (draw.uniform(size=count) < 1 / (1 + np.exp(-risk))).astype(float),
        }
    )


@dataclasses.dataclass
class Stand:
    """Everything monitor reads: real tables, models and evidence; examples and registry are given."""

    pipeline: Pipeline
    settings: Settings
    rows: pd.DataFrame
    asked: list[tuple[Window, datetime | None]] = dataclasses.field(default_factory=list)
    model: Any = None

    def feature_frame(
        self, _pipeline: Pipeline, window: Window, _settings: Settings, *, as_of: datetime | None = None
    ) -> pd.DataFrame:
        self.asked.append((window, as_of))
        inside = self.rows["decision_time"].between(window.start, window.end, inclusive="left")
        return self.rows[inside].reset_index(drop=True)

    def champion(self) -> tracking.LoadedVersion:
        """Trained on days 0-15, judged on days 15-25."""
        day = (self.rows["decision_time"] - toy.START).dt.days
        frozen = self.rows[day < 25].assign(part=np.where(day[day < 25] < 15, "train", "holdout"))
        uri = str(self.settings.home / "snapshot.parquet")
        tracking.write_parquet(frozen, uri, self.settings)
        train, holdout = frozen[frozen["part"] == "train"], frozen[frozen["part"] == "holdout"]
        if self.model is None:
            self.model = models.new_model(self.pipeline, "logistic_regression", {"C": 1.0}, train, FEATURES)
            known = train.dropna(subset=["label"])
            self.model.fit(known[list(FEATURES)], known["label"])
        predicted = self.model.predict_proba(holdout[list(FEATURES)])[:, 1]
        snapshot = Snapshot(
            pipeline="toy",
            cutoff=toy.days(0, 26).end,
            train=toy.days(0, 15),
            holdout=toy.days(15, 25),
            uri=uri,
            digest="",
            train_rows=len(train),
            holdout_rows=len(holdout),
            unlabelled_rows=0,
            features=FEATURES,
            feature_service="toy_v1",
            feature_fingerprint="same",
            table_versions={},
            leak_checked=(),
            reason="hand",
            reason_key="",
        )
        return tracking.LoadedVersion(
            version=VERSION,
            model=self.model,
            features=FEATURES,
            candidate="logistic_regression",
            params={"C": 1.0},
            snapshot=snapshot,
            holdout_predictions=holdout[["job", "decision_time", "label"]].assign(probability=predicted),
        )

    def score(self, window: Window, *, version: int = VERSION, role: str = "champion", mode: str = "live") -> None:
        """Append predictions of the champion's model for the window under the given names."""
        rows = self.feature_frame(self.pipeline, window, self.settings)
        predicted = self.champion().model.predict_proba(rows[list(FEATURES)])[:, 1]
        self.append(rows, predicted, version=version, role=role, mode=mode)

    def append(self, rows: pd.DataFrame, predicted: Any, *, version: int, role: str, mode: str) -> None:
        count = len(rows)
        table = pa.table(
            {
                "job": pa.array(rows["job"], pa.string()),
                "decision_time": pa.array(rows["decision_time"], lake.INSTANT),
                "model_version": pa.array([version] * count, pa.int64()),
                "role": pa.array([role] * count, pa.string()),
                "mode": pa.array([mode] * count, pa.string()),
                "probability": pa.array(predicted, pa.float64()),
            }
        )
        uri = lake.table_uri(self.settings, "toy", "predictions", "predictions")
        lake.append(uri, table, self.settings, time_column="decision_time")

    def monitor(self, window: Window = WINDOW, **options: Any) -> Monitored:
        return monitor.monitor(self.pipeline, window, {}, self.settings, **options)


@pytest.fixture
def make(toy_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Stand]:
    def build(rows: pd.DataFrame | None = None, *, champion: int | None = VERSION) -> Stand:
        stand = Stand(toy.toy_pipeline(toy_settings), toy_settings, world() if rows is None else rows)
        seams = {
            (ledger, "champion_at"): lambda _settings, _pipeline, _instant: champion,
            (tracking, "load_version"): lambda _pipeline, _version, _settings: stand.champion(),
            (feature_store, "fingerprint"): lambda _pipeline, _settings: "same",
            (examples, "feature_frame"): stand.feature_frame,
        }
        for (module, name), stand_in in seams.items():
            monkeypatch.setattr(module, name, mock.create_autospec(getattr(module, name), side_effect=stand_in))
        return stand

    return build


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


def test_live_metrics_are_those_of_the_live_predictions_within_their_bounds(make) -> None:
    stand = make()
    stand.score(toy.days(28, 52))
    found = stand.monitor()
    rows = stand.feature_frame(stand.pipeline, toy.days(29, 49), stand.settings)
    predicted = stand.model.predict_proba(rows[list(FEATURES)])[:, 1]
    for metric in ("brier", "roc_auc"):
        assert found.live[metric] == pytest.approx(evidence.metric_value(metric, rows["label"], predicted))
        assert found.live[f"{metric}_lower"] < found.live[metric] < found.live[f"{metric}_upper"]
    assert found.calibration_gap == pytest.approx(predicted.mean() - rows["label"].mean())


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
        stand.append(some, [0.5] * rows, version=VERSION, role="champion", mode="live")
    found = stand.monitor()
    assert found.labelled_rows == rows
    assert set(found.live.values()) == {None}
    assert found.calibration_gap is None
    assert found.drifted_share is not None


def test_labels_of_one_class_make_no_metric(make) -> None:
    stand = make(world().assign(label=0.0))
    stand.model = mock.Mock(predict_proba=lambda rows: np.full((len(rows), 2), 0.5))
    stand.score(toy.days(29, 49))
    found = stand.monitor()
    assert set(found.live.values()) == {None}
    assert found.probe == ()
    assert found.calibration_gap == 0.5


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


def test_a_feature_that_has_gone_is_a_matter_of_quality(make) -> None:
    rows = world()
    rows.loc[rows["decision_time"] >= toy.days(0, 29).end, "celsius"] = np.nan
    rows.loc[rows["decision_time"] >= toy.days(0, 29).end, "job_size"] = 7.0
    stand = make(rows)
    found = stand.monitor()
    assert found.quality["empty_features"] == 1
    assert found.quality["missing_share_max"] == 1.0
    assert json.loads(Path(found.metrics_uri).read_text())["missing_share"]["celsius"] == 1.0


@pytest.mark.parametrize("wrong", [1.5, float("nan")])
def test_a_prediction_that_is_no_probability_is_refused(make, wrong: float) -> None:
    stand = make()
    some = stand.feature_frame(stand.pipeline, toy.days(29, 30), stand.settings).head(1)
    stand.append(some, [wrong], version=VERSION, role="champion", mode="live")
    with pytest.raises(DataContractError, match="no probabilities"):
        stand.monitor()


def test_doubled_predictions_are_refused(make) -> None:
    stand = make()
    stand.score(toy.days(29, 30))
    stand.score(toy.days(29, 30))
    with pytest.raises(DataContractError, match="doubled"):
        stand.monitor()


def test_features_that_mean_something_else_now_are_refused(make, monkeypatch: pytest.MonkeyPatch) -> None:
    stand = make()
    monkeypatch.setattr(feature_store, "fingerprint", lambda _pipeline, _settings: "other")
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

    def reads() -> dict[str, Any]:
        return monitor.inputs(stand.pipeline, WINDOW, {}, stand.settings)

    before = reads()
    assert reads() == before
    stand.score(toy.days(60, 61))
    assert reads() == before
    stand.score(toy.days(40, 41))
    after = reads()
    assert after != before
    monkeypatch.setattr(ledger, "champion_at", lambda _settings, _pipeline, _instant: VERSION + 1)
    assert reads() != after
