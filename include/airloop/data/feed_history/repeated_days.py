"""Has a day the numbers of another day? A file sent again with new dates, or new keys, is a day that never happened."""

import hashlib
from collections.abc import Mapping, Sequence

import polars as pl

_LEAST_ROWS, _LEAST_DIFFERENT = 20, 15
_DIGITS = 16


def digests(numbers: pl.DataFrame, days: pl.Series) -> dict[str, str]:
    """Local day -> a digest of its rows of numbers, whatever their order; days of few different rows are left out.

    Args:
        numbers: The numeric columns that are not part of the key.
        days: The local day of each row.
    """
    if not numbers.width:
        return {}
    text = pl.concat_str(pl.all().cast(pl.String).fill_null(""), separator=",")
    written = pl.DataFrame({"day": days, "row": numbers.select(text.alias("row")).to_series()})
    by_day = written.group_by("day").agg(pl.col("row").sort(), pl.col("row").n_unique().alias("different"))
    return {
        str(day): hashlib.sha256("\n".join(rows).encode()).hexdigest()[:_DIGITS]
        for day, rows, different in sorted(by_day.iter_rows(), key=lambda item: item[0])
        if len(rows) >= _LEAST_ROWS and different >= _LEAST_DIFFERENT
    }


def find(past: Sequence[Mapping[str, str]], window: Mapping[str, str]) -> list[tuple[str, str]]:
    """(day of the window, the earlier day whose numbers it has); days that lie in both windows repeat nothing."""
    first: dict[str, str] = {}
    for earlier in (*past, window):
        for day, digest in earlier.items():
            first.setdefault(digest, day)
    return [(day, first[digest]) for day, digest in window.items() if first[digest] != day]
