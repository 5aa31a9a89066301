"""What upstream systems do to numbers: other units, codes for missing, copies, limits, other rows."""

from collections.abc import Iterator
from itertools import combinations

import polars as pl
from tests.support.watched_table import WatchedTable

from .planted import INPUTS, OUTCOMES, Planted, c, columns, edited, share, where

_FACTORS = {"x 100": 100, "x 1/100": 0.01, "x 1000": 1000, "x 60": 60, "x 1.609": 1.609344, "x -1": -1}
_CODES = (0, -1, 999, -999, 9999)
_FEW = 12


def planted(table: WatchedTable) -> Iterator[Planted]:
    """Every kind, of every numeric input column."""
    names = columns(table, pl.Int64, pl.Float64)
    for name in names:
        whole = table.frame.schema[name] == pl.Int64
        yield from _of_one(table, name, whole=whole)
        for text in columns(table, pl.String)[:2]:
            yield from _of_a_part(table, name, text, whole=whole)
        # A feature that is the label, or knows the future.
        if table.frame.schema[table.label] in (pl.Int64, pl.Float64):
            yield _leaking(table, name)
    for one, other in combinations(names, 2):
        if table.frame[one].n_unique() > _FEW and table.frame[other].n_unique() > _FEW:
            yield _exchanged(one, other)
            yield Planted("copied from another", (f"{INPUTS}.{other}",), _copy(one, other))


def _of_one(table: WatchedTable, name: str, *, whole: bool) -> Iterator[Planted]:
    values = table.frame[name].drop_nulls()
    many = values.n_unique() > _FEW

    def plain(value: pl.Expr) -> pl.Expr:
        return value.round().cast(pl.Int64) if whole else value

    number = c(name)
    if many:
        for kind, factor in _FACTORS.items():
            yield edited(kind, name, plain(number * factor))
        yield edited("shuffled", name, number.shuffle(seed=3))
        yield edited("shifted by a row", name, number.shift(1))
        yield edited("its ranks", name, plain(number.rank().cast(pl.Float64)))
        yield edited("standardised", name, (number - number.mean()) / number.std())
        yield edited("capped at its median", name, plain(number.clip(upper_bound=number.median())))
        yield edited("+ 1", name, number + 1)
        yield edited("x 1.07", name, plain(number * 1.07))
        if not whole and (places := _decimals(values)) > 1:
            yield edited("two decimals less", name, number.round(places - 2))
        if 0 <= values.min() <= 30 and 330 <= values.max() <= 360:  # type: ignore[operator]
            yield edited("turned by 180", name, (number + 180) % 360)
        yield edited("to two digits", name, plain(number.cast(pl.Float64).round_sig_figs(1)))
        yield edited("the day's first", name, number.first().over(c(table.time).dt.date()))
        yield edited("x 100 in a tenth", name, plain(where(name, share(0.1), number * 100)))
    for code in _CODES:
        if not (values == code).any():
            yield edited(f"{code} in a tenth", name, where(name, share(0.1), code))
            yield edited(f"{code} in all", name, pl.when(number.is_not_null()).then(plain(pl.lit(float(code)))))
    yield edited("its median in all", name, pl.when(number.is_not_null()).then(plain(number.median())))
    yield edited("a third empty", name, pl.when(~share(0.33)).then(number))
    yield edited("empty", name, pl.when(pl.lit(value=False)).then(number))
    if table.frame[name].null_count() > 0.02 * table.frame.height:
        yield edited("0 for empty", name, number.fill_null(0))
        yield edited("the mean for empty", name, plain(number.cast(pl.Float64).fill_null(number.mean())))


def _decimals(values: pl.Series) -> int:
    """How many decimals nearly all values are written with at most, of six."""
    off = (places for places in range(6) if ((values.round(places) - values).abs() > 1e-7).mean() < 0.01)
    return next(off, 6)


def _of_a_part(table: WatchedTable, name: str, text: str, *, whole: bool) -> Iterator[Planted]:
    first = table.frame[text].drop_nulls().value_counts(sort=True)[text][0]
    if not 2 <= table.frame[text].n_unique() <= 40 or table.frame[name].n_unique() <= _FEW:
        return
    there = c(text) == first
    for kind, factor in {"x 100": 100, "x 1.609": 1.609344}.items():
        value = where(name, there, c(name) * factor)
        yield edited(f"{kind} for one {text}", name, value.round().cast(pl.Int64) if whole else value)
    yield edited(f"empty for one {text}", name, pl.when(~there).then(c(name)))


def _leaking(table: WatchedTable, name: str) -> Planted:
    truth = table.frame.select(table.key, pl.col(table.label).cast(table.frame.schema[name]).alias("truth"))

    def change(rows: pl.DataFrame) -> pl.DataFrame:
        told = rows.select(table.key).join(truth, on=table.key, how="left", maintain_order="left")
        return rows.with_columns(told["truth"].alias(name))

    return Planted("is the label", (f"{INPUTS}.{name}", f"{OUTCOMES}.{table.label}"), change)


def _exchanged(one: str, other: str) -> Planted:
    def change(rows: pl.DataFrame) -> pl.DataFrame:
        first, second = rows.schema[one], rows.schema[other]
        return rows.with_columns(c(other).cast(first).alias(one), c(one).cast(second).alias(other))

    return Planted("exchanged", (f"{INPUTS}.{one}", f"{INPUTS}.{other}"), change)


def _copy(one: str, other: str):
    return lambda rows: rows.with_columns(c(one).cast(rows.schema[other]).alias(other))
