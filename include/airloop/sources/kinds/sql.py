"""Databases, through SQLAlchemy."""

from collections.abc import Iterator, Sequence
from typing import Any

from airloop.records import Window
from airloop.sources import sql_source
from airloop.sources.kinds.source import Source


class Sql(Source):
    """One SELECT on a database, by `connection` and `query`; an Airflow connection holds address and password."""

    def rows(self, over: Window | None) -> Iterator[Sequence[Any]]:
        """See Source."""
        return sql_source.read_rows(self.name, self.feed, over, self.settings)
