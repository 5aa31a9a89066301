"""What upstream systems do to outcomes: turned, of other rows, written too early, missing not at random."""

from collections.abc import Iterator

import polars as pl
from tests.support.watched_table import WatchedTable

from .planted import INPUTS, OUTCOMES, Planted, c, columns, edited, share

_FEW = 12


def planted(table: WatchedTable) -> Iterator[Planted]:
    """Every kind, of the column that a model learns."""
    name, label = table.label, c(table.label)
    about = (f"{OUTCOMES}.{name}", OUTCOMES)
    few = table.frame[name].n_unique() <= _FEW
    if few:
        yield edited("turned", name, 1 - label, feed=OUTCOMES)
        yield edited("0 in all", name, pl.lit(0, table.frame.schema[name]), feed=OUTCOMES)
        yield edited("1 in all", name, pl.lit(1, table.frame.schema[name]), feed=OUTCOMES)
        yield edited("counted from 1", name, label + 1, feed=OUTCOMES)
        yield edited("-1 for 0", name, pl.when(label == 0).then(-1).otherwise(label), feed=OUTCOMES)
        yield Planted("only positives", about, lambda rows: rows.filter(label > 0), (OUTCOMES,))
        yield edited("a half of the positives lost", name, pl.when(share(0.5)).then(0).otherwise(label), feed=OUTCOMES)
    else:
        yield edited("x 1/60", name, label / 60, feed=OUTCOMES)
        yield edited("x 1.609", name, label * 1.609344, feed=OUTCOMES)
        yield edited("x -1", name, -label, feed=OUTCOMES)
        yield edited("0 in a tenth", name, pl.when(~share(0.1)).then(label).otherwise(0), feed=OUTCOMES)
    yield edited("shuffled", name, label.shuffle(seed=3), feed=OUTCOMES)
    yield edited("shifted by a row", name, label.shift(1), feed=OUTCOMES)
    yield edited("a third empty", name, pl.when(~share(0.33)).then(label), feed=OUTCOMES)
    yield Planted("a third lost", about, lambda rows: rows.filter(~share(0.33)), (OUTCOMES,))
    yield Planted("the largest lost", about, lambda rows: rows.filter(label < label.quantile(0.95)), (OUTCOMES,))
    for text in columns(table, pl.String)[:2]:
        yield from _of_a_part(table, text, few=few)


def _of_a_part(table: WatchedTable, text: str, *, few: bool) -> Iterator[Planted]:
    name, about = table.label, (f"{OUTCOMES}.{table.label}", OUTCOMES, f"{INPUTS}.{text}")
    counts = table.frame[text].drop_nulls().value_counts(sort=True)[text].to_list()
    if not 2 <= len(counts) <= 40:
        return
    keys = table.frame.filter(c(text) == counts[0])[table.key].implode()
    there = c(table.key).is_in(keys)
    yield Planted(f"none for one {text}", about, lambda rows: rows.filter(~there), (OUTCOMES,))
    turned = 1 - c(name) if few else -c(name)
    change = lambda rows: rows.with_columns(pl.when(there).then(turned).otherwise(c(name)).alias(name))  # noqa: E731
    yield Planted(f"turned for one {text}", about, change, (OUTCOMES,))
