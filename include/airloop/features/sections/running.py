"""Sections run on the installation's engine."""

from contextlib import AbstractContextManager

import pyarrow as pa

from airloop.config import Pipeline
from airloop.features import engine_session
from airloop.features.engine_session import Session
from airloop.features.sections.refusals import refusing
from airloop.features.sections.written import Section
from airloop.records import Window
from airloop.settings import Settings
from airloop.stores import lake
from airloop.stores.lake_rows import Feeds


def connect(
    pipeline: Pipeline,
    window: Window,
    feeds: Feeds,
    settings: Settings | None = None,
    query_seconds: float | None = None,
) -> AbstractContextManager[Session]:
    """What the sections run in; see engine_session.

    Args:
        settings: Their engine is taken; None for the reference.
        query_seconds: After so much work the reference gives a query up; None for never.
    """
    return engine_session.session(pipeline, window, feeds, settings, query_seconds)


def query(connection: Session, pipeline: Pipeline, section: Section, *, within: Window | None = None) -> pa.Table:
    """Run one section; timestamps come back as microseconds UTC.

    Args:
        within: Rows whose known_at lies outside are of no use; an engine may leave them out.

    Raises:
        ConfigError: The SQL does not run, is not one query, or reads something else than feeds; names line and section.
    """
    with refusing(pipeline, section):
        result = connection.query(section.sql, within=within)
    fields = [field.with_type(lake.INSTANT) if pa.types.is_timestamp(field.type) else field for field in result.schema]
    return result.cast(pa.schema(fields))


def create_table(connection: Session, pipeline: Pipeline, section: Section) -> None:
    """Run a `-- table` step; the sections after it read its rows under its name.

    Raises:
        ConfigError: See query.
    """
    with refusing(pipeline, section):
        connection.step(section.name, section.sql)
