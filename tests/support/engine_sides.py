"""Engines that refuse: what airloop makes of their answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

import pyarrow as pa

from airloop.features.dialects.values import Values
from airloop.features.engines.engine import Engine, EngineError
from airloop.settings import Settings
from airloop.stores.lake_rows import Rows


class Deaf(Engine):
    """Takes everything and answers nothing."""

    dialect = "postgres"

    @classmethod
    @contextmanager
    def session(cls, settings: Settings, values: Values) -> Iterator[Self]:
        yield cls()

    def version(self) -> str:
        return "deaf 1"

    def put(self, name: str, rows: Rows) -> None:
        pass

    def step(self, name: str, sql: str) -> None:
        pass

    def query(self, sql: str) -> pa.Table:
        raise EngineError("said no")


class Foreign(Deaf):
    """Speaks what nothing is carried to."""

    dialect = "mysql"
