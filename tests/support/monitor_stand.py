"""A stand for monitor: generated rows, a champion fitted on some of them, and the predictions it made of others."""

import dataclasses
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from deltalake import write_deltalake
from tests.support import toy, toy_tasks
from tests.support.run_plainly import run_plainly

from airloop.config import Pipeline
from airloop.deployment import Deployment
from airloop.features import examples, feature_store, validated
from airloop.models import estimators, model_version
from airloop.models.model_version import loading
from airloop.problems import task_of
from airloop.records import Monitored, Snapshot, Window
from airloop.settings import Settings
from airloop.stores import frames, lake, ledger
from airloop.watch import monitor

FEATURES = ("machine_code", "job_size", "celsius")
WINDOW = toy.days(30, 50)
VERSION = 3


def world(kind: str = "binary", *, turned: bool = False) -> pd.DataFrame:
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
            "label": _labels(kind, risk, draw),
        }
    )


def _labels(kind: str, risk: Any, draw: np.random.Generator) -> Any:
    drawn = draw.uniform(size=risk.size)
    noisy = risk - np.log(drawn / (1 - drawn))
    kinds = {"binary": noisy > 0, "regression": 30 + 4 * noisy, "multiclass": np.digitize(noisy, (-1, 1))}
    return kinds[kind].astype(float)


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

    def champion(self) -> model_version.ModelVersion:
        """Trained on days 0-15, judged on days 15-25."""
        day = (self.rows["decision_time"] - toy.START).dt.days
        frozen = self.rows[day < 25].assign(part=np.where(day[day < 25] < 15, "train", "holdout"))
        uri = str(self.settings.home / "snapshot.parquet")
        frames.write(frozen, uri, self.settings)
        train, holdout = frozen[frozen["part"] == "train"], frozen[frozen["part"] == "holdout"]
        candidate = next(iter(self.pipeline.training.candidates))
        if self.model is None:
            known = train.dropna(subset=["label"])
            self.model = estimators.fitted_model(self.pipeline, candidate, {}, known, FEATURES)
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
        held_out = holdout[["job", "decision_time", "label"]].assign(prediction=list(self.predict(holdout)))
        return model_version.ModelVersion(VERSION, self.model, FEATURES, candidate, {}, snapshot, lambda: held_out)

    def predict(self, rows: pd.DataFrame) -> Any:
        return task_of(self.pipeline).predict(self.model, rows[list(FEATURES)])

    def score(self, window: Window, *, version: int = VERSION, role: str = "champion", mode: str = "live") -> None:
        """Append predictions of the champion's model for the window under the given names."""
        self.champion()
        rows = self.feature_frame(self.pipeline, window, self.settings)
        self.append(rows, list(self.predict(rows)), version=version, role=role, mode=mode)

    def append(
        self,
        rows: pd.DataFrame,
        predicted: list[Any],
        *,
        version: int = VERSION,
        role: str = "champion",
        mode: str = "live",
    ) -> None:
        count = len(rows)
        table = pa.table(
            {
                "job": pa.array(rows["job"], pa.string()),
                "decision_time": pa.array(rows["decision_time"], lake.INSTANT),
                "model_version": pa.array([version] * count, pa.int64()),
                "role": pa.array([role] * count, pa.string()),
                "mode": pa.array([mode] * count, pa.string()),
                "prediction": pa.array(predicted, task_of(self.pipeline).column_type),
            }
        )
        uri = lake.table_uri(self.settings, "toy", "predictions", "predictions")
        # As they stand, doubled ones too.
        write_deltalake(uri, lake.with_month(table, "decision_time"), mode="append", partition_by=[lake.PARTITION])

    def monitor(self, window: Window = WINDOW, **options: Any) -> Monitored:
        return run_plainly(monitor.monitor, Deployment(self.pipeline, self.settings), window, **options)


def build(settings: Settings, monkeypatch: pytest.MonkeyPatch, rows: pd.DataFrame, *, champion: int | None) -> Stand:
    """A stand over the settings' toy; `champion` is the version in force."""
    stand = Stand(toy.toy_pipeline(settings), settings, rows)
    seams = {
        (ledger, "champion_at"): lambda _settings, _pipeline, _instant: champion,
        (model_version, "load_version"): lambda _pipeline, _version, _settings: stand.champion(),
        (loading, "load_version"): lambda _pipeline, _version, _settings: stand.champion(),
        (feature_store, "fingerprint_like"): lambda _stored, _pipeline, _settings: "same",
        (examples, "feature_frame"): stand.feature_frame,
        (validated, "require"): lambda _pipeline, _span, _settings: None,
    }
    for (module, name), stand_in in seams.items():
        monkeypatch.setattr(module, name, mock.create_autospec(getattr(module, name), side_effect=stand_in))
    return stand


LINEAR = {
    "regression": 'ridge: {estimator: "sklearn.linear_model:Ridge", encoder: one_hot}',
    "multiclass": 'logistic: {estimator: "sklearn.linear_model:LogisticRegression", encoder: one_hot, '
    "params: {max_iter: 200}}",
}
"""The world of the stand is linear: a refit of few rows then gains nothing by luck."""


def project(root: Any, repository: Any, kind: str) -> Settings:
    """A checkout of the toy with this task."""
    if kind == "binary":
        return toy.write_project(root, repository)
    return toy_tasks.write_project(root, repository, kind, LINEAR.get(kind, ""))
