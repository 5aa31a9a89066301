"""Does a column still change within a day? A sensor that hangs, and a value copied down a column, do not."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

_FEWEST_GROUPS, _MOST_GROUPS = 2, 12
_LEAST_ROWS, _LEAST_DAYS = 8, 5
_LEAST_DIFFERENT = 5.0
_LEFT = 0.35
_LEAST_WINDOWS = 2
WHERE = " where "
"""Between a column and the part of the rows: `celsius where machine is m7`."""


def variety(rows: pl.DataFrame, days: pl.Series, numeric: Sequence[str], texts: Sequence[str]) -> dict[str, float]:
    """Column -> its different values a day (median), of all rows and of each value of text columns that have few."""
    if not numeric or not rows.height:
        return {}
    dated = rows.select(*numeric, *texts).with_columns(days.alias("day of the row"))
    medians = _by_day(dated, numeric, None)
    for text in texts:
        if _FEWEST_GROUPS <= rows[text].drop_nulls().n_unique() <= _MOST_GROUPS:
            medians |= _by_day(dated.filter(pl.col(text).is_not_null()), numeric, text)
    return medians


def _by_day(dated: pl.DataFrame, numeric: Sequence[str], group: str | None) -> dict[str, float]:
    keys = ["day of the row", *([group] if group else [])]
    counted = dated.group_by(keys).agg(
        *(pl.col(name).drop_nulls().n_unique().cast(pl.Float64) for name in numeric),
        *(pl.col(name).count().alias(f"rows of {name}") for name in numeric),
    )
    medians = {}
    for name in numeric:
        of_days = counted.filter(pl.col(f"rows of {name}") >= _LEAST_ROWS)
        parts = of_days.partition_by(group, as_dict=True).items() if group else [((None,), of_days)]
        for (value,), part in parts:
            if part.height >= _LEAST_DAYS:
                about = f"{name}{WHERE}{group} is {value}" if group else name
                medians[about] = float(np.median(part[name].to_numpy()))
    return medians


def find(
    past: Sequence[Mapping[str, float]], window: Mapping[str, float], column: str
) -> tuple[str, float, float] | None:
    """Where a column has a third of the different values a day that it always had: all rows, or a part of them.

    Returns:
        The part in words (empty: all rows), its different values a day now, and the least that there were.
    """
    for about, now in sorted(window.items(), key=lambda item: len(item[0])):
        name, _, part = about.partition(WHERE)
        before = [earlier[about] for earlier in past if about in earlier]
        if name != column or len(before) < _LEAST_WINDOWS or min(before) < _LEAST_DIFFERENT:
            continue
        if now < _LEFT * min(before):
            return part, now, min(before)
    return None
