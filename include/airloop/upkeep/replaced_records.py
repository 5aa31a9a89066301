"""Records of data stages that a newer record of the same window replaced."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from airloop.config import Pipeline
from airloop.settings import Settings
from airloop.stores import state
from airloop.stores.tables import stage_runs

DATA_STAGES = ("ingest", "validate_raw", "build_features", "validate_features", "profile", "materialize")
"""Stages of a window whose older records nothing names."""


def remove(pipeline: Pipeline, settings: Settings, *, now: datetime, dry_run: bool) -> dict[str, tuple[int, int]]:
    """Remove those finished before now - `replaced_records_days`: of each stage how many, and the bytes of their text.

    The newest record of every window stays, and so does everything of training, gate, scoring and monitoring.
    """
    table, newer = stage_runs, stage_runs.alias("newer")
    until = state.instant_text(now - timedelta(days=pipeline.retention.replaced_records_days))
    replaced = sa.exists().where(
        newer.c.pipeline == table.c.pipeline,
        newer.c.stage == table.c.stage,
        newer.c.window_start == table.c.window_start,
        newer.c.window_end == table.c.window_end,
        newer.c.record != "",
        newer.c.id > table.c.id,
    )
    old = sa.and_(
        table.c.pipeline == pipeline.name, table.c.stage.in_(DATA_STAGES), table.c.finished_at < until, replaced
    )
    counted = sa.select(table.c.stage, sa.func.count(), sa.func.sum(sa.func.length(table.c.record))).where(old)
    with state.reading(settings) if dry_run else state.transaction(settings) as connection:
        by_stage = {stage: (count, size) for stage, count, size in connection.execute(counted.group_by(table.c.stage))}
        if by_stage and not dry_run:
            connection.execute(sa.delete(table).where(old))
    return by_stage
