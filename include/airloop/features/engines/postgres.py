"""PostgreSQL, through ADBC: rows go there and come back as Arrow, and everything made there is temporary."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import pyarrow as pa

from airloop.errors import ConfigError, UpstreamUnavailable
from airloop.features.dialects.values import Values
from airloop.features.engines.engine import Engine, EngineError
from airloop.settings import Settings
from airloop.stores.lake_rows import LakeRows, Rows

# Temporary tables are read first and only: what lies in the database beside them, no leak check could take away.
_CLOSED = ("SET TimeZone = 'UTC'", "SET search_path = pg_temp", "SET extra_float_digits = 1")
_VERSION = "SELECT current_setting('server_version') AS version"
_TEXTS = (pa.types.is_string, pa.types.is_large_string)


class Postgres(Engine):
    """A PostgreSQL database, 14 or later: AIRLOOP_ENGINE_URL=postgresql://... (extra: postgres-engine)."""

    dialect = "postgres"

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    @classmethod
    @contextmanager
    def session(cls, settings: Settings, values: Values) -> Iterator[Self]:
        """See Engine; a connection: its temporary tables end with it, however it ends."""
        if not settings.engine_url.startswith(("postgresql://", "postgres://")):
            raise ConfigError("AIRLOOP_ENGINE_URL: engine postgres needs a database, like postgresql://user@host/name")
        try:
            from adbc_driver_postgresql import dbapi
        except ImportError as error:
            raise ConfigError(
                f"engine postgres needs its packages: pip install 'airloop[postgres-engine]' ({error})"
            ) from error
        try:
            connection = dbapi.connect(settings.engine_url, autocommit=True)
        except dbapi.Error as error:
            raise UpstreamUnavailable(f"engine postgres does not answer: {_line(error)}") from error
        try:
            engine = cls(connection)
            for statement in _CLOSED:
                engine._run(statement)
            yield engine
        finally:
            connection.close()

    def version(self) -> str:
        """See Engine."""
        return "postgres " + str(self.query(_VERSION)["version"][0].as_py()).partition(" ")[0]

    def put(self, name: str, rows: Rows) -> None:
        """See Engine; the worker streams the lake's rows, a few at a time. Texts are ordered by their bytes."""
        data = rows.batches() if isinstance(rows, LakeRows) else rows
        texts = [field.name for field in data.schema if any(is_text(field.type) for is_text in _TEXTS)]
        with self._cursor() as cursor:
            cursor.adbc_ingest(name, data, mode="create", temporary=True)
        if texts:
            changes = ", ".join(f'ALTER COLUMN {_quoted(text)} TYPE text COLLATE "C"' for text in texts)
            self._run(f"ALTER TABLE {_quoted(name)} {changes}")
        self._run(f"ANALYZE {_quoted(name)}")

    def step(self, name: str, sql: str) -> None:
        """See Engine."""
        self._run(f"CREATE TEMP TABLE {_quoted(name)} AS {sql}")
        self._run(f"ANALYZE {_quoted(name)}")

    def query(self, sql: str) -> pa.Table:
        """See Engine."""
        with self._cursor() as cursor:
            cursor.execute(sql)
            return _plain(cursor.fetch_arrow_table())

    def _run(self, statement: str) -> None:
        with self._cursor() as cursor:
            cursor.execute(statement)

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        from adbc_driver_manager import Error, OperationalError

        try:
            with self._connection.cursor() as cursor:
                yield cursor
        except OperationalError as error:
            raise UpstreamUnavailable(f"engine postgres: {_line(error)}") from error
        except Error as error:
            raise EngineError(_line(error)) from error


def _plain(rows: pa.Table) -> pa.Table:
    """NUMERIC (the sum of whole numbers is one) comes as text in a type of its own: a number again."""
    columns = [_number(column) if _is_numeric(column.type) else column for column in rows.columns]
    return pa.table(columns, names=rows.schema.names)


def _is_numeric(kind: pa.DataType) -> bool:
    return isinstance(kind, pa.BaseExtensionType) and "numeric" in str(kind)


def _number(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pa.chunked_array([chunk.storage for chunk in column.chunks], pa.string()).cast(pa.float64())


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _line(error: Exception) -> str:
    return " ".join(str(error).partition("Query was:")[0].split())[:500]
