"""Monitoring's statistics of a month: airloop's (PSI by Evidently) against the same statistics in numpy by hand."""

import math
import time
from collections.abc import Mapping
from unittest import mock

import pandas as pd

from airloop.config import Pipeline
from airloop.errors import DataContractError
from airloop.features.examples import feature_frame
from airloop.features.feature_store import feature_names
from airloop.problems import PREDICTION
from airloop.watch import drift, performance
from airloop.watch.drift import Drift
from benchmarks.numpy_statistics import drifted_share, live_metrics, psi_scores
from benchmarks.row import Row, interleaved
from benchmarks.session import Session

NAME = "a month's monitoring statistics / numpy by hand"
BOUND = 2.0
UNIT = "s"

_TOLERANCE = 1e-9
# Any probability does for a cost: the share of late flights to the destination.
_SCORE = "dest_late_28d"

Statistics = dict[str, float]


def measure(session: Session) -> Row:
    """January is the reference, February is judged; every number of one side has to be that of the other."""
    flights, pipeline = session.flights, session.flights.pipeline
    frame = feature_frame(pipeline, flights.span, flights.settings).dropna(subset=["label"])
    frame["score"] = frame[_SCORE].fillna(frame[_SCORE].mean())
    january, february = (frame[frame["decision_time"].between(w.start, w.end, "left")] for w in flights.windows[:2])
    names = list(feature_names(pipeline, flights.settings))
    ours = lambda: _ours(pipeline, january, february, names)  # noqa: E731
    peer = lambda: _by_hand(pipeline, january, february, names)  # noqa: E731
    refuse_other_numbers(ours(), peer())
    seconds = interleaved(lambda: ours, lambda: peer)
    note = (
        f"{len(february):,} rows, {len(names)} features, {len(peer())} equal numbers. Evidently's page, for people, is "
        f"not in it and takes {_page_seconds(pipeline, january, february, names):.1f} s more; nor is the probe"
    )
    return Row(NAME, *seconds, bound=BOUND, unit=UNIT, note=note)


def _ours(pipeline: Pipeline, then: pd.DataFrame, now: pd.DataFrame, names: list[str]) -> Statistics:
    with mock.patch.object(drift, "_report", return_value=""):
        drifted = _drift(pipeline, then, now, names)
    live = performance.live(pipeline, now.rename(columns={"score": PREDICTION}))
    return _numbers(drifted.psi, drifted.share, live)


def _drift(pipeline: Pipeline, then: pd.DataFrame, now: pd.DataFrame, names: list[str]) -> Drift:
    nothing = pd.Series(dtype="float64")
    return drift.measure(
        drift.Sides(then[names], nothing),
        drift.Sides(now[names], nothing),
        ignore=(),
        threshold=pipeline.monitoring.psi_threshold,
        sample_rows=pipeline.monitoring.sample_rows,
        seed=pipeline.training.seed,
        headline={},
    )


def _by_hand(pipeline: Pipeline, then: pd.DataFrame, now: pd.DataFrame, names: list[str]) -> Statistics:
    seed, rows = pipeline.training.seed, pipeline.monitoring.sample_rows
    scores = psi_scores(then[names], now[names], rows=rows, seed=seed)
    resamples, confidence = pipeline.gate.compare.resamples, pipeline.monitoring.policy.confidence
    live = live_metrics(now, confidence=confidence, resamples=resamples, seed=seed)
    return _numbers(scores, drifted_share(scores, pipeline.monitoring.psi_threshold), live)


def _numbers(psi: Mapping[str, float], share: float | None, live: Mapping[str, float | None]) -> Statistics:
    found = {**{f"psi {name}": score for name, score in psi.items()}, "drifted share": share, **live}
    return {name: math.nan if value is None else float(value) for name, value in found.items()}


def refuse_other_numbers(ours: Mapping[str, float], peer: Mapping[str, float]) -> None:
    """Compare two sets of statistics, each number within a billionth.

    Raises:
        DataContractError: A name or a number differs.
    """
    if ours.keys() != peer.keys():
        raise DataContractError(f"ours has other statistics than numpy: {sorted(ours.keys() ^ peer.keys())}")
    for name, value in ours.items():
        if not math.isclose(value, peer[name], rel_tol=_TOLERANCE, abs_tol=_TOLERANCE):
            raise DataContractError(f"{name} is {value} by ours and {peer[name]} in numpy")


def _page_seconds(pipeline: Pipeline, then: pd.DataFrame, now: pd.DataFrame, names: list[str]) -> float:
    began = time.perf_counter()
    _drift(pipeline, then, now, names)
    return time.perf_counter() - began
