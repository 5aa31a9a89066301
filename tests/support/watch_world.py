"""A champion and windows to watch it in: generated rows with days that differ, a real model, and faults to plant."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from airloop.config import Pipeline, load_pipeline
from airloop.models import estimators
from airloop.models.model_version import ModelVersion
from airloop.problems import PREDICTION, task_of
from airloop.records import Monitored, Snapshot, Window
from airloop.settings import Settings
from airloop.watch import kept_reference, performance, watch
from airloop.watch.drift import Reference, Sides, measure
from airloop.watch.kept_reference import KeptReference

FEATURES = ("delay", "temp", "wind", "seats", "engines", "carrier")
CATEGORIES = ("carrier",)
START = datetime(2013, 1, 1, tzinfo=UTC)
TRAINING_DAYS, HOLDOUT_DAYS, WINDOW_DAYS = 60, 21, 30
ROWS_A_DAY = 100
NOISE, RISK = "noise", "risk"


@functools.cache
def pipeline() -> Pipeline:
    return load_pipeline("flight_delays", Settings())


def rows(first_day: int, days: int, *, seed: int, rows_a_day: int = ROWS_A_DAY) -> pd.DataFrame:
    """Examples of `days` days; a day has its own weather and its own risk. A label is `risk` > `noise`."""
    draw, count = np.random.default_rng([seed, first_day]), days * rows_a_day
    day = np.repeat(np.arange(days), rows_a_day)
    frame = pd.DataFrame(
        {
            "decision_time": pd.Series(
                [
                    START + timedelta(days=first_day + int(number), minutes=int(at))
                    for number, at in zip(day, range(count), strict=True)
                ],
                dtype="datetime64[us, UTC]",
            ),
            "delay": draw.gamma(1.5, 15, count),
            "temp": draw.normal(0, 5, days)[day] + draw.normal(45, 12, count),
            "wind": draw.gamma(4, 3, count),
            "seats": draw.choice([50.0, 100.0, 150.0, 200.0], count),
            "engines": 2.0,
            "carrier": draw.choice(["AA", "B6", "DL", "EV", "UA"], count),
        }
    )
    risk = 0.05 * (frame["delay"] - 22) + 0.03 * (frame["temp"] - 45) + 0.05 * (frame["wind"] - 12)
    risk += frame["carrier"].map({"AA": -0.5, "B6": 0.3, "DL": -0.4, "EV": 0.6, "UA": 0.0})
    frame[NOISE] = draw.logistic(size=count) - draw.normal(0, 0.3, days)[day]
    frame[RISK] = risk - 1.4
    frame["label"] = (frame[RISK] > frame[NOISE]).astype("float64")
    frame.loc[draw.uniform(size=count) < 0.03, "label"] = np.nan
    return frame


@dataclass(frozen=True)
class Watched:
    """A champion in its own world."""

    champion: ModelVersion
    frozen: pd.DataFrame
    reference: KeptReference

    def predicted(self, frame: pd.DataFrame) -> pd.DataFrame:
        scores = task_of(pipeline()).predict(self.champion.model, frame[list(FEATURES)])
        return frame.assign(**{PREDICTION: scores})

    def window(self, number: int, *, seed: int = 1, rows_a_day: int = ROWS_A_DAY) -> pd.DataFrame:
        """The examples of a window after the holdout."""
        first = TRAINING_DAYS + HOLDOUT_DAYS + number * WINDOW_DAYS
        return rows(first, WINDOW_DAYS, seed=seed, rows_a_day=rows_a_day)

    def monitored(self, frame: pd.DataFrame, *, number: int = 0, past: Sequence[Monitored] = ()) -> Monitored:
        """The record of a window whose rows are predicted as they are given; labels as they are given."""
        scored = self.predicted(frame)
        judged = scored.dropna(subset=["label", PREDICTION])
        then = Reference(self.reference.counts.columns, self.champion.holdout_predictions[PREDICTION])
        now = Sides(scored[list(FEATURES)], scored[PREDICTION])
        measured = measure(then, now, ignore=(), threshold=pipeline().monitoring.psi_threshold)
        measured_window = replace(
            blank(number, version=self.champion.version),
            labelled_rows=len(judged),
            live=performance.live(pipeline(), judged),
            calibration_gap=performance.calibration_gap(pipeline(), judged),
            prediction_psi=measured.prediction.score,
            quality={"unlabelled_scored_share": float(scored["label"].isna().mean())},
        )
        watched = watch.WatchedRows(self.champion, scored, self.reference, measured, CATEGORIES)
        noticed = watch.alarms(pipeline(), measured_window, watched, past)
        return replace(measured_window, alarms=noticed)


def blank(number: int, *, version: int = 1) -> Monitored:
    """The record of the window of that number, with nothing measured."""
    first = START + timedelta(days=TRAINING_DAYS + HOLDOUT_DAYS + number * WINDOW_DAYS)
    window = Window(first, first + timedelta(days=WINDOW_DAYS))
    return Monitored(
        window=window,
        rows_window=window,
        model_name="flight_delays",
        version=version,
        labelled_rows=0,
        live={},
        probe=(),
        drifted_share=None,
        drifted_features=(),
        prediction_psi=None,
        calibration_gap=None,
        quality={},
        origin="live",
        report_uri="",
        metrics_uri="",
    )


def _snapshot(frozen: pd.DataFrame) -> Snapshot:
    split = START + timedelta(days=TRAINING_DAYS)
    end = split + timedelta(days=HOLDOUT_DAYS)
    parts = frozen["part"].value_counts()
    return Snapshot(
        pipeline=pipeline().name,
        cutoff=end,
        train=Window(START, split),
        holdout=Window(split, end),
        uri="",
        digest="",
        train_rows=int(parts["train"]),
        holdout_rows=int(parts["holdout"]),
        unlabelled_rows=int(frozen["label"].isna().sum()),
        features=FEATURES,
        feature_service="",
        feature_fingerprint="",
        table_versions={},
        leak_checked=(),
        reason="hand",
        reason_key="",
    )


@functools.cache
def watched() -> Watched:
    """A boosted model of 60 days, its holdout the 21 days after."""
    frozen = rows(0, TRAINING_DAYS + HOLDOUT_DAYS, seed=1)
    holds_out = frozen["decision_time"] >= START + timedelta(days=TRAINING_DAYS)
    frozen = frozen.assign(part=np.where(holds_out, "holdout", "train"))
    known = frozen[~holds_out].dropna(subset=["label"])
    model = estimators.fitted_model(pipeline(), "logistic_regression", {"C": 1.0}, known, FEATURES)
    held_out = frozen[holds_out]
    predicted = task_of(pipeline()).predict(model, held_out[list(FEATURES)])
    predictions = held_out[["decision_time", "label"]].assign(**{PREDICTION: predicted})
    champion = ModelVersion(
        version=1,
        model=model,
        features=FEATURES,
        candidate="logistic_regression",
        params={},
        snapshot=_snapshot(frozen),
        read_holdout_predictions=lambda: predictions,
    )
    kept = kept_reference.content(pipeline(), champion, frozen, CATEGORIES)
    return Watched(champion, frozen, kept_reference.opened(kept))
