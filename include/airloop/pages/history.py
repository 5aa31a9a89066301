"""What the stages recorded, read back for people: window by window, and version by version.

Records are read as they were stored: one of an older airloop may lack a key, and its page still opens.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from airloop.records import Window, parse_instant
from airloop.settings import Settings
from airloop.stores import state, tables

WINDOW_STAGES = (
    *("ingest", "validate_raw", "build_features", "validate_features", "profile"),
    *("materialize", "score", "monitor", "triage"),
)
"""Stages of a window whose records the pages show. A window of the data run alone is one too, also when it failed."""

LOOK_STAGES = ("monitor", "triage")
"""Stages of a look of monitoring, which has windows of its own where its calendar is not the pipeline's."""

_OF_ONE_WINDOW = ("arrive", *WINDOW_STAGES)
_table = tables.stage_runs


@dataclass(frozen=True)
class Seen:
    """What is recorded of a window.

    Attributes:
        records: Stage -> its newest record; of `score` the newest of a champion.
    """

    window: Window
    records: dict[str, dict[str, Any]] = field(default_factory=dict)

    def record(self, stage: str) -> dict[str, Any]:
        """A stage's record; empty when the stage has not come so far."""
        return self.records.get(stage, {})

    def examples(self) -> int | None:
        """How many rows are predicted in the window; None before its features are built.

        A record of an older airloop does not say it: of a window that a champion scored its predictions do.
        """
        counted: int | None = self.record("build_features").get("examples")
        scored = self.record("score")
        return int(scored["rows"]) if counted is None and scored.get("version") else counted

    def refused(self, tables: Iterable[str]) -> int | None:
        """Rows of these tables that went to quarantine in the window; None before they were judged."""
        names = set(tables)
        checks = [check for check in self.record("validate_raw").get("checks", ()) if check["table"] in names]
        return sum(check["bad_rows"] for check in checks) if checks else None

    def is_look_alone(self) -> bool:
        """Whether it is a look of monitoring over other windows, which no data run takes."""
        return bool(self.records) and set(self.records) <= set(LOOK_STAGES)

    def has_data(self) -> bool:
        """Whether there was anything in it: an empty window says nothing about a pipeline."""
        checks = self.record("validate_raw").get("checks", ())
        return bool(self.examples()) or (self.examples() is None and any(check["rows"] for check in checks))


@dataclass(frozen=True)
class Version:
    """A trained version: the records of its training.

    Attributes:
        trained: The record of `train`.
        snapshot: That of its training set; empty when it is not stored.
        evaluated: That of its comparison; empty before.
        tuned: The candidates it was chosen among, best first.
    """

    trained: dict[str, Any]
    snapshot: dict[str, Any]
    evaluated: dict[str, Any]
    tuned: tuple[dict[str, Any], ...]

    @property
    def number(self) -> int:
        """Its number in the registry."""
        return int(self.trained["version"])


def with_looks(settings: Settings, pipeline: str, *, limit: int, before: datetime | None = None) -> tuple[Seen, ...]:
    """The newest windows and the newest looks, as many of each at most, newest first.

    Of an hourly pipeline the newest windows are a day: the look that says how it does may not be among them.
    """
    newest = windows(settings, pipeline, limit=limit, before=before)
    looks = windows(settings, pipeline, limit=limit, before=before, stages=LOOK_STAGES)
    there = {item.window for item in newest}
    further = [item for item in looks if item.window not in there]
    return tuple(sorted((*newest, *further), key=lambda item: (item.window.start, item.window.end), reverse=True))


def windows(
    settings: Settings,
    pipeline: str,
    *,
    limit: int,
    before: datetime | None = None,
    stages: Sequence[str] = WINDOW_STAGES,
) -> tuple[Seen, ...]:
    """The newest windows that a stage of these has taken and that start before an instant, newest first."""
    query = (
        sa.select(_table.c.window_start, _table.c.window_end)
        .where(_table.c.pipeline == pipeline, _table.c.stage.in_(stages))
        .distinct()
        .order_by(_table.c.window_start.desc(), _table.c.window_end.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(_table.c.window_start < state.instant_text(before))
    with state.reading(settings) as connection:
        bounds = [tuple(row) for row in connection.execute(query)]
        if not bounds:
            return ()
        span = _table.c.window_start.between(bounds[-1][0], bounds[0][0])
        rows = _stored(connection, pipeline, stages, span)
    by_bounds: dict[tuple[str, str], dict[str, dict[str, Any]]] = {bound: {} for bound in bounds}
    for row in rows:
        records = by_bounds.get((row["window_start"], row["window_end"]))
        if records is not None:
            records[row["stage"]] = row["record"]
    return tuple(Seen(_window(*bound), records) for bound, records in by_bounds.items())


def of_window(settings: Settings, pipeline: str, window: Window) -> Seen:
    """What is recorded of one window."""
    start, end = state.instant_text(window.start), state.instant_text(window.end)
    with state.reading(settings) as connection:
        exactly = sa.and_(_table.c.window_start == start, _table.c.window_end == end)
        rows = _stored(connection, pipeline, _OF_ONE_WINDOW, exactly)
    return Seen(window, {row["stage"]: row["record"] for row in rows})


def longer_run(settings: Settings, pipeline: str, window: Window, stage: str) -> Window | None:
    """What the newest run of a stage that covers a window and more was over; None where there is none."""
    start, end = state.instant_text(window.start), state.instant_text(window.end)
    covers = sa.and_(_table.c.window_start <= start, _table.c.window_end >= end)
    more = sa.or_(_table.c.window_start < start, _table.c.window_end > end)
    query = (
        sa.select(_table.c.window_start, _table.c.window_end)
        .where(_table.c.pipeline == pipeline, _table.c.stage == stage, _table.c.record != "", covers, more)
        .order_by(_table.c.id.desc())
        .limit(1)
    )
    with state.reading(settings) as connection:
        bounds = connection.execute(query).first()
    return _window(*bounds) if bounds else None


def versions(settings: Settings, pipeline: str) -> dict[int, Version]:
    """Every trained version by its number, oldest first."""
    with state.reading(settings) as connection:
        rows = _stored(connection, pipeline, ("snapshot", "tune", "train", "evaluate"), sa.true())
    of = {stage: [row for row in rows if row["stage"] == stage] for stage in ("snapshot", "tune", "train", "evaluate")}
    snapshots = {row["record"]["digest"]: row["record"] for row in of["snapshot"]}
    evaluated = {row["record"]["version"]: row["record"] for row in of["evaluate"]}
    by_number = {
        row["record"]["version"]: Version(
            trained=row["record"],
            snapshot=snapshots.get(row["record"]["snapshot_digest"], {}),
            evaluated=evaluated.get(row["record"]["version"], {}),
            tuned=_tuned(row, of["tune"]),
        )
        for row in of["train"]
    }
    return dict(sorted(by_number.items()))


def _stored(
    connection: sa.Connection, pipeline: str, stages: Sequence[str], where: sa.ColumnElement[bool]
) -> list[dict[str, Any]]:
    """Stored records, oldest first; a challenger's scoring is left out."""
    query = (
        sa.select(_table.c.id, _table.c.stage, _table.c.window_start, _table.c.window_end, _table.c.record)
        # A stage that was killed, or is at work, has a row without a record.
        .where(_table.c.pipeline == pipeline, _table.c.stage.in_(stages), _table.c.record != "", where)
        .order_by(_table.c.id)
    )
    rows = [{**row, "record": json.loads(row["record"])} for row in connection.execute(query).mappings()]
    return [row for row in rows if row["stage"] != "score" or row["record"].get("role") == "champion"]


def _tuned(trained: dict[str, Any], tuned: Sequence[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """The newest record of each candidate tuned for the same cutoff before this training."""
    bounds = ("window_start", "window_end")
    same = [row for row in tuned if row["id"] < trained["id"] and all(row[key] == trained[key] for key in bounds)]
    newest = {row["record"]["candidate"]: row["record"] for row in same}
    return tuple(sorted(newest.values(), key=lambda record: -record["score"]))


def _window(start: str, end: str) -> Window:
    return Window(parse_instant(start), parse_instant(end))
