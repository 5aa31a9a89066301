"""What a query on a database gives, as the table that `pipelines new` infers a pipeline from."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import polars as pl
import sqlalchemy as sa

from airloop.config.feed import ColumnType
from airloop.data.value_rules import Kind, kind_of
from airloop.errors import DataContractError
from airloop.settings import Settings
from airloop.sources.database_lines import text_of
from airloop.sources.land_tables import Table, refuse_shape
from airloop.sources.sql_source import engine_of, explained

MOST_ROWS = 2_000_000
"""More are not needed to infer a declaration, and would have to fit into memory."""
_TYPES: tuple[tuple[tuple[type, ...], ColumnType], ...] = (
    ((bool,), "boolean"),
    ((int,), "integer"),
    ((int, float, Decimal), "float"),
    ((datetime,), "timestamp"),
    ((str, UUID), "string"),
)


def read_query(connection: str, query: str, settings: Settings) -> Table:
    """The rows of one SELECT; a column's kind is its database type's, as the stage extract will read it.

    A text stays a text also where it looks like a number; where all of them are instants (SQLite has no type for them)
    they are timestamps. A column whose values landing would refuse is left out, with the cast that mends it.

    Raises:
        ConfigError: No such connection, or the database refuses the query.
        DataContractError: No rows, more than MOST_ROWS, two columns of one name, or none is an instant.
        UpstreamUnavailable: The database does not answer.
    """
    place = f"connection {connection!r}"
    engine = engine_of(connection, place, settings)
    with explained(place, engine), engine.connect() as database:
        streaming = database.execution_options(stream_results=True)
        result = streaming.execute(sa.text(query.replace(":", r"\:") + "\n"))
        names, rows = list(result.keys()), result.fetchmany(MOST_ROWS + 1)
    if len(rows) > MOST_ROWS:
        raise DataContractError(
            f"{place}: the query gives more than {MOST_ROWS:,} rows: bound it to some months, like WHERE ordered_at >= "
            "'2024-01-01'; take the bound out of `source.query` in pipeline.yaml afterwards"
        )
    return _table(Path(f"the query on {connection}"), names, rows)


def _table(path: Path, names: list[str], rows: Sequence[Any]) -> Table:
    kinds: dict[str, Kind] = {}
    texts: dict[str, pl.Series] = {}
    left_out: dict[str, str] = {}
    for place, name in enumerate(names):
        values = [row[place] for row in rows]
        try:
            kinds_here, column = _column(values)
        except (DataContractError, ValueError, OverflowError) as error:
            left_out[name] = str(error)
            continue
        kinds[name], texts[name] = kinds_here, pl.Series(name, column, dtype=pl.String)
    refuse_shape(path, names, len(rows))
    if "timestamp" not in kinds.values():
        why = "".join(f"; {name!r}: {says}" for name, says in left_out.items() if "time zone" in says)
        raise DataContractError(
            f"{path}: no column is a timestamp with a time zone, and every row needs the instant it is about: cast it "
            f"in the query, like ordered_at AT TIME ZONE 'UTC' AS ordered_at{why}"
        )
    return Table(path, pl.DataFrame(list(texts.values())), kinds, left_out)


def _column(values: Sequence[Any]) -> tuple[Kind, list[str | None]]:
    """Kind and texts of a column's values.

    Raises:
        DataContractError: Landing would refuse one of them.
    """
    value_types = {type(value) for value in values if value is not None}
    if not value_types:
        return "empty", [None] * len(values)
    kind = next((kind for types, kind in _TYPES if value_types <= set(types)), None)
    if kind is None:
        names = ", ".join(sorted(one.__name__ for one in value_types))
        midnight = ", at a midnight you choose: a day has no instant" if value_types == {date} else ""
        raise DataContractError(f"it holds {names}: cast it in the query{midnight}")
    texts = [None if value is None else text_of(kind, value) for value in values]
    if kind == "string" and kind_of(pl.Series(texts, dtype=pl.String)) == "timestamp":
        return "timestamp", [None if value is None else text_of("timestamp", value) for value in values]
    return kind, texts
