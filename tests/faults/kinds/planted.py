"""A fault of a kind in a column of a table, and what has to be named."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
from tests.support.watched_table import INPUTS, OUTCOMES, Change, WatchedTable

c = pl.col
ROW = pl.int_range(pl.len())


@dataclass(frozen=True)
class Planted:
    """One fault.

    Attributes:
        kind: What is done, without the column: `x 100`.
        about: Columns or feeds, of which an alarm has to name one; `events.price`.
        change: Rewrites the rows of a feed.
        feeds: Those it is planted into.
    """

    kind: str
    about: tuple[str, ...]
    change: Change
    feeds: tuple[str, ...] = (INPUTS,)

    @property
    def name(self) -> str:
        """For a line."""
        return f"{self.kind} of {', '.join(self.about)}"


def columns(table: WatchedTable, *kinds: type[pl.DataType]) -> list[str]:
    """The input columns of some types, without the key and the event time."""
    schema = table.frame.schema
    return [name for name in schema if name not in (table.key, table.time, table.label) and schema[name] in kinds]


def share(size: float, seed: int = 7) -> pl.Expr:
    """True for a random share of the rows."""
    return (ROW.hash(seed) % 10_000) < size * 10_000


def edited(kind: str, name: str, value: pl.Expr, *, feed: str = INPUTS) -> Planted:
    """A column of a feed replaced by an expression."""

    def change(rows: pl.DataFrame) -> pl.DataFrame:
        return rows.with_columns(value.alias(name)) if name in rows.columns else rows

    return Planted(kind, (f"{feed}.{name}",), change, (feed,))


def where(name: str, condition: pl.Expr, value: object) -> pl.Expr:
    """A value in place of a column's own in some rows."""
    return pl.when(condition).then(value).otherwise(c(name))


def both(one: str, other: str) -> Iterator[tuple[str, str]]:
    """A pair in both directions."""
    yield from ((one, other), (other, one))


__all__ = ["INPUTS", "OUTCOMES", "ROW", "Planted", "both", "c", "columns", "edited", "share", "where"]
