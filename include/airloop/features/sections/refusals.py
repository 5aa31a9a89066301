"""What is wrong with a section, with its line in features.sql."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from airloop.config import Pipeline
from airloop.errors import ConfigError
from airloop.features import sql_clock, sql_database, sql_text
from airloop.features.engine_session import OffTheList
from airloop.features.engines.engine import EngineError
from airloop.features.sections.written import Section


def located(pipeline: Pipeline, section: Section, refused: OffTheList) -> list[str]:
    """What of a section is not proven on the engine, a line each with its place in the file."""
    return [
        f"{pipeline.name}/features.sql:{section.line + at - 1}, section {section.name}: {says}"
        for at, says in refused.problems
    ]


@contextmanager
def refusing(pipeline: Pipeline, section: Section) -> Iterator[None]:
    """Refuse a section that is not one query, and say of DuckDB's errors in which line of the file they are.

    A heading with a typo is a comment like any other: its query would silently take the place of the previous one.
    """
    try:
        problem, line = sql_text.problem(section.sql), section.line
        unstable = None if problem else sql_clock.unstable(section.sql)
        if unstable:
            problem, line = unstable.says, section.line + unstable.line
        if not problem:
            yield
            return
    except duckdb.Error as error:
        line, problem = sql_database.explain(error, section.line)
        raise ConfigError(f"{pipeline.name}/features.sql:{line}, section {section.name}: {problem}") from error
    except EngineError as error:
        raise ConfigError(f"{pipeline.name}/features.sql:{section.line}, section {section.name}: {error}") from error
    except OffTheList as error:
        raise ConfigError("\n".join(located(pipeline, section, error))) from error
    raise ConfigError(f"{pipeline.name}/features.sql:{line}, section {section.name}: {problem}")
