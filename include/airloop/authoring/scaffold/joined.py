"""Tables beside the first: static feeds, one row a key, joined to the rows by a column that both have."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from airloop.authoring.scaffold.columns import Column, described, free_name, why_no_feature
from airloop.authoring.scaffold.key_columns import key_fault
from airloop.config.feed import RESERVED_COLUMNS
from airloop.errors import ConfigError, DataContractError
from airloop.sources.land_dialect import Dialect
from airloop.sources.land_tables import Table, read_table


@dataclass(frozen=True)
class Joined:
    """A static table of a draft.

    Attributes:
        name: Of its feed.
        join: The column that the rows and the table have in common, the table's key.
        columns: As the feed declares them; no other feature, and no column of the rows, has a feature's name.
        without: How many rows of the first table have no row in it.
    """

    name: str
    table: Table
    join: str
    columns: tuple[Column, ...]
    without: int


def asked_tables(tables: Sequence[str], joins: Sequence[str]) -> list[tuple[str, Path, str]]:
    """(feed, file, join column) of `--table NAME=FILE` and `--join COLUMN`, one for all or one for each in its order.

    Raises:
        ConfigError: Not written so, a name that is none or taken, or joins that fit no table.
    """
    if not tables and joins:
        raise ConfigError(f"--join {joins[0]}: there is no --table NAME=FILE to join")
    if tables and len(joins) not in (1, len(tables)):
        raise ConfigError(
            f"{len(tables)} times --table and {len(joins)} times --join: give one for all, or one for each"
        )
    named: list[tuple[str, Path, str]] = []
    for number, text in enumerate(tables):
        name, equals, path = text.partition("=")
        if not equals or not name.isidentifier() or not name.islower():
            raise ConfigError(
                f"--table {text!r}: write NAME=FILE with a name of small letters, like customers=customers.csv"
            )
        if name in ("events", "outcomes", *(name_before for name_before, _, _ in named)):
            raise ConfigError(f"--table {name}: the name is taken; choose another")
        named.append((name, Path(path), joins[min(number, len(joins) - 1)]))
    return named


def read_joined(
    tables_named: Sequence[tuple[str, Path, str]], rows: Table, columns: Sequence[Column], dialect: Dialect
) -> tuple[Joined, ...]:
    """Read each table, and find out what of it is a feature.

    Raises:
        ConfigError: A join column is missing on one side.
        DataContractError: Rows share a key or have none, no row finds one in the table, or see read_table.
    """
    used_names = {name.lower() for column in columns for name in (column.name, column.feature) if name}
    tables = []
    for name, path, join in tables_named:
        table = read_table(path, dialect)
        for side in (rows, table):
            side.require(join, "--join")
        tables.append(_joined(name, table, join, rows, used_names))
    return tuple(tables)


def _joined(name: str, table: Table, join: str, rows: Table, used_names: set[str]) -> Joined:
    _refuse_key(name, table, join)
    keys, row_keys = table.texts[join], rows.texts[join]
    without = int((~row_keys.is_in(keys.implode())).sum()) + row_keys.null_count()
    if without >= len(row_keys):
        raise DataContractError(
            f"--table {name}: no row of {rows.path} finds its {join} in {table.path}: {row_keys.drop_nulls()[0]!r} "
            f"there, {keys[0]!r} here; have both written in one way"
        )
    values, columns = table.values(), []
    for column in values.columns:
        if column == join:
            columns.append(Column(join, "string", 0))
        elif column not in RESERVED_COLUMNS:
            why_not = why_no_feature(values[column])
            column_described = described(values[column], feature=None, why_not=why_not)
            feature = None if why_not else free_name(f"{name}_{column}", used_names)
            columns.append(replace(column_described, feature=feature))
    return Joined(name, table, join, tuple(columns), without)


def _refuse_key(name: str, table: Table, join: str) -> None:
    texts = table.texts[join]
    if texts.null_count():
        raise DataContractError(f"--table {name}: {texts.null_count()} rows of {table.path} have no {join}")
    if says := key_fault(table, join):
        raise DataContractError(f"--table {name}: {table.path}: {says}")
    shared = texts.filter(texts.is_duplicated())
    if len(shared):
        lines = (table.texts.with_row_index("_row", offset=1).filter(pl.col(join) == shared[0]))["_row"].to_list()
        raise DataContractError(
            f"--table {name}: {len(shared)} rows of {table.path} share their {join} with another, first "
            f"{join}={shared[0]} (rows {', '.join(map(str, lines[:5]))}): a table beside the rows has one row a key; a "
            f"table with a time of its own is a second dated feed: docs/guides/second_day.md"
        )
