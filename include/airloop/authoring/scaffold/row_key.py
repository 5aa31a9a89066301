"""The columns that identify a row: as asked for, or the first of the likely ones that is unique."""

import itertools
from collections.abc import Iterator

import polars as pl

from airloop.authoring.scaffold.key_columns import NAMED_LIKE_KEYS, counts_rows, key_fault
from airloop.authoring.scaffold.time_column import refuse_missing
from airloop.errors import ConfigError, DataContractError
from airloop.sources.land_tables import Table


def given_key(table: Table, values: pl.DataFrame, key: tuple[str, ...]) -> tuple[str, ...]:
    """The key asked for.

    Raises:
        ConfigError: A column of it cannot be a key.
        DataContractError: Rows lack a value, share a key, or its values are not fully there.
    """
    for name in key:
        if name not in values.columns:
            raise ConfigError(f"--key {name}: the column is {table.kinds[name]}, and identifies nothing")
        refuse_missing(table, values, "--key", name)
        if says := key_fault(table, name):
            raise DataContractError(f"--key {name}: {table.path}: {says}")
    shared = values.filter(pl.struct(key).is_duplicated())
    if shared.height:
        first = ", ".join(f"{name}={shared[name][0]}" for name in key)
        raise DataContractError(
            f"--key {','.join(key)}: {shared.height} rows of {table.path} share their key with another, first {first}; "
            "of rows with one key only the last would count: name more columns"
        )
    return key


def unique_key(table: Table, values: pl.DataFrame, time: str, label: str | None) -> tuple[str, ...]:
    """The first likely key that is unique in the table.

    Raises:
        ConfigError: None is; names the nearest, and two rows that share it.
    """
    fit = values.select(name for name in values.columns if not (key_fault(table, name) or counts_rows(values[name])))
    nearest: tuple[str, ...] = (time,)
    fewest = values.height + 1
    for key in _key_candidates(fit, time, label):
        shared = int(values.select(pl.struct(key).is_duplicated().sum()).item())
        if not shared:
            return key
        if shared < fewest:
            nearest, fewest = key, shared
    raise ConfigError(
        f"{table.path}: no column, nor a text or whole number with {time!r}, is unique: name the columns that identify "
        f"a row by --key A,B (duplicate rows have to go first{_of_rows(values)}). Nearest is {','.join(nearest)}: "
        f"{_collision(values, nearest, fewest)}"
    )


def _collision(values: pl.DataFrame, key: tuple[str, ...], shared: int) -> str:
    """How many rows share a key, and the first two of them with the columns in which they differ."""
    rows = values.with_row_index("_row", offset=1).filter(pl.struct(key).is_duplicated())
    first = rows.filter(pl.all_horizontal(pl.col(name).eq_missing(rows[name][0]) for name in key))
    one, two = first.row(0, named=True), first.row(1, named=True)
    at = ", ".join(f"{name}={one[name]}" for name in key)
    differ = [name for name in values.columns if one[name] != two[name]]
    says = f"differ in {', '.join(differ[:5])}" if differ else "are alike in every column"
    return f"{shared:,} rows share it with another, first {at} (rows {one['_row']} and {two['_row']}, which {says})"


def _of_rows(values: pl.DataFrame) -> str:
    counting = [name for name in values.columns if counts_rows(values[name])]
    if not counting:
        return ""
    name = counting[0]
    return f"; {name!r} counts the rows of this file: --key {name} only where the next file goes on counting"


def _key_candidates(values: pl.DataFrame, time: str, label: str | None) -> Iterator[tuple[str, ...]]:
    """Named like a key, then texts, whole numbers, the time; then each, and each pair of texts, with the time."""
    fit = [
        name
        for kind in (pl.String, pl.Int64)
        for name in values.columns
        if values.schema[name] == kind and name != label and not values[name].null_count()
    ]
    singles: list[str] = sorted(fit, key=lambda name: not NAMED_LIKE_KEYS.search(name))
    yield from ((name,) for name in singles)
    yield (time,)
    yield from ((name, time) for name in singles)
    yield from ((*pair, time) for pair in itertools.combinations(singles, 2))
