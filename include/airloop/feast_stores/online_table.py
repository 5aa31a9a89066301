"""Feast's table of one view on SQLite, written so that the newest known value wins and what is there stays untouched.

The table has a line a key and feature. Feast's columns hold whole seconds, which its readers convert; beside them lie
microseconds, which tell two events of a second apart.
"""

import sqlite3
from collections.abc import Iterable
from typing import Any

from feast.infra.online_stores.sqlite import _quote_id

_ADDED = ("event_microseconds", "created_microseconds")
_COLUMNS = ("entity_key", "feature_name", "value", "value_text", "event_ts", "created_ts", *_ADDED)
_PREPARE_SQL = f"CREATE TEMP TABLE staged ({', '.join(_COLUMNS)})"
_STAGE_SQL = f"INSERT INTO staged VALUES ({', '.join('?' * len(_COLUMNS))})"


def _stamps_of(side: str) -> str:
    # Null as a created timestamp is older than any other.
    return (
        f"({side}.event_ts, ifnull({side}.event_microseconds, 0), "
        f"ifnull({side}.created_ts, -1), ifnull({side}.created_microseconds, -1))"
    )


# The order of the keys makes the inserts sequential.
_PUBLISH_SQL = f"""
    INSERT INTO {{table}} AS held ({", ".join(_COLUMNS)})
    SELECT * FROM staged WHERE true ORDER BY entity_key, feature_name
    ON CONFLICT (entity_key, feature_name) DO UPDATE SET
        {", ".join(f"{column} = excluded.{column}" for column in _COLUMNS[2:])}
    WHERE {_stamps_of("excluded")} > {_stamps_of("held")}
       OR {_stamps_of("excluded")} = {_stamps_of("held")}
          AND (excluded.value IS NOT held.value OR excluded.value_text IS NOT held.value_text)
"""


def stamps(moment: int, created: int | None) -> tuple[int | None, ...]:
    """Microseconds since 1970 as the table has them: event_ts, created_ts, and the microseconds of each."""
    at, created_at = divmod(moment, 1_000_000), (None, None) if created is None else divmod(created, 1_000_000)
    return at[0], created_at[0], at[1], created_at[1]


def prepare(connection: sqlite3.Connection, table: str) -> None:
    """Make room for staged rows beside the database, and add what Feast's own table lacks."""
    connection.execute(_PREPARE_SQL)
    if {*_ADDED} <= _columns(connection, table):
        return
    connection.execute("BEGIN IMMEDIATE")
    for column in sorted({*_ADDED} - _columns(connection, table)):
        connection.execute(f"ALTER TABLE {_quote_id(table)} ADD COLUMN {column} INTEGER")
    connection.execute("COMMIT")


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {column for (column,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))}


def stage(connection: sqlite3.Connection, lines: Iterable[tuple[Any, ...]]) -> None:
    """Put lines of the table beside the database: key, feature, value, its text, `stamps`."""
    connection.executemany(_STAGE_SQL, lines)


def publish(connection: sqlite3.Connection, table: str) -> None:
    """Put what is staged into the table, in one transaction, where what is there by then is older, or another value."""
    if connection.execute("SELECT 1 FROM staged LIMIT 1").fetchone() is None:
        return
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(_PUBLISH_SQL.format(table=_quote_id(table)))
    connection.execute("COMMIT")
