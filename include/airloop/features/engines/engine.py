"""What an engine is: it takes tables, keeps steps, and answers queries with Arrow."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from typing import ClassVar, Self

import pyarrow as pa

from airloop.features.dialects.values import Values
from airloop.settings import Settings
from airloop.stores.lake_rows import Rows


class EngineError(Exception):
    """A query does not run on the engine; the message is one line of what the engine says."""


class Engine(ABC):
    """A session of an engine; it ends with its block, and nothing of it stays behind.

    Attributes:
        dialect: sqlglot's name of its SQL. `duckdb` runs the text as it is written; for `postgres` and `spark` airloop
            carries it (airloop.features.dialects) and refuses what is not proven there.
    """

    dialect: ClassVar[str]

    @classmethod
    @abstractmethod
    def session(cls, settings: Settings, values: Values) -> AbstractContextManager[Self]:
        """Open a session whose zone is UTC and in which no table is known yet.

        Args:
            settings: `engine_url` says where it is.
            values: The window's variables, for an engine that has variables.

        Raises:
            ConfigError: Its packages are not installed, or the URL is missing or of another kind.
            UpstreamUnavailable: It does not answer.
        """

    @abstractmethod
    def version(self) -> str:
        """Name and version of what answers, like `postgres 18.4`."""

    @abstractmethod
    def put(self, name: str, rows: Rows) -> None:
        """Make rows readable under a name; those of the lake may be read from there by the engine itself."""

    @abstractmethod
    def step(self, name: str, sql: str) -> None:
        """Make the rows of a query, in the engine's own SQL, readable under a name."""

    @abstractmethod
    def query(self, sql: str) -> pa.Table:
        """The rows of a query, in the engine's own SQL; instants are UTC, numbers of any Arrow type.

        Raises:
            EngineError: It does not run.
            UpstreamUnavailable: The engine is gone.
        """

    def has_column(self, sql: str, name: str) -> bool:
        """Whether the rows of a query have a column; an engine that would have to run it to know says yes."""
        return True
