"""Do two names that are measured at the same instants still stand beside each other as they did?

Two stations of one city measure nearly the same, and a profile of names cannot tell them apart. But one of them lies
higher, and has the lower pressure in nine hours of ten. Where two names were exchanged, every column has the share of
the other one. What a season does to both it does at the same instant.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from airloop.data.feed_history import mirrored
from airloop.data.feed_history.mirrored import Mirrored

SideBySide = Mapping[str, Mapping[str, tuple[float, int]]]
"""Two names -> numeric column -> logit of the share of instants at which the first has more, and the instants."""

_FEWEST, _MOST, _MOST_NAMES, _MOST_TEXTS, _MOST_NUMBERS = 2, 30, 6, 3, 12
_LEAST_ROWS, _LEAST_COLUMNS = 20, 2
_DIGITS = 4


@dataclass(frozen=True)
class Exchanged:
    """Two names in words, and how like its past their order is."""

    names: str
    apart: Mirrored


def find(
    rows: pl.DataFrame, numbers: Sequence[str], texts: Sequence[str], time: str
) -> dict[str, dict[str, dict[str, tuple[float, int]]]]:
    """Column of names -> which of each two of its most frequent names has more, at the instants that both have.

    Args:
        texts: Columns that may be of names.
        time: The event time.
    """
    several = [name for name in texts if _FEWEST <= rows[name].drop_nulls().n_unique() <= _MOST][:_MOST_TEXTS]
    by_text = {}
    for text in several:
        counts = rows[text].drop_nulls().value_counts(name="rows").sort(["rows", text], descending=[True, False])
        names = sorted(counts[text].head(_MOST_NAMES).to_list())
        parts = {
            name: rows.filter(pl.col(text) == name)
            .unique(time, keep="none", maintain_order=True)
            .select(time, *numbers)
            for name in names
        }
        pairs = {
            f"{one!r} and {other!r}": shares
            for one, other in itertools.combinations(names, 2)
            if (shares := _shares(parts[one], parts[other], numbers[:_MOST_NUMBERS], time))
        }
        if pairs:
            by_text[text] = pairs
    return by_text


def _shares(one: pl.DataFrame, other: pl.DataFrame, numbers: Sequence[str], time: str) -> dict[str, tuple[float, int]]:
    if not numbers or min(one.height, other.height) < _LEAST_ROWS:
        return {}
    both = one.join(other, on=time, suffix=" of the other")
    counted = both.select(
        *((pl.col(name) > pl.col(f"{name} of the other")).sum().alias(f"more {name}") for name in numbers),
        *((pl.col(name) < pl.col(f"{name} of the other")).sum().alias(f"less {name}") for name in numbers),
    ).row(0, named=True)
    return {
        name: (round(float(np.log((more + 0.5) / (less + 0.5))), _DIGITS), more + less)
        for name in numbers
        if (more := counted[f"more {name}"]) + (less := counted[f"less {name}"]) >= _LEAST_ROWS
    }


def exchanged(past: Sequence[SideBySide], window: SideBySide) -> Exchanged | None:
    """The two names that look most exchanged; None where none do."""
    pairs = [
        Exchanged(names, apart)
        for names, now in window.items()
        if (apart := mirrored.find([earlier.get(names, {}) for earlier in past], now, least=_LEAST_COLUMNS))
    ]
    return min(pairs, key=lambda item: item.apart.now, default=None)
