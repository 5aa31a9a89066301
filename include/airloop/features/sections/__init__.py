"""features.sql: its named sections, run over the lake's clean feeds, seeing only what was known in time."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from airloop.config import Pipeline
from airloop.errors import ConfigError, UpstreamUnavailable
from airloop.features import engine_session, sql_clock, sql_database, sql_text
from airloop.features.engine_session import OffTheList, Session
from airloop.features.engines.engine import EngineError
from airloop.records import Window
from airloop.settings import Settings
from airloop.stores import lake
from airloop.stores.lake_rows import Feeds, LakeRows, Rows, lake_rows

_HEADING = re.compile(
    r"^-- (table|view): ([a-z][a-z0-9_]*)(?: through ([A-Za-z_]\w*))?\s*$|^-- (examples|labels)\s*$", re.MULTILINE
)


@dataclass(frozen=True)
class Section:
    """One named query; `kind` is table, view, examples or labels.

    Attributes:
        through: The function of transforms.py that its rows go through; None when they stay as the query made them.
        line: The line of features.sql on which the query begins.
    """

    kind: str
    name: str
    sql: str
    through: str | None = None
    line: int = 1


def read_sections(pipeline: Pipeline, settings: Settings) -> tuple[Section, ...]:
    """The sections of a pipeline's features.sql, in file order.

    Raises:
        ConfigError: No file, no view, not exactly one `-- examples` and one `-- labels`, a name used twice.
    """
    path = settings.pipelines_dir / pipeline.name / "features.sql"
    if not path.is_file():
        raise ConfigError(f"{path}: missing; it holds the pipeline's views, examples and labels")
    text = path.read_text(encoding="utf-8")
    headings = list(_HEADING.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    sections = tuple(_section(heading, text, end) for heading, end in zip(headings, ends, strict=True))
    names = [section.name for section in sections]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not {"examples", "labels"} <= set(names) or "view" not in {section.kind for section in sections}:
        raise ConfigError(
            f"{path}: needs one `-- examples`, one `-- labels` and at least one `-- view: NAME` section; "
            f"found {names}" + (f", twice: {twice}" if twice else "")
        )
    return sections


def _section(heading: re.Match[str], text: str, end: int) -> Section:
    written = text[heading.end() : end]
    begins = heading.end() + len(written) - len(written.lstrip())
    return Section(
        kind=heading[1] or heading[4],
        name=heading[2] or heading[4],
        sql=written.strip().rstrip(";"),
        through=heading[3],
        line=text.count("\n", 0, begins) + 1,
    )


def feature_sections(pipeline: Pipeline, settings: Settings) -> tuple[Section, ...]:
    """The sections that make features: tables and views."""
    return tuple(section for section in read_sections(pipeline, settings) if section.kind in ("table", "view"))


def feeds_of_features(pipeline: Pipeline, settings: Settings) -> tuple[str, ...]:
    """The feeds whose clean rows make features or examples, in declared order; not those that only labels are made of.

    Raises:
        ConfigError: A section cannot be parsed.
    """
    return feeds_read(pipeline, tuple(item for item in read_sections(pipeline, settings) if item.name != "labels"))


def view_names(pipeline: Pipeline, settings: Settings) -> tuple[str, ...]:
    """Names of the views, in file order."""
    return tuple(section.name for section in read_sections(pipeline, settings) if section.kind == "view")


def load_feeds(
    pipeline: Pipeline, window: Window, settings: Settings, *, read_by: tuple[Section, ...]
) -> dict[str, pa.Table]:
    """Clean rows with known_at in [start - lookback, end) of the feeds the sections name.

    An outcome feed that has not landed yet is an empty table.

    Raises:
        ConfigError: A section cannot be parsed.
        UpstreamUnavailable: A feed that is not an outcome has no clean table yet.
    """
    feeds = {}
    since = window.start - timedelta(days=pipeline.features.lookback_days)
    for name in feeds_read(pipeline, read_by):
        feed = pipeline.feeds[name]
        uri = lake.table_uri(settings, pipeline.name, "clean", name)
        if lake.open_table(uri, settings) is None:
            if not feed.outcome:
                raise UpstreamUnavailable(f"{uri}: no clean rows yet; run validate_raw of {window} first")
            feeds[name] = empty_feed(pipeline, name)
        else:
            # A static row was known before every window; a lookback must not drop it.
            seen = ds.field("known_at") < pa.scalar(window.end, lake.INSTANT)
            where = seen if feed.static else lake.between("known_at", Window(since, window.end))
            feeds[name] = lake.read(uri, settings, where=where)
    return feeds


def feeds_read(pipeline: Pipeline, read_by: tuple[Section, ...]) -> tuple[str, ...]:
    """Names of the feeds that the sections read from, in declared order.

    Raises:
        ConfigError: A section cannot be parsed.
    """
    named: set[str] = set()
    for section in read_by:
        with _refusing(pipeline, section):
            tables = sql_text.tables_read(section.sql)
        named.update(pipeline.feeds if tables is None else tables)
    return tuple(name for name in pipeline.feeds if name in named)


def empty_feed(pipeline: Pipeline, name: str) -> pa.Table:
    """A feed's clean table without rows: its declared columns, known_at and created_at."""
    types = {
        "string": pa.string(),
        "integer": pa.int64(),
        "float": pa.float64(),
        "boolean": pa.bool_(),
        "timestamp": lake.INSTANT,
    }
    fields = [(column, types[kind]) for column, kind in pipeline.feeds[name].columns.items()]
    return pa.schema([*fields, ("known_at", lake.INSTANT), ("created_at", lake.INSTANT)]).empty_table()


def feeds_for(
    pipeline: Pipeline, window: Window, settings: Settings, *, read_by: tuple[Section, ...]
) -> dict[str, Rows]:
    """`load_feeds` for the installation's engine: for another than the reference, rows stay in the lake until put.

    Raises:
        ConfigError: A section cannot be parsed.
        UpstreamUnavailable: A feed that is not an outcome has no clean table yet.
    """
    if engine_session.is_reference(settings):
        return dict(load_feeds(pipeline, window, settings, read_by=read_by))
    since = window.start - timedelta(days=pipeline.features.lookback_days)
    feeds: dict[str, Rows] = {}
    for name in feeds_read(pipeline, read_by):
        feed, uri = pipeline.feeds[name], lake.table_uri(settings, pipeline.name, "clean", name)
        rows = lake_rows(uri, settings, since=None if feed.static else since, before=window.end)
        if rows is None and not feed.outcome:
            raise UpstreamUnavailable(f"{uri}: no clean rows yet; run validate_raw of {window} first")
        feeds[name] = empty_feed(pipeline, name) if rows is None else rows
    return feeds


def only_known_by(feeds: Feeds, instant: datetime) -> dict[str, Rows]:
    """The feeds without every row whose known_at lies after `instant`."""
    limit = pa.scalar(instant, lake.INSTANT)
    return {
        name: rows.known_by(instant)
        if isinstance(rows, LakeRows)
        else rows.filter(pc.less_equal(rows["known_at"], limit))
        for name, rows in feeds.items()
    }


def connect(
    pipeline: Pipeline, window: Window, feeds: Feeds, settings: Settings | None = None
) -> AbstractContextManager[Session]:
    """What the sections run in; see engine_session.

    Args:
        settings: Their engine is taken; None for the reference.
    """
    return engine_session.session(pipeline, window, feeds, settings)


def query(connection: Session, pipeline: Pipeline, section: Section, *, within: Window | None = None) -> pa.Table:
    """Run one section; timestamps come back as microseconds UTC.

    Args:
        within: Rows whose known_at lies outside are of no use; an engine may leave them out.

    Raises:
        ConfigError: The SQL does not run, is not one query, or reads something else than feeds; names line and section.
    """
    with _refusing(pipeline, section):
        result = connection.query(section.sql, within=within)
    fields = [field.with_type(lake.INSTANT) if pa.types.is_timestamp(field.type) else field for field in result.schema]
    return result.cast(pa.schema(fields))


def create_table(connection: Session, pipeline: Pipeline, section: Section) -> None:
    """Run a `-- table` step; the sections after it read its rows under its name.

    Raises:
        ConfigError: See query.
    """
    with _refusing(pipeline, section):
        connection.step(section.name, section.sql)


def located(pipeline: Pipeline, section: Section, refused: OffTheList) -> list[str]:
    """What of a section is not proven on the engine, a line each with its place in the file."""
    return [
        f"{pipeline.name}/features.sql:{section.line + at - 1}, section {section.name}: {says}"
        for at, says in refused.problems
    ]


@contextmanager
def _refusing(pipeline: Pipeline, section: Section) -> Iterator[None]:
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
