"""Feeds that a new pipeline fetches from a database: their queries, and what tells that a row was written."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from airloop.authoring.scaffold.columns import Column
from airloop.authoring.scaffold.rules import flow
from airloop.errors import ConfigError
from airloop.settings import Settings
from airloop.sources.land_tables import Table

_WRITTEN = re.compile(r"(^|_)(updated|modified|changed|written)(_|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Query:
    """What the command line says of a database; `written` as in Database."""

    connection: str
    query: str
    written: str | None = None


@dataclass(frozen=True)
class Database:
    """Where a pipeline's rows come from instead of files.

    Attributes:
        connection: Id of an Airflow connection; its URL is written nowhere.
        query: One SELECT with the columns of the table.
        written: Column with the instant a row was last written; None where there is none.
    """

    connection: str
    query: str
    written: str | None = None

    def source(self, columns: Iterable[Column], *, watermark: str, where: str, settings: Settings) -> str:
        """A feed's `source`, in YAML's flow style."""
        # SQLAlchemy is imported for a database alone.
        from airloop.sources.sql_source import quoted

        names = ", ".join(quoted(self.connection, column.name, settings) for column in columns)
        present = f" WHERE {quoted(self.connection, where, settings)} IS NOT NULL" if where else ""
        query = f"SELECT {names} FROM ({' '.join(self.query.split())}) AS source_rows{present}"
        return flow({"connection": self.connection, "query": query, "watermark": watermark, "overlap_minutes": 60})


def asked_database(query: Query, table: Table) -> Database:
    """Where a pipeline's rows come from, with the column that tells when a row was written.

    Raises:
        ConfigError: `--watermark` names no column of timestamps that every row has, or the query holds a comment.
    """
    # It would swallow what follows, as the query is written on one line.
    if "--" in query.query:
        raise ConfigError("--query: leave out comments (--): the query is written into pipeline.yaml on one line")
    values = table.values()
    times = [name for name, kind in table.kinds.items() if kind == "timestamp" and not values[name].null_count()]
    if query.written is not None and table.require(query.written, "--watermark") not in times:
        raise ConfigError(
            f"--watermark {query.written}: no timestamp in every row; of those there are: {', '.join(times)}"
        )
    return Database(query.connection, query.query, query.written or next(filter(_WRITTEN.search, times), None))
