"""The DuckDB in which features.sql runs: it sees the tables it is handed, and no file, extension or setting beside."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pyarrow as pa

from airloop.features.dialects.values import Values

# Nothing that a query reads may come from anywhere but the feeds: what it took from a file, from a variable of this
# process or from an extension, no leak check could take away. The last setting keeps the others as they are.
_CLOSED = """
SET TimeZone = 'UTC'; SET threads = 2;
SET python_enable_replacements = false;
SET autoinstall_known_extensions = false; SET autoload_known_extensions = false;
SET allow_community_extensions = false;
SET enable_external_access = false;
SET lock_configuration = true;
"""
_LINE = re.compile(r"^LINE (\d+): .*\n.*\^+\s*$", re.MULTILINE)
_LOOK_SECONDS = 0.05
_OUTSIDE = re.compile(r"\bgetenv\b")


@contextmanager
def closed_database(values: Values) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB with window_start, window_end, lookback_days and lead_minutes as variables (UTC), and no table yet."""
    connection = duckdb.connect()
    try:
        connection.execute(f"SET VARIABLE window_start = TIMESTAMPTZ '{values.window_start.isoformat()}'")
        connection.execute(f"SET VARIABLE window_end = TIMESTAMPTZ '{values.window_end.isoformat()}'")
        connection.execute(f"SET VARIABLE lookback_days = {values.lookback_days}")
        connection.execute(f"SET VARIABLE lead_minutes = {values.lead_minutes}")
        connection.execute(_CLOSED)
        yield connection
    finally:
        connection.close()


def run(connection: duckdb.DuckDBPyConnection, sql: str, seconds: float | None = None) -> pa.Table:
    """The rows of a query.

    Args:
        seconds: After so much of this process's time it is given up; None for never.

    Raises:
        duckdb.Error: It does not run; the message holds the line where DuckDB knows it.
    """
    try:
        with _given_up_after(connection, seconds):
            return connection.sql(sql).to_arrow_table()
    except duckdb.InterruptException as error:
        if seconds is None:
            raise
        raise duckdb.InterruptException(
            f"has not ended after {seconds:g} s of work over tables without a row"
        ) from error
    except duckdb.Error:
        # A relation's error does not say where; that of a prepared statement does.
        connection.execute(f"EXPLAIN {sql}")
        raise


@contextmanager
def _given_up_after(connection: duckdb.DuckDBPyConnection, seconds: float | None) -> Iterator[None]:
    """Interrupt the connection after so much work of this process: a machine that is busy with others ends nothing."""
    if seconds is None:
        yield
        return
    ended, until = threading.Event(), time.process_time() + seconds

    def watch() -> None:
        while not ended.wait(_LOOK_SECONDS):
            if time.process_time() > until:
                connection.interrupt()
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def explain(error: duckdb.Error, first_line: int) -> tuple[int, str]:
    """The line of the file an error is about (the query's first where DuckDB names none), and what to do in one line.

    Args:
        first_line: The line of the file on which the query begins.
    """
    text = str(error)
    named = _LINE.search(text)
    line = first_line + int(named[1]) - 1 if named else first_line
    says = " ".join(_LINE.sub("", text).split())
    if isinstance(error, duckdb.PermissionException) or _OUTSIDE.search(says):
        says += (
            " (a query reads the pipeline's feeds and nothing else: no file, extension, setting or environment; "
            "declare the data as a feed and land it)"
        )
    return line, says
