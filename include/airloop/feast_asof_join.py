"""Which row of a history is the one that counts: the newest per key, or the newest known at a given instant.

Instants are compared as naive UTC microseconds: what Delta stores, and free of DuckDB's session time zone.
Both functions answer with line numbers, so that values pass from Arrow to Arrow with their types and nulls.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from airloop.errors import DataContractError

INSTANT = pa.timestamp("us")

_NEWEST = "row_number() OVER (PARTITION BY {group} ORDER BY moment DESC, created DESC NULLS LAST, line DESC) = 1"

_LATEST_SQL = "SELECT line FROM known QUALIFY {newest} ORDER BY line"

# A row that was overtaken before it was seen can never be the answer; once those are gone, one as-of join is enough.
_AS_OF_SQL = """
    WITH visible AS (
        SELECT {keys}, line, moment, {seen} AS seen FROM known WHERE seen IS NOT NULL QUALIFY {newest}
    ), standing AS (
        SELECT * FROM visible QUALIFY moment >= coalesce(max(moment) OVER (
            PARTITION BY {keys} ORDER BY seen ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), moment)
    )
    SELECT CASE WHEN $ttl IS NULL OR standing.moment >= asked.moment - $ttl THEN standing.line END AS line
    FROM asked ASOF LEFT JOIN standing ON {on} AND asked.moment >= standing.seen
    ORDER BY asked.line
"""
_SEEN_WHEN_CREATED = "CASE WHEN created IS NOT NULL THEN greatest(moment, created) END"


@dataclass(frozen=True)
class History:
    """Rows of a table and the columns that decide which of them counts.

    Attributes:
        name: What an error calls it.
        rows: Any columns; rows may repeat.
        keys: The columns that say what a row describes.
        moment: Timestamp column: since when the row holds. Naive is UTC.
        created: Timestamp column: when the row was written. Of rows of one key and moment the largest wins, null last;
            when these are equal or there is no such column, the row that lies last.
    """

    name: str
    rows: pa.Table
    keys: Sequence[str]
    moment: str
    created: str | None = None


def latest_lines(history: History) -> pa.ChunkedArray:
    """Answer the line of the newest row of each key, ascending; rows without any key column are one key."""
    group = ", ".join(_key_names(history.keys)) or "true"
    return _lines(_LATEST_SQL.format(newest=_NEWEST.format(group=group)), known=_known(history))


def as_of_lines(
    history: History, asked: pa.Table, *, ttl: timedelta | None = None, as_known: bool = False
) -> pa.ChunkedArray:
    """Answer for each asked row the line of the newest row with `moment <= asked`, or null.

    Args:
        history: The rows to choose from.
        asked: One column per key of `history`, in the same order, and last the instant as a timestamp. A null key or
            instant finds nothing.
        ttl: Also require `moment >= asked - ttl`; None looks back without end.
        as_known: Also require `created <= asked`, when the history has that column; a null never counts.

    Raises:
        DataContractError: A key is text on one side and a number on the other (DuckDB would cast, and match or not).
    """
    keys = _key_names(history.keys)
    sql = _AS_OF_SQL.format(
        keys=", ".join(keys),
        on=" AND ".join(f"asked.{key} = standing.{key}" for key in keys),
        seen=_SEEN_WHEN_CREATED if as_known and history.created else "moment",
        newest=_NEWEST.format(group=", ".join([*keys, "seen"])),
    )
    columns = [_comparable(asked, number, history) for number in range(len(keys))]
    numbered = _numbered(pa.table([*columns, asked.column(len(keys)).cast(INSTANT, safe=False)], [*keys, "moment"]))
    return _lines(sql, {"ttl": ttl}, known=_known(history), asked=numbered)


def _comparable(asked: pa.Table, number: int, history: History) -> pa.ChunkedArray:
    column, kind = asked.column(number), history.rows.schema.field(history.keys[number]).type
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_null(column.type):
        return column.cast(kind)
    if _family(column.type) != _family(kind):
        name = asked.column_names[number]
        raise DataContractError(f"join key {name} is {column.type} in the entity rows and {kind} in {history.name}")
    return column


def _family(kind: pa.DataType) -> str:
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "text"
    return str(kind)


def _known(history: History) -> pa.Table:
    rows = history.rows
    columns = [rows[key] for key in history.keys]
    columns.append(rows[history.moment].cast(INSTANT, safe=False))
    columns.append(rows[history.created].cast(INSTANT, safe=False) if history.created else pa.nulls(len(rows), INSTANT))
    return _numbered(pa.table(columns, [*_key_names(history.keys), "moment", "created"]))


def _numbered(table: pa.Table) -> pa.Table:
    return table.append_column("line", pa.array(np.arange(len(table))))


def _key_names(keys: Sequence[str]) -> list[str]:
    # The statements carry no name of an author's column, so that none has to be quoted.
    return [f"key{number}" for number in range(len(keys))]


def _lines(sql: str, parameters: dict[str, Any] | None = None, **tables: pa.Table) -> pa.ChunkedArray:
    with duckdb.connect() as connection:
        for name, table in tables.items():
            connection.register(name, table)
        found: pa.Table = connection.sql(sql, params=parameters).to_arrow_table()
    return found["line"]
