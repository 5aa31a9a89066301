"""Real servers of the engines beside DuckDB, from wheels, and a pipeline-free way to ask all of them the same."""

import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from tests.support import postgresql
from tests.support.waiting import bound, until

from airloop.authoring.engine_proof import ComparedSection, compare
from airloop.features.dialects import source_tree, translate
from airloop.features.dialects.values import Values
from airloop.features.engines.duckdb import DuckDB
from airloop.features.engines.postgres import Postgres
from airloop.features.engines.spark import Spark
from airloop.settings import Settings, load_settings
from airloop.stores import lake

WINDOW = Values(datetime(2013, 3, 1, tzinfo=UTC), datetime(2013, 3, 2, tzinfo=UTC), 2, 60)
ENGINES = {"postgres": Postgres, "spark": Spark}
_TYPES = {pa.int64(): "BIGINT", pa.float64(): "DOUBLE", pa.string(): "VARCHAR", pa.bool_(): "BOOLEAN"}


@contextmanager
def sail(folder: Path) -> Iterator[str]:
    """Run a Spark Connect server without a JVM for the block; yields its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).with_name("sail")), "spark", "server", "--ip", "127.0.0.1", "--port", str(port)]
    with (folder / "sail.log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        answers = until(lambda: server.poll() is not None or _answers(port), seconds=60)
        if server.poll() is not None or not answers:
            raise RuntimeError(f"no Spark server: {(folder / 'sail.log').read_text()[-2000:]}")
        yield f"sc://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=bound(30))


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def urls(folder: Path) -> Iterator[dict[str, str]]:
    """Both servers for the block; yields AIRLOOP_ENGINE_URL by engine."""
    with ExitStack() as stack:
        socket_folder = stack.enter_context(postgresql.server())
        server = stack.enter_context(sail(folder))
        yield {"postgres": f"postgresql://postgres@/postgres?host={socket_folder}", "spark": server}


def settings_of(engine: str, url: str, **more: Any) -> Settings:
    return load_settings(engine=engine, engine_url=url, **more)


def tables_of(feeds: Mapping[str, pa.Table]) -> source_tree.Tables:
    """The columns of tables, as the feeds' declarations would say them."""
    from sqlglot import exp

    return {
        name: {field.name: exp.DataType.build(_TYPES.get(field.type, "TIMESTAMPTZ")) for field in rows.schema}
        for name, rows in feeds.items()
    }


class Sides:
    """DuckDB and the other engines with the same tables put into each."""

    def __init__(self, feeds: Mapping[str, pa.Table], engines: Mapping[str, Any], reference: DuckDB) -> None:
        self._tables = tables_of(feeds)
        self._engines = engines
        self._reference = reference

    def reference(self, sql: str) -> pa.Table:
        rows = self._reference.query(sql)
        stamps = [
            field.with_type(lake.INSTANT) if pa.types.is_timestamp(field.type) else field for field in rows.schema
        ]
        return rows.cast(pa.schema(stamps))

    def translated(self, engine: str, sql: str) -> str:
        return translate.Translator(engine, WINDOW, self._tables).translate(sql)

    def rows(self, engine: str, sql: str) -> pa.Table:
        return self._engines[engine].query(self.translated(engine, sql))

    def compared(self, engine: str, sql: str) -> ComparedSection:
        return compare("probe", self.reference(sql), self.rows(engine, sql))

    def raw(self, engine: str, sql: str) -> pa.Table:
        return self._engines[engine].query(sql)


@contextmanager
def sides(feeds: Mapping[str, pa.Table], addresses: Mapping[str, str], home: Path) -> Iterator[Sides]:
    with ExitStack() as stack:
        reference = stack.enter_context(DuckDB.reference(WINDOW))
        engines = {
            name: stack.enter_context(ENGINES[name].session(settings_of(name, url, home=home), WINDOW))
            for name, url in addresses.items()
        }
        for name, rows in feeds.items():
            for engine in (reference, *engines.values()):
                engine.put(name, rows)
        yield Sides(feeds, engines, reference)
