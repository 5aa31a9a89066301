"""What comparing a window with a champion costs that has learned from two million rows, and from a hundred thousand."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from airloop.config import Pipeline, load_pipeline
from airloop.errors import DataContractError
from airloop.models.model_version import ModelVersion
from airloop.records import Snapshot, Window
from airloop.settings import Settings, load_settings
from airloop.stores import frames
from airloop.watch import drift, kept_reference
from airloop.watch.drift import Drift, Reference, Sides
from benchmarks.row import Row, Trial, interleaved
from benchmarks.session import Session

NAME = "drift from a champion of 2,000,000 training rows / of 100,000"
# 28 where a look read the snapshot.
BOUND = 1.5
UNIT = "s"

MANY, FEW, WINDOW_ROWS, COLUMNS = 2_000_000, 100_000, 30_000, 15
FEATURES = (*(f"x{number:02}" for number in range(COLUMNS)), "city")
CITIES = ("city",)
_DAYS = 180
_NO_PREDICTIONS = pd.Series(dtype="float64")


@dataclass(frozen=True)
class Watched:
    """A champion with its snapshot in a lake, and a window's rows, of which the first feature has moved."""

    pipeline: Pipeline
    settings: Settings
    champion: ModelVersion
    now: Sides


def measure(session: Session) -> Row:
    """A look of monitoring: the reference read, every feature compared. The first look, which makes it, is not timed.

    Raises:
        DataContractError: Something else has drifted than the feature that has moved.
    """
    sides = []
    for rows in (MANY, FEW):
        session.say(f"a champion of {rows:,} rows")
        watched = world(session.folder("reference_age"), rows)
        look(watched)
        sides.append(watched)
    seconds = interleaved(lambda: _trial(sides[0]), lambda: _trial(sides[1]))
    note = f"{len(FEATURES)} features, a window of {WINDOW_ROWS:,} rows; scores are those of all training rows"
    return Row(NAME, *seconds, bound=BOUND, unit=UNIT, note=note)


def _trial(watched: Watched) -> Trial:
    return lambda: look(watched)


def look(watched: Watched) -> Drift:
    """Drift of the window from the champion's reference.

    Raises:
        DataContractError: See measure.
    """
    known = kept_reference.reference_of(watched.pipeline, watched.champion, CITIES, watched.settings)
    before = Reference(known.counts.columns, _NO_PREDICTIONS)
    measured = drift.measure(before, watched.now, ignore=(), threshold=0.1)
    if measured.drifted != FEATURES[:1]:
        raise DataContractError(f"drifted: {', '.join(measured.drifted) or 'nothing'}")
    return measured


def world(folder: Path, rows: int) -> Watched:
    """A champion that has learned from so many rows."""
    settings = load_settings(home=folder)
    pipeline = load_pipeline("flight_delays", settings)
    uri = f"{settings.lake_uri}/{pipeline.name}/snapshots/frozen.parquet"
    frames.write(_frozen(rows), uri, settings)
    window = _frame(WINDOW_ROWS, seed=2)
    window[FEATURES[0]] += 1
    return Watched(pipeline, settings, _champion(uri, rows), Sides(window, _NO_PREDICTIONS))


def _frame(rows: int, *, seed: int) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame(draw.normal(size=(rows, COLUMNS)), columns=list(FEATURES[:COLUMNS]))
    return frame.assign(city=np.char.mod("c%d", draw.geometric(0.05, rows)))


def _frozen(rows: int) -> pd.DataFrame:
    times = pd.date_range(datetime(2024, 1, 1, tzinfo=UTC), periods=rows, freq=pd.Timedelta(days=_DAYS) / rows)
    held_out = np.arange(rows) >= rows * 0.9
    parts = np.where(held_out, "holdout", "train")
    labels = np.random.default_rng(3).integers(0, 2, rows).astype("float64")
    return _frame(rows, seed=1).assign(decision_time=times.as_unit("us"), label=labels, part=parts)


def _champion(uri: str, rows: int) -> ModelVersion:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    split = start + 0.9 * pd.Timedelta(days=_DAYS)
    span = Window(start, start + pd.Timedelta(days=_DAYS))
    snapshot = Snapshot(
        pipeline="flight_delays",
        cutoff=span.end,
        train=Window(start, split),
        holdout=Window(split, span.end),
        uri=uri,
        digest=f"{rows}",
        train_rows=rows,
        holdout_rows=0,
        unlabelled_rows=0,
        features=FEATURES,
        feature_service="",
        feature_fingerprint="",
        table_versions={},
        leak_checked=(),
        reason="hand",
        reason_key="",
    )
    return ModelVersion(1, None, FEATURES, "logistic_regression", {}, snapshot, pd.DataFrame)
