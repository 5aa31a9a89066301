"""Feast's table of one view on SQLite, written so that the newest known value wins and what is there stays untouched.

The table has a line a key and feature. Feast's columns hold whole seconds, which its readers convert; beside them lie
microseconds, which tell two events of a second apart. A row a key is staged, and SQLite makes the lines of it: in
Python they take several times as long.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import chain
from operator import itemgetter
from typing import TypeVar

from feast.infra.online_stores.sqlite import _quote_id

_Item = TypeVar("_Item")

_ADDED = ("event_microseconds", "created_microseconds")
_STAMPS = ("event_ts", "created_ts", *_ADDED)
_COLUMNS = ("entity_key", "feature_name", *_STAMPS, "value", "value_text")
_TOGETHER = 20
"""Features of a staged row: of the values of each, those of one line are looked for."""

Cells = Sequence[tuple[bytes, str | None]]
"""Of one feature: for each row its value and the text of it."""


def _stamps_of(side: str) -> str:
    # Null as a created timestamp is older than any other.
    return (
        f"({side}.event_ts, ifnull({side}.event_microseconds, 0), "
        f"ifnull({side}.created_ts, -1), ifnull({side}.created_microseconds, -1))"
    )


# Staged rows lie in the order of their keys, which makes the inserts sequential.
_PUBLISH_SQL = f"""
    INSERT INTO {{table}} AS held ({", ".join(_COLUMNS)})
    SELECT entity_key, feature_name, {", ".join(_STAMPS)}, {{value}}, {{text}}
    FROM {{staged}} CROSS JOIN {{staged}}_features WHERE true
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


def prepare(connection: sqlite3.Connection, table: str, features: Sequence[str]) -> None:
    """Make room for staged rows beside the database, and add what Feast's own table lacks."""
    for number, some in enumerate(_together(features)):
        cells = (f"{name}_{place}" for place in range(len(some)) for name in ("value", "text"))
        connection.execute(f"CREATE TEMP TABLE staged_{number} ({', '.join(('entity_key', *_STAMPS, *cells))})")
        connection.execute(f"CREATE TEMP TABLE staged_{number}_features (place INTEGER, feature_name TEXT)")
        # By name, as the lines of a key lie in the table.
        places = sorted(enumerate(some), key=itemgetter(1))
        connection.executemany(f"INSERT INTO staged_{number}_features VALUES (?, ?)", places)
    if {*_ADDED} <= _columns(connection, table):
        return
    connection.execute("BEGIN IMMEDIATE")
    for column in sorted({*_ADDED} - _columns(connection, table)):
        connection.execute(f"ALTER TABLE {_quote_id(table)} ADD COLUMN {column} INTEGER")
    connection.execute("COMMIT")


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {column for (column,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))}


def stage(
    connection: sqlite3.Connection,
    keys: Sequence[bytes],
    stamps_of: Sequence[tuple[int | None, ...]],
    cells: Sequence[Cells],
) -> None:
    """Put rows beside the database.

    Args:
        stamps_of: `stamps` of each row.
        cells: Of the features that the table was prepared for, in their order.
    """
    order = sorted(range(len(keys)), key=keys.__getitem__)
    for number, some in enumerate(_together(cells)):
        columns = 1 + len(_STAMPS) + 2 * len(some)
        rows = (
            (keys[row], *stamps_of[row], *chain.from_iterable(of_feature[row] for of_feature in some)) for row in order
        )
        connection.executemany(f"INSERT INTO staged_{number} VALUES ({', '.join('?' * columns)})", rows)


def publish(connection: sqlite3.Connection, table: str, features: Sequence[str]) -> None:
    """Put what is staged into the table, in one transaction, where what is there by then is older, or another value."""
    if connection.execute("SELECT 1 FROM staged_0 LIMIT 1").fetchone() is None:
        return
    connection.execute("BEGIN IMMEDIATE")
    for number, some in enumerate(_together(features)):
        staged = f"staged_{number}"
        value, text = (_in_its_place(name, len(some)) for name in ("value", "text"))
        connection.execute(_PUBLISH_SQL.format(table=_quote_id(table), staged=staged, value=value, text=text))
    connection.execute("COMMIT")


def _in_its_place(name: str, features: int) -> str:
    return f"CASE place {' '.join(f'WHEN {place} THEN {name}_{place}' for place in range(features))} END"


def _together(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    return (items[start : start + _TOGETHER] for start in range(0, len(items), _TOGETHER))
