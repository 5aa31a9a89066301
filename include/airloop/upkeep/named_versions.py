"""Table versions that training sets were made from: they stay as long as a version may be made again from the lake."""

import json
from datetime import datetime, timedelta

import sqlalchemy as sa

from airloop.config import Pipeline
from airloop.settings import Settings
from airloop.stores import state
from airloop.stores.tables import stage_runs

Named = dict[str, frozenset[int]]


def named_versions(pipeline: Pipeline, settings: Settings, *, now: datetime) -> Named:
    """URI of a table -> its versions that are named by a snapshot made since now - `reproduction_days`.

    By any snapshot, where nothing bounds it.

    Raises:
        UpstreamUnavailable: The state database does not answer.
    """
    days, table = pipeline.retention.reproduction_days, stage_runs
    query = sa.select(table.c.record).where(
        table.c.pipeline == pipeline.name, table.c.stage == "snapshot", table.c.record != ""
    )
    if days is not None:
        query = query.where(table.c.finished_at >= state.instant_text(now - timedelta(days=days)))
    with state.reading(settings) as connection:
        records = [json.loads(text) for text in connection.execute(query).scalars()]
    by_table: dict[str, set[int]] = {}
    for record in records:
        for name, version in (record.get("table_versions") or {}).items():
            by_table.setdefault(f"{settings.lake_uri}/{pipeline.name}/{name}", set()).add(int(version))
    return {uri: frozenset(versions) for uri, versions in by_table.items()}
