"""Has a table shrunk, or a feed rows that are copies of others? Both keep every value as it was."""

from collections.abc import Sequence

import polars as pl

from airloop.config import Feed

_LEAST_ROWS = 20
_LEAST_WINDOWS = 2
_KEPT = 0.7
_MORE_COPIES, _ALMOST_NONE, _MORE_THAN_NONE = 0.2, 0.01, 0.05
_LEAST_COLUMNS = 2


def shrunk(past: Sequence[int], rows: int) -> int | None:
    """The least rows that a static table had before, where it has less than 0.7 of them now; else None."""
    least = min(past, default=0)
    return least if least >= _LEAST_ROWS and rows < _KEPT * least else None


def share_copied(feed: Feed, rows: pl.DataFrame) -> float | None:
    """The share of rows that say the same as another row under another key; None where few columns would have to."""
    columns = [name for name in feed.columns if name not in feed.key]
    if feed.static or len(columns) < _LEAST_COLUMNS or rows.height < _LEAST_ROWS:
        return None
    return round(float(rows.select(columns).is_duplicated().sum()) / rows.height, 5)


def copied(past: Sequence[float], share: float) -> float | None:
    """The largest share of copies that a window had before, where it is far exceeded; else None."""
    if len(past) < _LEAST_WINDOWS:
        return None
    more = _MORE_THAN_NONE if max(past) <= _ALMOST_NONE else _MORE_COPIES
    return max(past) if share > max(past) + more else None
