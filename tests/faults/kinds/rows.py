"""What upstream systems do to rows: lost, sent again, sent twice, test rows, totals."""

from collections.abc import Iterator

import polars as pl
from tests.support.watched_table import WatchedTable

from .planted import INPUTS, OUTCOMES, ROW, Planted, c, columns, share


def planted(table: WatchedTable) -> Iterator[Planted]:
    """Every kind, of the rows of the inputs; an alarm about any of their columns names it."""
    about = (INPUTS, OUTCOMES)
    yield Planted("half of the rows", about, lambda rows: rows.filter(share(0.5)))
    yield Planted("every row twice", about, lambda rows: _again(table, rows))
    yield Planted("old rows under new dates", about, lambda rows: _stale(table, rows))
    yield Planted("the mornings lost", about, lambda rows: rows.filter(c(table.time).dt.hour() >= 10))
    yield Planted("sorted by columns", about, lambda rows: _sorted(table, rows))
    yield Planted("all columns of other keys", about, lambda rows: _rekeyed(table, rows))
    yield Planted("a total a day", about, lambda rows: _totals(table, rows))
    yield Planted("test rows", about, lambda rows: _tests(table, rows))


def _new_keys(table: WatchedTable, rows: pl.DataFrame) -> pl.DataFrame:
    if rows.schema[table.key] != pl.String:
        return rows.with_columns((c(table.key) + 10_000_000).alias(table.key))
    return rows.with_columns((c(table.key).str.slice(0, 1) + "9" + c(table.key).str.slice(2)).alias(table.key))


def _again(table: WatchedTable, rows: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([rows, _new_keys(table, rows)])


def _stale(table: WatchedTable, rows: pl.DataFrame) -> pl.DataFrame:
    before = table.rows(table.windows[-table.last - 1])[INPUTS]
    count = min(rows.height, before.height)
    others = [name for name in rows.columns if name not in (table.key, table.time)]
    return pl.concat([rows.head(count).select(table.key, table.time), before.head(count).select(others)],
                     how="horizontal").select(rows.columns)  # fmt: skip


def _sorted(table: WatchedTable, rows: pl.DataFrame) -> pl.DataFrame:
    others = [name for name in rows.columns if name not in (table.key, table.time)]
    return rows.with_columns(c(name).sort(nulls_last=True) for name in others)


def _rekeyed(table: WatchedTable, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(c(table.key).shuffle(seed=3))


def _totals(table: WatchedTable, rows: pl.DataFrame) -> pl.DataFrame:
    """A row behind each day that sums it up."""
    day = c(table.time).dt.date()
    numbers = columns(table, pl.Int64, pl.Float64)
    texts = columns(table, pl.String)
    totals = rows.group_by(day.alias("day"), maintain_order=True).agg(
        c(table.key).first(), c(table.time).last(), *(c(name).sum() for name in numbers)
    )
    named = totals.with_columns(("T" + c(table.key).cast(pl.String)).alias(table.key)) if (
        rows.schema[table.key] == pl.String) else totals.with_columns(c(table.key) + 10_000_000)  # fmt: skip
    named = named.with_columns(pl.lit("TOTAL").alias(name) for name in texts)
    return pl.concat([rows, named.select(name for name in rows.columns if name in named.columns)], how="diagonal")


def _tests(table: WatchedTable, rows: pl.DataFrame) -> pl.DataFrame:
    """One row in fifty by who tries the system."""
    tried = ROW % 50 == 0
    return rows.with_columns(
        *(pl.when(tried).then(pl.lit("TEST")).otherwise(c(name)).alias(name) for name in columns(table, pl.String)),
        *(pl.when(tried).then(1).otherwise(c(name)).cast(rows.schema[name]).alias(name)
          for name in columns(table, pl.Int64, pl.Float64)),
    )  # fmt: skip
