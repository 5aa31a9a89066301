"""The sections of one window on the engine that the settings name; the reference takes the text as it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pyarrow as pa

from airloop.config import Pipeline
from airloop.config.engine import ENGINE
from airloop.errors import ConfigError
from airloop.features.dialects.values import Values, values_of
from airloop.features.engines.duckdb import DuckDB
from airloop.features.engines.engine import Engine
from airloop.records import Window
from airloop.settings import Settings
from airloop.stores.lake_rows import Feeds

DIALECTS = ("duckdb", "postgres", "spark")
REFERENCE = "duckdb"
_NO_WINDOW = Values(datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC), 0, 0)


class OffTheList(Exception):
    """What of a query is not proven on other engines; each item is (line of the query from 1, what to do)."""

    def __init__(self, problems: list[tuple[int, str]]) -> None:
        super().__init__("; ".join(says for _, says in problems))
        self.problems = problems


class Text:
    """Queries as they are written, for an engine that speaks DuckDB's SQL."""

    def translate(self, sql: str, *, step: str | None = None) -> str:
        """The query itself.

        Args:
            step: The name under which later queries read its rows; None when none does.
        """
        return sql

    def bounded(self, sql: str, within: Window) -> str:
        """The query's rows with known_at in the window; its lines stay where they are."""
        start, end = (f"TIMESTAMPTZ '{at.isoformat(sep=' ')}'" for at in (within.start, within.end))
        return f"SELECT * FROM ({sql}\n) AS made WHERE known_at >= {start} AND known_at < {end}"

    def know(self, name: str, columns: pa.Schema) -> None:
        """Say which columns a table has that no query made; DuckDB looks for itself."""


class Translation(Text):
    """Queries in another dialect; a step's columns are known to those after it."""

    def __init__(self, dialect: str, pipeline: Pipeline, values: Values) -> None:
        # Only here: sqlglot is the engines' own, and takes half a second to import.
        from airloop.features.dialects import source_tree, translate

        self._off = translate.OffTheList
        self._translator = translate.Translator(dialect, values, source_tree.feed_tables(pipeline))

    def translate(self, sql: str, *, step: str | None = None) -> str:
        """The query in the dialect.

        Raises:
            OffTheList: Something of it is not proven there.
        """
        try:
            return self._translator.translate(sql, step=step)
        except self._off as error:
            raise OffTheList([(item.line, item.message) for item in error.refusals]) from error

    def know(self, name: str, columns: pa.Schema) -> None:
        """See Text."""
        self._translator.know(name, columns)


class Session:
    """An engine with the feeds of a window put into it."""

    def __init__(self, engine: Engine, text: Text) -> None:
        self._engine = engine
        self._text = text

    def put(self, name: str, rows: pa.Table) -> None:
        """Make rows that no query made readable under a name."""
        self._text.know(name, rows.schema)
        self._engine.put(name, rows)

    def step(self, name: str, sql: str) -> None:
        """Make a query's rows readable under a name; raises what its engine raises, and OffTheList."""
        self._engine.step(name, self._text.translate(sql, step=name))

    def query(self, sql: str, *, within: Window | None = None) -> pa.Table:
        """A query's rows; raises what its engine raises, and OffTheList.

        Args:
            within: Rows whose known_at lies outside do not come: they would be computed, or sent, to be thrown away.
        """
        if within is not None and self._engine.has_column(sql, "known_at"):
            sql = self._text.bounded(sql, within)
        return self._engine.query(self._text.translate(sql))


@contextmanager
def session(
    pipeline: Pipeline, window: Window, feeds: Feeds, settings: Settings | None, query_seconds: float | None = None
) -> Iterator[Session]:
    """A session with the feeds as tables and the window's variables.

    Args:
        settings: None for the reference, whatever engine the installation has.
        query_seconds: After so much work the reference gives a query up; None for never.

    Raises:
        ConfigError: There is no such engine, its packages are missing, or it speaks another dialect.
        UpstreamUnavailable: It does not answer.
    """
    values = values_of(pipeline, window)
    own = None if settings is None else engine_class(settings).session(settings, values)
    opened = DuckDB.reference(values, query_seconds) if own is None else own
    with opened as engine:
        text = Text() if engine.dialect == DuckDB.dialect else Translation(engine.dialect, pipeline, values)
        for name, rows in feeds.items():
            engine.put(name, rows)
        yield Session(engine, text)


def engine_class(settings: Settings) -> type[Engine]:
    """The engine that the settings name.

    Raises:
        ConfigError: There is none, or it speaks a dialect that nothing is carried to.
    """
    try:
        engine: type[Engine] = ENGINE.load(settings.engine)
    except ConfigError as error:
        raise ConfigError(f"AIRLOOP_ENGINE: {error}") from error
    if engine.dialect not in DIALECTS:
        raise ConfigError(f"engine {settings.engine}: dialect {engine.dialect!r} is none of {', '.join(DIALECTS)}")
    return engine


def is_reference(settings: Settings) -> bool:
    """Whether the installation's engine is the reference itself."""
    return settings.engine == REFERENCE


def engine_version(settings: Settings) -> str:
    """Name and version of the installation's engine, like `postgres 18.4`.

    Raises:
        UpstreamUnavailable: It does not answer.
    """
    if is_reference(settings):
        return DuckDB.installed()
    with engine_class(settings).session(settings, _NO_WINDOW) as engine:
        return engine.version()
