"""Do rows say what rows of an earlier window said? Yesterday's file sent again has new dates and keys, and old values.

Of each window the smallest hashes of its different rows are kept, without keys and instants (a bottom-k sketch): of two
windows, the hashes below both largest ones are a sample of all rows of both, and those in common are said again.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from airloop.config import Feed

_KEPT, _LEAST_KEPT, _LEAST_COLUMNS = 128, 40, 3
_LEAST_WINDOWS, _MOST_WINDOWS = 3, 14
_MORE, _MOST_USUAL = 0.3, 0.2

Hashes = Sequence[int]


@dataclass(frozen=True)
class Again:
    """The share of a window's rows that a window before had, how many windows ago, and the largest share before."""

    share: float
    windows_ago: int
    usual: float


def hashes(feed: Feed, rows: pl.DataFrame) -> tuple[int, ...]:
    """The smallest hashes of the different rows, ascending; empty where few columns, or few rows, say something."""
    columns = [name for name, kind in feed.columns.items() if name not in feed.key and kind != "timestamp"]
    if len(columns) < _LEAST_COLUMNS or not rows.height:
        return ()
    text = pl.concat_str((pl.col(name).cast(pl.String).fill_null("") for name in columns), separator="\x1f")
    # Of millions of rows, the same ones in every window: by what they say, not by where they stand.
    different = rows.select(text.alias("row"))["row"].unique()
    smallest = sorted({zlib.crc32(row.encode()) for row in different})[:_KEPT]
    return tuple(smallest) if len(smallest) >= _LEAST_KEPT else ()


def find(past: Sequence[Hashes], window: Hashes) -> Again | None:
    """The window before whose rows are there again; None where that is usual, or not known.

    Args:
        past: Oldest first.
    """
    known = [item for item in past if item][-_MOST_WINDOWS:]
    if len(known) < _LEAST_WINDOWS or not window:
        return None
    usual = max(_share(earlier, later) for place, later in enumerate(known) for earlier in known[:place])
    shares = [_share(earlier, window) for earlier in known]
    share = max(shares)
    if usual > _MOST_USUAL or share < usual + _MORE:
        return None
    return Again(share, len(known) - shares.index(share), usual)


def _share(earlier: Hashes, later: Hashes) -> float:
    """Of the later window's rows, the share that the earlier one has, among the hashes that both would have kept."""
    largest = min(earlier[-1], later[-1])
    mine = [item for item in later if item <= largest]
    return len(set(mine) & set(earlier)) / len(mine) if len(mine) >= _LEAST_KEPT // 2 else 0.0
