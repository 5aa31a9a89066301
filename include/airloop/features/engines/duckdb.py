"""DuckDB, in the worker's own process."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Self

import duckdb
import pyarrow as pa

from airloop.features import sql_database
from airloop.features.dialects.values import Values
from airloop.features.engines.engine import Engine
from airloop.settings import Settings
from airloop.stores.lake_rows import LakeRows, Rows


class DuckDB(Engine):
    """In the worker's process, closed to everything but the feeds: the default, and the reference of all others."""

    dialect = "duckdb"

    def __init__(self, connection: duckdb.DuckDBPyConnection, query_seconds: float | None = None) -> None:
        self._connection, self._query_seconds = connection, query_seconds

    @classmethod
    @contextmanager
    def reference(cls, values: Values, query_seconds: float | None = None) -> Iterator[Self]:
        """A session on any installation.

        Args:
            query_seconds: After so much of this process's time a query is given up; None for never.
        """
        with sql_database.closed_database(values) as connection:
            yield cls(connection, query_seconds)

    @classmethod
    def session(cls, settings: Settings, values: Values) -> AbstractContextManager[Self]:
        """See Engine."""
        return cls.reference(values)

    @staticmethod
    def installed() -> str:
        """What `version` says of this process's own, without a session."""
        return f"duckdb {duckdb.__version__}"

    def version(self) -> str:
        """See Engine."""
        return self.installed()

    def put(self, name: str, rows: Rows) -> None:
        """See Engine."""
        self._connection.register(name, rows.table() if isinstance(rows, LakeRows) else rows)

    def step(self, name: str, sql: str) -> None:
        """See Engine; raises duckdb.Error, whose message holds the line."""
        self._connection.execute(f'CREATE TEMP TABLE "{name}" AS {sql}')

    def query(self, sql: str) -> pa.Table:
        """See Engine; raises duckdb.Error, whose message holds the line."""
        return sql_database.run(self._connection, sql, self._query_seconds)

    def has_column(self, sql: str, name: str) -> bool:
        """See Engine; what is wrong with the query is said where it is run."""
        try:
            return name in self._connection.sql(sql).columns
        except duckdb.Error:
            return True
