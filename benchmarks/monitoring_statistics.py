"""Monitoring's live metrics of a month with their day-block intervals: airloop's against numpy by hand."""

import math
from collections.abc import Mapping

import pandas as pd

from airloop.config import Pipeline
from airloop.errors import DataContractError
from airloop.features.examples import feature_frame
from airloop.problems import PREDICTION
from airloop.watch import performance
from benchmarks.numpy_statistics import live_metrics
from benchmarks.row import Row, interleaved
from benchmarks.session import Session

NAME = "a month's live metrics / numpy by hand"
BOUND = 2.0
UNIT = "s"

_TOLERANCE = 1e-9
# Any probability does for a cost: the share of late flights to the destination.
_SCORE = "dest_late_28d"

Statistics = dict[str, float]


def measure(session: Session) -> Row:
    """Every number of one side has to be that of the other."""
    flights, pipeline = session.flights, session.flights.pipeline
    frame = feature_frame(pipeline, flights.span, flights.settings).dropna(subset=["label"])
    frame["score"] = frame[_SCORE].fillna(frame[_SCORE].mean())
    window = flights.windows[1]
    month = frame[frame["decision_time"].between(window.start, window.end, "left")]
    ours = lambda: _ours(pipeline, month)  # noqa: E731
    peer = lambda: _by_hand(pipeline, month)  # noqa: E731
    refuse_other_numbers(ours(), peer())
    seconds = interleaved(lambda: ours, lambda: peer)
    note = f"{len(month):,} rows, {len(peer())} equal numbers; drift, Evidently's page and the probe are not in it"
    return Row(NAME, *seconds, bound=BOUND, unit=UNIT, note=note)


def _ours(pipeline: Pipeline, month: pd.DataFrame) -> Statistics:
    return _numbers(performance.live(pipeline, month.rename(columns={"score": PREDICTION})))


def _by_hand(pipeline: Pipeline, month: pd.DataFrame) -> Statistics:
    resamples, confidence = pipeline.gate.compare.resamples, pipeline.monitoring.policy.confidence
    return _numbers(live_metrics(month, confidence=confidence, resamples=resamples, seed=pipeline.training.seed))


def _numbers(live: Mapping[str, float | None]) -> Statistics:
    return {name: math.nan if value is None else float(value) for name, value in live.items()}


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
