"""The rows of one section from two engines: the same ones in any order, or which differ and how."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from airloop.features.feature_views import typed

TOLERANCE = 1e-9
"""Relative, and absolute near 0: sums of float64 in another order differ in the last digits."""
_SHOWN = 5


@dataclass(frozen=True)
class ComparedSection:
    """What two engines gave for one section.

    Attributes:
        reference_rows: Rows that DuckDB gave; `engine_rows` those of the other.
        differing: Rows of either that the other does not have.
        shown: The first differences, a line each.
    """

    section: str
    reference_rows: int
    engine_rows: int
    differing: int
    shown: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether every row is the same."""
        return not self.differing


def compare(section: str, reference: pa.Table, engine: pa.Table) -> ComparedSection:
    """Compare rows in any order: numbers as float64 within TOLERANCE, NaN like NaN, null like null, the rest exactly.

    A column that only one has, or that holds another kind of value, makes every row differ.
    """
    ours, theirs = (typed(_as_floats(rows), {}) for rows in (reference, engine))
    sizes = (section, reference.num_rows, engine.num_rows)
    kinds = [{field.name: _kind(field.type) for field in rows.schema} for rows in (ours, theirs)]
    if kinds[0] != kinds[1]:
        says = f"columns: duckdb has {_listed(kinds[0])}; the engine has {_listed(kinds[1])}"
        return ComparedSection(*sizes, max(reference.num_rows, engine.num_rows, 1), (says,))
    left, right = (_sorted(pl.DataFrame(pl.from_arrow(rows.select(list(kinds[0]))))) for rows in (ours, theirs))
    only_left, only_right = _without_twins(left, right)
    shown = tuple(_lines(only_left, only_right))
    return ComparedSection(*sizes, max(only_left.height, only_right.height), shown)


def _as_floats(rows: pa.Table) -> pa.Table:
    """Whole numbers as float64, also those beyond 2^53, which no feature can hold."""
    kinds = [pa.float64() if pa.types.is_integer(field.type) else field.type for field in rows.schema]
    columns = [column.cast(kind, safe=False) for column, kind in zip(rows.columns, kinds, strict=True)]
    return pa.table(columns, names=rows.schema.names)


def _kind(kind: pa.DataType) -> str:
    return "instant" if pa.types.is_timestamp(kind) else str(kind)


def _listed(kinds: dict[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in kinds.items())


def _sorted(rows: pl.DataFrame) -> pl.DataFrame:
    """What is exact orders the rows before what is not."""
    floats = [name for name, kind in rows.schema.items() if kind.is_float()]
    lists = [name for name, kind in rows.schema.items() if kind.is_nested()]
    exact = [name for name in rows.columns if name not in {*floats, *lists}]
    order = [*exact, *(pl.col(name).round(6) for name in floats), *floats]
    return rows.sort(order, nulls_last=True) if order else rows


def _without_twins(left: pl.DataFrame, right: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows of each side without an equal one on the other."""
    if left.height == right.height:
        same = _same(left, right)
        if same.all():
            return left.clear(), right.clear()
    exact = [name for name, kind in left.schema.items() if not kind.is_float() and not kind.is_nested()]
    numbered = [
        rows.with_columns(pl.int_range(pl.len()).over(exact or pl.lit(0)).alias("\0n")) for rows in (left, right)
    ]
    keys = [*exact, "\0n"]
    joined = [
        one.join(other, on=keys, how="left", nulls_equal=True, suffix="\0other")
        for one, other in ((numbered[0], numbered[1]), (numbered[1], numbered[0]))
    ]
    return _unequal(left, keys, joined[0], numbered[1]), _unequal(right, keys, joined[1], numbered[0])


def _unequal(rows: pl.DataFrame, keys: list[str], joined: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    there = joined.join(
        other.select(keys).with_columns(pl.lit(True).alias("\0there")), on=keys, how="left", nulls_equal=True
    )
    twins = pl.DataFrame({name: joined[name] for name in rows.columns}, schema=rows.schema)
    values = {
        name: joined[f"{name}\0other"] if f"{name}\0other" in joined.columns else joined[name] for name in rows.columns
    }
    same = _same(twins, pl.DataFrame(values)) & there["\0there"].fill_null(value=False).to_numpy()
    return twins.filter(pl.Series(~same))


def _same(left: pl.DataFrame, right: pl.DataFrame) -> np.ndarray:
    equal = np.ones(left.height, dtype=bool)
    for name in left.columns:
        one, other = left[name], right[name]
        if one.dtype.is_float():
            nulls = (one.is_null() == other.is_null()).to_numpy()
            a, b = one.fill_null(0.0).to_numpy(), other.fill_null(0.0).to_numpy()
            equal &= nulls & np.isclose(a, b, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
        else:
            equal &= one.eq_missing(other).to_numpy()
    return equal


def _lines(ours: pl.DataFrame, theirs: pl.DataFrame) -> Iterator[str]:
    for who, rows in (("duckdb", ours), ("engine", theirs)):
        for row in rows.head(_SHOWN).iter_rows(named=True):
            yield f"only {who}: " + ", ".join(f"{name}={value}" for name, value in row.items())
        if rows.height > _SHOWN:
            yield f"only {who}: and {rows.height - _SHOWN:,} rows more"
