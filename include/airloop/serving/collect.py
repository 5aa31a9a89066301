"""From the prediction log into the lake: each record once, whoever collects, and however often.

Every record becomes a row of the table `predictions/online`, found by its prediction id. A row that was asked for by
its keys alone, with no value stale, is a scored row besides: it goes into the table `predictions` (decision time: its
`as_of`), where batch scoring then finds it done and monitoring judges it. One that sent features of its own, or asks
about values that were not there, says nothing about the model in force and stays out of it; so does what a challenger
answered. Rows that champion and challenger both predicted are also in `predictions/shadow`.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from airloop.config import Pipeline
from airloop.config.calendar import period_start
from airloop.errors import ConfigError
from airloop.models import prediction_tables, shadowed_rows
from airloop.problems import PREDICTION, task_of
from airloop.records import Record, Window, parse_instant
from airloop.serving import score
from airloop.serving.logged import Logged, Other
from airloop.serving.prediction_log import is_closed, read_segment, segments
from airloop.settings import Settings
from airloop.stores import lake
from airloop.stores.append_once import append_once

logger = logging.getLogger(__name__)

_TEXTS = ("prediction_id", "entity", "features", "ages", "flags", "explicit", "caller", "protocol", "form")


@dataclass(frozen=True)
class Collected(Record):
    """What one collection did.

    Attributes:
        segments: Segments that were read; those nobody writes any more are gone now.
        records: Records in them.
        online: Rows that `predictions/online` did not hold before.
        scored: Rows that `predictions` did not hold before.
        shadowed: Rows that `predictions/shadow` did not hold before.
        days: Days (UTC, ISO) of the answers in segments that brought new rows.
    """

    segments: int
    records: int
    online: int
    scored: int
    days: tuple[str, ...] = ()
    shadowed: int = 0


def online_uri(pipeline: Pipeline, settings: Settings) -> str:
    """The table of everything the service answered.

    Columns: prediction_id, answered_at (UTC us), the entity key (null where none was sent), decision_time (the row's
    as_of), model_version, decision (ledger), prediction, latency_ms, and as JSON or text entity, features, ages, flags,
    explicit, caller, protocol, form. Unique by prediction_id.
    """
    return lake.table_uri(settings, pipeline.name, "predictions", "online")


def collect(pipeline: Pipeline, settings: Settings) -> Collected:
    """Move what the log of this machine holds into the lake; segments being written are read and stay.

    Raises:
        UpstreamUnavailable: The lake does not answer; the log stays as it is.
    """
    done = Collected(0, 0, 0, 0)
    for path in segments(settings, pipeline.name):
        try:
            closed = is_closed(path)  # before it is read: what is written meanwhile is read next time
            records = list(read_segment(path))
        except FileNotFoundError:
            continue  # another collection was faster
        online, scored, shadowed = _append(pipeline, records, settings)
        days = {*done.days, *(record.at[:10] for record in records)} if online else done.days
        done = Collected(
            segments=done.segments + 1,
            records=done.records + len(records),
            online=done.online + online,
            scored=done.scored + scored,
            days=tuple(sorted(days)),
            shadowed=done.shadowed + shadowed,
        )
        if closed:
            _remove(path)
    if done.segments:
        logger.info("%s: %s", pipeline.name, done)
    return done


def scored_row(pipeline: Pipeline, record: Logged) -> bool:
    """Whether a record is a scored row like those of batch scoring."""
    key = record.entity.get(pipeline.prediction.entity_key)
    as_of, coverage = parse_instant(record.as_of), pipeline.coverage
    covered = coverage.start <= as_of and (coverage.end is None or as_of < coverage.end)
    stale = any(flag == "stale" for flag in record.flags.values())
    return not record.role and isinstance(key, str) and not record.explicit and not stale and covered


def _append(pipeline: Pipeline, records: Sequence[Logged], settings: Settings) -> tuple[int, int, int]:
    distinct = list({record.id: record for record in records}.values())
    if not distinct:
        return 0, 0, 0
    online = _online_rows(pipeline, distinct)
    times = [parse_instant(record.at) for record in distinct]
    uri, key = online_uri(pipeline, settings), ("prediction_id", "answered_at")
    prediction_tables.opened(uri, pipeline, settings)
    added, _ = append_once(uri, online, settings, time_column="answered_at", key=key, window=_around(times))
    scored = [record for record in distinct if scored_row(pipeline, record)]
    pairs = [record for record in distinct if record.other is not None]
    scored_rows = _append_scored(pipeline, scored, settings) if scored else 0
    return added, scored_rows, _append_pairs(pipeline, pairs, settings) if pairs else 0


def _append_pairs(pipeline: Pipeline, records: Sequence[Logged], settings: Settings) -> int:
    key = pipeline.prediction.entity_key
    rows = [_pair(pipeline, record, key) for record in records]
    table = pa.Table.from_pylist(rows, schema=shadowed_rows.schema(pipeline))
    uri, unique = shadowed_rows.shadow_uri(pipeline, settings), ("prediction_id", "answered_at")
    prediction_tables.opened(uri, pipeline, settings, column=shadowed_rows.CHAMPION_COLUMN)
    window = _around([row["answered_at"] for row in rows])
    added, _ = append_once(uri, table, settings, time_column="answered_at", key=unique, window=window)
    return added


def _pair(pipeline: Pipeline, record: Logged, key: str) -> dict[str, Any]:
    own = Other(record.version, record.decision, record.prediction)
    other = record.other or own
    champion, challenger = (other, own) if record.role else (own, other)
    return {
        "prediction_id": record.id,
        "answered_at": parse_instant(record.at),
        key: _key(record, key),
        "decision_time": parse_instant(record.as_of),
        "champion_version": champion.version,
        shadowed_rows.CHAMPION_COLUMN: champion.prediction,
        "challenger_version": challenger.version,
        "challenger_decision": challenger.decision,
        shadowed_rows.CHALLENGER_COLUMN: challenger.prediction,
        "returned": record.role or score.CHAMPION_ROLE,
    }


def _append_scored(pipeline: Pipeline, records: Sequence[Logged], settings: Settings) -> int:
    key = pipeline.prediction.entity_key
    # The first answer about a row is the one that somebody acted on.
    first = {(r.entity[key], r.as_of, r.version): r for r in reversed(records)}
    rows = list(first.values())
    times = [parse_instant(record.as_of) for record in rows]
    table = pa.table(
        {
            key: pa.array([record.entity[key] for record in rows], pa.string()),
            "decision_time": pa.array(times, lake.INSTANT),
            "model_version": pa.array([record.version for record in rows], pa.int64()),
            "role": pa.array([score.CHAMPION_ROLE] * len(rows), pa.string()),
            "mode": pa.array(["live"] * len(rows), pa.string()),
            PREDICTION: _predictions(pipeline, rows),
            "window_start": pa.array([period_start(pipeline.calendar, time) for time in times], lake.INSTANT),
        }
    )
    uri, unique = score.predictions_uri(pipeline, settings), (key, "decision_time", "model_version", "role", "mode")
    prediction_tables.opened(uri, pipeline, settings)
    added, _ = append_once(uri, table, settings, time_column="decision_time", key=unique, window=_around(times))
    return added


def _online_rows(pipeline: Pipeline, records: Sequence[Logged]) -> pa.Table:
    key = pipeline.prediction.entity_key
    columns: dict[str, Any] = {
        "answered_at": pa.array([parse_instant(record.at) for record in records], lake.INSTANT),
        "decision_time": pa.array([parse_instant(record.as_of) for record in records], lake.INSTANT),
        "model_version": pa.array([record.version for record in records], pa.int64()),
        "decision": pa.array([record.decision for record in records], pa.int64()),
        PREDICTION: _predictions(pipeline, records),
        "latency_ms": pa.array([record.latency_ms for record in records], pa.float64()),
    }
    texts = {name: pa.array([_text(record, name) for record in records], pa.string()) for name in _TEXTS}
    keys = (
        {}
        if key in texts or key in columns
        else {key: pa.array([_key(record, key) for record in records], pa.string())}
    )
    return pa.table({"prediction_id": texts.pop("prediction_id"), **keys, **columns, **texts})


def _key(record: Logged, key: str) -> str | None:
    value = record.entity.get(key)
    return None if value is None else str(value)


def _text(record: Logged, name: str) -> str:
    value = record.id if name == "prediction_id" else getattr(record, name)
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _predictions(pipeline: Pipeline, records: Sequence[Logged]) -> pa.Array:
    try:
        return pa.array([record.prediction for record in records], task_of(pipeline).column_type)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise ConfigError(
            f"{pipeline.name}/pipeline.yaml: prediction.task: the log holds answers of another task than "
            f"{pipeline.prediction.task}: restore the declaration that answered, or give the changed problem a "
            "pipeline of its own name"
        ) from error


def _around(times: Sequence[datetime]) -> Window:
    return Window(min(times), max(times) + timedelta(microseconds=1))


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
