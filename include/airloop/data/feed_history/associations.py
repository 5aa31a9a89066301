"""Do two columns of names go together? A machine has one owner: shuffled, it has any.

The measure is how much likelier two rows with the same value of one column have the same value of the other than two
rows at all: Goodman and Kruskal's tau in its unbiased form, 0 for no association, 1 where one value fixes the other.
It needs no table of all pairs of values, and many values with few rows each do not look associated.
"""

import itertools
from collections.abc import Sequence

import polars as pl

from airloop.data.feed_history.relations import PARTED

_LEAST_PAIRS = 200
_MOST_ROWS = 50_000
_MOST_COLUMNS = 8


def find(rows: pl.DataFrame, columns: Sequence[str]) -> dict[str, tuple[float, int]]:
    """`one ~ other` -> how far one fixes the other, and rows with both values, of text columns in both directions."""
    # The first rows, not every tenth: two rows of one value have to be both among them.
    rows = rows.head(_MOST_ROWS)
    strengths = {}
    for one, other in itertools.permutations(list(columns)[:_MOST_COLUMNS], 2):
        both = rows.select(pl.col(one).alias("one"), pl.col(other).alias("other")).drop_nulls()
        fixed = strength(both)
        if fixed is not None:
            strengths[f"{one}{PARTED}{other}"] = (round(max(fixed, 0.0), 5), both.height)
    return strengths


def strength(both: pl.DataFrame) -> float | None:
    """How far the column `one` fixes the column `other`; None where too few rows are alike."""
    of_one, of_other, of_both = (_alike(both.group_by(names).len()) for names in ("one", "other", ("one", "other")))
    everywhere = both.height * (both.height - 1)
    # Of a key no two rows are alike, and of a constant all are.
    if of_one < _LEAST_PAIRS or of_other < _LEAST_PAIRS or of_other == everywhere:
        return None
    by_chance = of_other / everywhere
    return (of_both / of_one - by_chance) / (1 - by_chance)


def _alike(counts: pl.DataFrame) -> int:
    """Ordered pairs of rows in one group."""
    rows = counts["len"].cast(pl.Int64)
    return int((rows * (rows - 1)).sum())
