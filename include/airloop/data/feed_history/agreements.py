"""Does a column say in numbers what two instants say, as it did? A delay of 12 minutes is 12 minutes after the plan.

Ranks do not see that all delays grew by five, nor that one row in fifty is another's: the share of rows in which the
column is the time between two instants, to half a unit, does.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import polars as pl

from airloop.data.feed_history.relations import PARTED, Broken

_UNITS = {"minutes": 1.0, "seconds": 60.0, "hours": 1 / 60}
_IN = " in "
_HALF = 0.51
_MOSTLY = 0.85
_LEAST_ROWS = 50
_ALWAYS, _LEAST_FALL = 0.9, 0.02
_LEAST_WINDOWS = 2
_LEAST_DISAGREEING = 20


def find(rows: pl.DataFrame, columns: Sequence[str], between: Sequence[str]) -> dict[str, tuple[float, int]]:
    """`column ~ later - earlier in minutes` -> share of rows in which both agree, and rows with both.

    Args:
        between: Columns that hold the minutes between two instants.
    """
    whole = {name for name in (*columns, *between) if not rows[name].null_count()}
    constant = {(name, unit): _is_constant(rows[name], unit) for name in between if name in whole for unit in _UNITS}
    agreements = {}
    for column in columns:
        for other in between:
            complete = column in whole and other in whole
            both = rows if complete else rows.select(column, other).drop_nulls()
            if both.height < _LEAST_ROWS:
                continue
            for unit, factor in _UNITS.items():
                if constant[other, unit] if complete else _is_constant(both[other], unit):
                    continue
                agree = (both[column] - factor * both[other]).abs() <= _HALF
                agreements[f"{column}{PARTED}{other}{_IN}{unit}"] = (
                    round(float(agree.sum()) / both.height, 5),
                    both.height,
                )
    return agreements


def _is_constant(minutes: pl.Series, unit: str) -> bool:
    """Whether two instants lie as far apart in most rows: a column near that number says nothing about them."""
    between = _UNITS[unit] * minutes
    return float(((between - between.median()).abs() <= _HALF).sum()) > _MOSTLY * between.len()


def broken(
    past: Sequence[Mapping[str, tuple[float, int]]], window: Mapping[str, tuple[float, int]]
) -> Iterator[Broken]:
    """The agreements that held in nearly every row of every past window, and do not in some of this one."""
    for name, (now, rows) in window.items():
        before = [earlier[name][0] for earlier in past if name in earlier]
        if len(before) < _LEAST_WINDOWS or min(before) < _ALWAYS:
            continue
        least = min(before)
        error = float(np.sqrt(least * (1 - least) / rows))
        allowed = least - max(_LEAST_FALL, 5 * error, 3 * float(np.std(before)))
        if now < allowed and (least - now) * rows >= _LEAST_DISAGREEING:
            unit = name.rpartition(_IN)[2]
            how = f"it is that many {unit} in {now:.0%} of the rows, in the windows before in {least:.0%} or more"
            yield Broken(relation(name), now, least, how)


def relation(name: str) -> str:
    """`column ~ later - earlier` of an agreement's name."""
    return name.rpartition(_IN)[0]
