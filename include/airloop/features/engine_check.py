"""features.sql against the list of what is proven on the installation's engine, without asking the engine."""

from datetime import timedelta

from airloop.config import Pipeline
from airloop.features import engine_session, sections, sql_text
from airloop.features.dialects.values import values_of
from airloop.records import Window
from airloop.settings import Settings


def problems(pipeline: Pipeline, settings: Settings) -> list[str]:
    """What another engine is not known to answer as DuckDB does, a line each with file and line; none for DuckDB.

    A section that reads the rows of a step made by transforms.py is looked at when it runs: its columns are not known
    before.

    Raises:
        ConfigError: There is no such engine, or features.sql cannot be read.
    """
    dialect = engine_session.engine_class(settings).dialect
    if dialect == engine_session.REFERENCE:
        return []
    start = pipeline.coverage.start
    text = engine_session.Translation(dialect, pipeline, values_of(pipeline, Window(start, start + timedelta(days=1))))
    unknown, lines = set[str](), []
    for section in sections.read_sections(pipeline, settings):
        step = section.name if section.kind == "table" else None
        if section.kind == "table" and section.through:
            unknown.add(section.name)
        try:
            text.translate(section.sql, step=step)
        except engine_session.OffTheList as error:
            lines += [] if _reads(section.sql, unknown) else sections.located(pipeline, section, error)
    return lines


def _reads(sql: str, names: set[str]) -> bool:
    return bool(names & (sql_text.tables_read(sql) or set()))
