"""What upstream systems do to names and codes: other spellings, merged, renamed, cut, exchanged, defaults."""

from collections.abc import Iterator
from itertools import combinations

import polars as pl
from tests.support.watched_table import WatchedTable

from .planted import INPUTS, Planted, c, columns, edited, share, where

_MANY = 40


def planted(table: WatchedTable) -> Iterator[Planted]:
    """Every kind, of every text and boolean input column."""
    names = columns(table, pl.String)
    for name in names:
        yield from _spelled(table, name)
        yield from _renamed(table, name)
    for one, other in combinations(names, 2):
        about = (f"{INPUTS}.{one}", f"{INPUTS}.{other}")
        yield Planted("exchanged", about, _exchange(one, other))
        yield Planted("copied from another", (f"{INPUTS}.{other}",), _copy(one, other))
    for name in columns(table, pl.Boolean):
        yield edited("turned", name, ~c(name))
        yield edited("true in all", name, pl.when(c(name).is_not_null()).then(pl.lit(value=True)))
        yield edited("false in all", name, pl.when(c(name).is_not_null()).then(pl.lit(value=False)))
        yield edited("a third empty", name, pl.when(~share(0.33)).then(c(name)))
        yield edited("shuffled", name, c(name).shuffle(seed=3))


def _spelled(table: WatchedTable, name: str) -> Iterator[Planted]:
    text = c(name)
    ways = {
        "in lower case": text.str.to_lowercase(),
        "in upper case": text.str.to_uppercase(),
        "a blank behind": text + " ",
        "in quotes": '"' + text + '"',
        "a tenth with a blank": where(name, share(0.1), text + " "),
        "without its first letter": text.str.slice(1),
        "cut to three letters": text.str.slice(0, 3),
        "a letter before": "X" + text,
        "hashed": text.hash(3).cast(pl.String),
    }
    for kind, value in ways.items():
        if (table.frame.select(value.alias(name) != c(name)).to_series().mean() or 0) > 0.02:
            yield edited(kind, name, value)


def _renamed(table: WatchedTable, name: str) -> Iterator[Planted]:
    counts = table.frame[name].drop_nulls().value_counts(sort=True)[name].to_list()
    for word in ("", "NULL", "Unknown", "0"):
        yield edited(f"{word!r} in a fifth", name, where(name, share(0.2), pl.lit(word)))
    yield edited("one value in all", name, pl.when(c(name).is_not_null()).then(pl.lit(counts[0])))
    yield edited("a third empty", name, pl.when(~share(0.33)).then(c(name)))
    yield edited("empty", name, pl.when(pl.lit(value=False)).then(c(name)))
    yield edited("shuffled", name, c(name).shuffle(seed=3))
    if 2 < len(counts) <= _MANY:
        first, second = counts[0], counts[1]
        yield edited("the first renamed", name, c(name).replace(first, "Q7"))
        yield edited("the first two merged", name, c(name).replace(second, first))
        yield edited("the first two exchanged", name, c(name).replace({first: second, second: first}))
        gone = lambda rows: rows.filter(c(name).is_null() | (c(name) != first))  # noqa: E731
        yield Planted("the first has no rows", (f"{INPUTS}.{name}",), gone)


def _exchange(one: str, other: str):
    return lambda rows: rows.with_columns(c(other).alias(one), c(one).alias(other))


def _copy(one: str, other: str):
    return lambda rows: rows.with_columns(c(one).alias(other))
