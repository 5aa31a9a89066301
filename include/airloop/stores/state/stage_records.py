"""The records of stages by input key; every look-up is bounded by a window, a key or a number of records."""

import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from airloop.errors import DataContractError
from airloop.records import Window
from airloop.settings import Settings
from airloop.stores.state.database import instant_text, reading, stored_window, transaction
from airloop.stores.tables import MAY_HOLD_ALARMS, stage_runs

_NUMBERS_PER_QUERY = 500


def mark_started(settings: Settings, pipeline: str, stage: str, *, input_key: str, window: Window) -> None:
    """Note that a stage begins to write for an input: an empty record, which `save_record` replaces.

    Killed in between, the mark stays, and earlier records that cover the window no longer stand for it.
    """
    _insert(settings, pipeline, stage, input_key=input_key, window=window, record="")


def save_record(
    settings: Settings, pipeline: str, stage: str, *, input_key: str, window: Window, record: dict[str, Any]
) -> None:
    """Store a stage's record under its input key; a second call with the same key changes nothing."""
    text = json.dumps(record, sort_keys=True)
    _insert(settings, pipeline, stage, input_key=input_key, window=window, record=text)


def _insert(settings: Settings, pipeline: str, stage: str, *, input_key: str, window: Window, record: str) -> None:
    """A new last row, in place of an empty one of the same key; beside a record nothing is done."""
    row = {
        "pipeline": pipeline,
        "stage": stage,
        "input_key": input_key,
        "window_start": instant_text(window.start),
        "window_end": instant_text(window.end),
        "record": record,
        "finished_at": instant_text(datetime.now(UTC)),
    }
    table = stage_runs
    same = sa.and_(table.c.pipeline == pipeline, table.c.stage == stage, table.c.input_key == input_key)
    try:
        with transaction(settings) as connection:
            connection.execute(table.delete().where(same, table.c.record == ""))
            connection.execute(table.insert().values(**row))
    except sa.exc.IntegrityError:
        return


def find_record(settings: Settings, pipeline: str, stage: str, input_key: str) -> dict[str, Any] | None:
    """The record stored under an input key, or None."""
    query = sa.select(stage_runs.c.record).where(
        stage_runs.c.pipeline == pipeline, stage_runs.c.stage == stage, stage_runs.c.input_key == input_key
    )
    with reading(settings) as connection:
        text = connection.execute(query).scalar()
    return _decoded(text, stage) if text else None


def forget_overwritten(settings: Settings, pipeline: str, stage: str, *, input_key: str, window: Window) -> None:
    """Drop the record of an input when the stage ran later with another one over an overlapping window.

    The lake then holds what the later run wrote (or, killed, began to write), so the earlier record must not stand for
    it any more.
    """
    table = stage_runs
    same_stage = sa.and_(table.c.pipeline == pipeline, table.c.stage == stage)
    with transaction(settings) as connection:
        mine = connection.execute(sa.select(table.c.id).where(same_stage, table.c.input_key == input_key)).scalar()
        if mine is None:
            return
        later = sa.select(table.c.id).where(same_stage, table.c.id > mine, _overlapping(window))
        if connection.execute(later.limit(1)).first() is not None:
            connection.execute(table.delete().where(table.c.id == mine))


def forget(settings: Settings, pipeline: str, stage: str, *, input_key: str) -> None:
    """Drop the record of an input: what it says was written is no longer there."""
    mine = stage_runs.c.pipeline == pipeline, stage_runs.c.stage == stage, stage_runs.c.input_key == input_key
    with transaction(settings) as connection:
        connection.execute(stage_runs.delete().where(*mine))


def latest_records(
    settings: Settings,
    pipeline: str,
    stage: str,
    *,
    window: Window | None = None,
    overlapping: Window | None = None,
) -> list[dict[str, Any]]:
    """Records of a stage, newest finished last: of exactly `window`, of windows `overlapping` a span, or all."""
    query = sa.select(stage_runs.c.record).where(_recorded(pipeline, stage))
    if window is not None:
        query = query.where(
            stage_runs.c.window_start == instant_text(window.start), stage_runs.c.window_end == instant_text(window.end)
        )
    if overlapping is not None:
        query = query.where(_overlapping(overlapping))
    with reading(settings) as connection:
        return [_decoded(text, stage) for text in connection.execute(query.order_by(stage_runs.c.id)).scalars()]


def alarmed_records(
    settings: Settings, pipeline: str, stages: Collection[str], *, overlapping: Window | None
) -> list[tuple[str, dict[str, Any]]]:
    """Stage and newest record of each window that overlaps a span, or of all, but for those that hold no alarm.

    Raises:
        DataContractError: Somebody wrote something else.
    """
    table, later = stage_runs, stage_runs.alias("later")
    same_window = (later.c[name] == table.c[name] for name in ("pipeline", "stage", "window_start", "window_end"))
    replaced = sa.exists().where(*same_window, later.c.record != "", later.c.id > table.c.id)
    mine = table.c.pipeline == pipeline, table.c.stage.in_(stages), table.c.record != ""
    query = sa.select(table.c.stage, table.c.record).where(*mine, sa.text(MAY_HOLD_ALARMS), ~replaced)
    if overlapping is not None:
        query = query.where(_overlapping(overlapping))
    with reading(settings) as connection:
        rows = connection.execute(query.order_by(table.c.id)).all()
    return [(stage, _decoded(text, stage)) for stage, text in rows]


def records_before(settings: Settings, pipeline: str, stage: str, *, end: datetime, limit: int) -> list[dict[str, Any]]:
    """At most `limit` records of windows that end by `end`: newest window first, of one the newest record first."""
    table = stage_runs
    query = (
        sa.select(table.c.record)
        .where(_recorded(pipeline, stage), table.c.window_end <= instant_text(end))
        .order_by(table.c.window_end.desc(), table.c.window_start.desc(), table.c.id.desc())
        .limit(limit)
    )
    with reading(settings) as connection:
        return [_decoded(text, stage) for text in connection.execute(query).scalars()]


def newest_id(settings: Settings, pipeline: str, stage: str, *, starting_before: datetime) -> int | None:
    """The number of a stage's newest record among windows that start before an instant; another one when one ran."""
    table = stage_runs
    query = (
        sa.select(table.c.id)
        .where(_recorded(pipeline, stage), table.c.window_start < instant_text(starting_before))
        .order_by(table.c.id.desc())
        .limit(1)
    )
    with reading(settings) as connection:
        number: int | None = connection.execute(query).scalar()
    return number


def newest_ids(
    settings: Settings, pipeline: str, stage: str, *, overlapping: Window | None = None
) -> dict[Window, int]:
    """The number of the newest record of each window; `overlapping` a span, or of all. No record is opened."""
    table = stage_runs
    query = (
        sa.select(table.c.window_start, table.c.window_end, sa.func.max(table.c.id))
        .where(_recorded(pipeline, stage))
        .group_by(table.c.window_start, table.c.window_end)
    )
    if overlapping is not None:
        query = query.where(_overlapping(overlapping))
    with reading(settings) as connection:
        return {stored_window(start, end): number for start, end, number in connection.execute(query).all()}


def records_of(settings: Settings, numbers: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Records by their number."""
    records: dict[int, dict[str, Any]] = {}
    with reading(settings) as connection:
        for start in range(0, len(numbers), _NUMBERS_PER_QUERY):
            some = numbers[start : start + _NUMBERS_PER_QUERY]
            query = sa.select(stage_runs.c.id, stage_runs.c.record).where(stage_runs.c.id.in_(some))
            records |= {number: json.loads(text) for number, text in connection.execute(query)}
    return records


def _decoded(text: str, stage: str) -> dict[str, Any]:
    """A record as it was written.

    Raises:
        DataContractError: Somebody wrote something else.
    """
    try:
        record = json.loads(text)
    except (TypeError, ValueError):
        record = None
    if not isinstance(record, dict):
        raise DataContractError(
            f"state database: a record of stage {stage} cannot be read, somebody wrote it: restore the database from a "
            "backup"
        )
    return record


def _recorded(pipeline: str, stage: str) -> sa.ColumnElement[bool]:
    """Records of a stage; a mark that it has begun is not one."""
    return sa.and_(stage_runs.c.pipeline == pipeline, stage_runs.c.stage == stage, stage_runs.c.record != "")


def _overlapping(span: Window) -> sa.ColumnElement[bool]:
    return sa.and_(
        stage_runs.c.window_start < instant_text(span.end), stage_runs.c.window_end > instant_text(span.start)
    )
