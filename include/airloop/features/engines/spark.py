"""Spark, through Spark Connect: the worker sends queries and gets Arrow; the rows stay with the server."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self
from urllib.parse import urlsplit

import pyarrow as pa

from airloop.errors import ConfigError, UpstreamUnavailable
from airloop.features.dialects.values import Values
from airloop.features.engines.engine import Engine, EngineError
from airloop.settings import Settings
from airloop.stores.lake_rows import LakeRows, Rows

_PORT = 15002
_SECONDS = 10
_GONE = ("UNAVAILABLE", "DEADLINE_EXCEEDED", "failed to connect", "Connection refused")


class Spark(Engine):
    """A Spark Connect server, yours or Databricks': AIRLOOP_ENGINE_URL=sc://HOST:PORT/;token=... (extra: spark)."""

    dialect = "spark"

    def __init__(self, session: Any, *, reads_lake: bool) -> None:
        self._session = session
        self._reads_lake = reads_lake

    @classmethod
    @contextmanager
    def session(cls, settings: Settings, values: Values) -> Iterator[Self]:
        """See Engine; each is one of its own on the server, so that two at once see nothing of each other."""
        if not settings.engine_url.startswith("sc://"):
            raise ConfigError(
                "AIRLOOP_ENGINE_URL: engine spark needs the address of a server, like sc://127.0.0.1:15002"
            )
        try:
            from pyspark.sql.connect.session import SparkSession
        except ImportError as error:
            raise ConfigError(f"engine spark needs its packages: pip install 'airloop[spark]' ({error})") from error
        _refuse_absent(settings.engine_url)
        with _saying():
            session = SparkSession.builder.remote(settings.engine_url).create()
            session.conf.set("spark.sql.session.timeZone", "UTC")
            session.conf.set("spark.sql.ansi.enabled", "true")
        try:
            yield cls(session, reads_lake=settings.engine_reads_lake)
        finally:
            session.stop()

    def version(self) -> str:
        """See Engine; what another server than Spark says of itself stands in brackets."""
        ours = str(self.query("SELECT version() AS version")["version"][0].as_py())
        return f"spark {self._session.version}" + ("" if ours.startswith(self._session.version) else f" ({ours})")

    def put(self, name: str, rows: Rows) -> None:
        """See Engine; of the lake's rows the server reads its table itself, unless AIRLOOP_ENGINE_READS_LAKE=false."""
        with _saying():
            frame = self._in_lake(rows) if isinstance(rows, LakeRows) and self._reads_lake else self._sent(rows)
            frame.createOrReplaceTempView(name)

    def step(self, name: str, sql: str) -> None:
        """See Engine; a view, which its readers compute."""
        with _saying():
            self._session.sql(sql).createOrReplaceTempView(name)

    def query(self, sql: str) -> pa.Table:
        """See Engine."""
        with _saying():
            rows = self._session.sql(sql).toArrow()
        # A literal comes back as never null: the value is the same.
        return rows.cast(pa.schema([field.with_nullable(True) for field in rows.schema]))

    def _sent(self, rows: Rows) -> Any:
        table = rows.table() if isinstance(rows, LakeRows) else rows
        if table.num_rows:
            return self._session.createDataFrame(table)
        # The client takes no table without rows, even if it has a schema.
        one = pa.table({field.name: pa.nulls(1, field.type) for field in table.schema})
        return self._session.createDataFrame(one).where("1 = 0")

    def _in_lake(self, rows: LakeRows) -> Any:
        from pyspark.sql import functions

        frame = self._session.read.format("delta").option("versionAsOf", rows.version).load(rows.uri)
        known = functions.col("known_at")
        frame = frame.where(known < functions.lit(rows.before))
        frame = frame if rows.since is None else frame.where(known >= functions.lit(rows.since))
        frame = frame.select(*rows.columns)
        try:
            frame.schema  # noqa: B018  the server looks for the table only when it is asked about it
        except Exception as error:
            raise ConfigError(
                f"engine spark cannot read {rows.uri}: {_line(error)}; give the server access to the lake, or set "
                "AIRLOOP_ENGINE_READS_LAKE=false, and the worker sends it the rows"
            ) from error
        return frame


def _refuse_absent(url: str) -> None:
    """Spark's client asks a server that is away for ten minutes before it says so."""
    address = urlsplit(url)
    try:
        socket.create_connection((address.hostname or "", address.port or _PORT), timeout=_SECONDS).close()
    except OSError as error:
        raise UpstreamUnavailable(f"engine spark does not answer at {address.hostname}: {error}") from error


@contextmanager
def _saying() -> Iterator[None]:
    """One line for what the server says; its own errors share a base class, those of the connection are gRPC's."""
    from grpc import RpcError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, RpcError) as error:
        says = _line(error)
        if any(word in str(error) for word in _GONE):
            raise UpstreamUnavailable(f"engine spark does not answer: {says}") from error
        raise EngineError(says) from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:500]
