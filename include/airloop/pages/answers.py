"""What the prediction service answered lately, as pages show it: read from the lake, over a span with enough rows.

Costs stay flat: of the spans below the shortest with enough answers is taken, and a busy service's hour is as long as
it is. Answers come into the lake with each collection of the prediction log.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from airloop.records import Window
from airloop.settings import Settings
from airloop.stores import lake

SPANS = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "four weeks": timedelta(days=28),
    "year": timedelta(days=365),
}
_ENOUGH, _SLOTS, _SAMPLE = 2000, 24, 2000
_COLUMNS = ("answered_at", "model_version", "latency_ms", "flags")


@dataclass(frozen=True)
class Slot:
    """One of equal parts of the span.

    Attributes:
        p50: Milliseconds; None without answers; p99 likewise.
    """

    start: datetime
    answers: int
    p50: float | None
    p99: float | None


@dataclass(frozen=True)
class ByVersion:
    """What one version answered in the span."""

    version: int
    answers: int
    first: datetime
    last: datetime


@dataclass(frozen=True)
class Beside:
    """Rows that champion and challenger both predicted in the span.

    Attributes:
        canary: Those that the challenger answered.
        apart: Mean absolute difference of the two predictions (of classes the largest).
        close: Share of the rows whose predictions differ by at most 0.01.
    """

    version: int
    rows: int
    canary: int
    apart: float
    close: float


@dataclass(frozen=True)
class Answers:
    """The newest answers.

    Attributes:
        span: One of SPANS: the last ... before `until`.
        stale: Share of the answers with a stale or absent view.
        features: Of the newest rows, by name as they were predicted from.
    """

    span: str
    until: datetime
    answers: int
    p50: float
    p99: float
    stale: float
    slots: tuple[Slot, ...]
    versions: tuple[ByVersion, ...]
    features: tuple[Mapping[str, Any], ...]


def newest(settings: Settings, pipeline: str, now: datetime) -> Answers | None:
    """The answers of the shortest span that holds 2,000 of them, else of the longest that holds any; None without.

    Raises:
        UpstreamUnavailable: The lake does not answer.
    """
    uri = lake.table_uri(settings, pipeline, "predictions", "online")
    if lake.open_table(uri, settings) is None:
        return None
    chosen: tuple[str, pa.Table] | None = None
    for name, length in SPANS.items():
        where = lake.between("answered_at", Window(now - length, now))
        rows = lake.read(uri, settings, where=where, columns=_COLUMNS)
        if chosen is None or rows.num_rows > chosen[1].num_rows:
            chosen = name, rows
        if rows.num_rows >= _ENOUGH:
            break
    if chosen is None or not chosen[1].num_rows:
        return None
    span, rows = chosen
    latest = rows.sort_by([("answered_at", "descending")]).column("answered_at")[:_SAMPLE]
    return _answers(span, rows, now, features=_features(uri, settings, Window(latest[-1].as_py(), now)))


def beside(settings: Settings, pipeline: str, span: Window) -> tuple[Beside, ...]:
    """What was predicted twice in a span, by challenger, the newest version first.

    Raises:
        UpstreamUnavailable: The lake does not answer.
    """
    uri = lake.table_uri(settings, pipeline, "predictions", "shadow")
    if lake.open_table(uri, settings) is None:
        return ()
    columns = ["challenger_version", "champion_prediction", "challenger_prediction", "returned"]
    rows = lake.read(uri, settings, where=lake.between("answered_at", span), columns=columns)
    versions = sorted(set(rows.column("challenger_version").to_pylist()), reverse=True)
    return tuple(_beside(version, rows.filter(pc.field("challenger_version") == version)) for version in versions)


def _beside(version: int, rows: pa.Table) -> Beside:
    one, other = (np.array(rows.column(f"{who}_prediction").to_pylist()) for who in ("champion", "challenger"))
    apart = np.abs(one - other)
    apart = apart.max(axis=1) if apart.ndim > 1 else apart
    canary = pc.sum(pc.equal(rows.column("returned"), "canary")).as_py() or 0
    return Beside(version, rows.num_rows, canary, float(apart.mean()), float((apart <= 0.01).mean()))


def _answers(span: str, rows: pa.Table, now: datetime, *, features: Sequence[Mapping[str, Any]]) -> Answers:
    milliseconds = rows.column("latency_ms").to_numpy()
    flags = rows.column("flags").to_pylist()
    start = now - SPANS[span]
    times = rows.column("answered_at").to_numpy().astype("datetime64[us]").astype("int64") / 1e6
    places = np.clip((times - start.timestamp()) / SPANS[span].total_seconds() * _SLOTS, 0, _SLOTS - 1).astype(int)
    return Answers(
        span=span,
        until=now,
        answers=rows.num_rows,
        p50=float(np.quantile(milliseconds, 0.5)),
        p99=float(np.quantile(milliseconds, 0.99)),
        stale=sum(flag != "{}" for flag in flags) / len(flags),
        slots=tuple(
            _slot(start + place * SPANS[span] / _SLOTS, milliseconds[places == place]) for place in range(_SLOTS)
        ),
        versions=_by_version(rows),
        features=tuple(features),
    )


def _slot(start: datetime, milliseconds: npt.NDArray[np.float64]) -> Slot:
    if not milliseconds.size:
        return Slot(start, 0, None, None)
    p50, p99 = (float(value) for value in np.quantile(milliseconds, [0.5, 0.99]))
    return Slot(start, int(milliseconds.size), p50, p99)


def _by_version(rows: pa.Table) -> tuple[ByVersion, ...]:
    grouped = rows.group_by("model_version").aggregate(
        [("answered_at", "count"), ("answered_at", "min"), ("answered_at", "max")]
    )
    lines = [
        ByVersion(row["model_version"], row["answered_at_count"], row["answered_at_min"], row["answered_at_max"])
        for row in grouped.to_pylist()
    ]
    return tuple(sorted(lines, key=lambda line: line.first))


def _features(uri: str, settings: Settings, span: Window) -> list[dict[str, Any]]:
    where = lake.between("answered_at", span)
    texts = lake.read(uri, settings, where=where, columns=["features"]).column("features")
    return [json.loads(text) for text in texts[-_SAMPLE:].to_pylist()]
