"""Has a value moved that stood still in every window? An end that columns run against, what goes with calm.

Visibility ends at 10 miles, a count at 0: with one added to each value it ends at 11, and at 1, and the season has no
part in that. Where no wind blows its direction is 0: turned by 180 degrees, it is not.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from airloop.data.feed_history.far_values import FEW_STEPS, SHARES, is_known

WHERE = " where "
"""Between a column and the one at whose lowest value, 0, it is looked at: `direction where speed`."""

_LEAST_WINDOWS = 2
_LEAST_SHARE, _LEAST_EXPECTED = 0.005, 20
_LIKE = 0.5
_BEYOND = 0.1
_BETTER = 0.6
"""Of columns in few steps all quantiles together have to lie so much nearer to a window before, once it is undone."""
_LIMIT_WINDOWS, THIN, _LIMIT, _LIMIT_BEYOND = 3, 0.002, 0.02, 0.05
_CODES, _LEAST_CODED = (0.0, -1.0), 3
_CODE_IN_STEPS, _LEAST_IN_STEPS = 0.02, 10
_MOST_COLUMNS = 12
_LEAST_ROWS, _LEAST_AT_END, _ELSEWHERE, _HELD, _LOST = 200, 20, 0.5, 0.95, 0.2

Held = tuple[float, float, int]
"""The commonest value, its share, and the rows that were looked at."""


@dataclass(frozen=True)
class Moved:
    """An end that stood at `before` in every window and is at `now`."""

    side: str
    before: float
    now: float
    share: float


def moved_end(past: Sequence[tuple[float, ...]], window: tuple[float, ...]) -> Moved | None:
    """The end of a column that has moved with the rows that lie at it, all other values as far as it.

    Args:
        past: What `far_values.ends_of` gave for the windows before.
    """
    if not is_known(past):
        return None
    lowest, highest = min(ends[1] for ends in past), max(ends[-1] for ends in past)
    slack = _BEYOND * (highest - lowest)
    for side, index in (("lowest", 1), ("highest", -1)):
        values = {ends[index] for ends in past}
        before, now = past[-1][index], window[index]
        by = now - before
        share, usual = _at_end(window, index), min(_at_end(ends, index) for ends in past)
        if len(values) > 1 or not by or usual < _LEAST_SHARE or usual * window[0] < _LEAST_EXPECTED:
            continue
        inside = window[1] - by >= lowest - slack and window[-1] - by <= highest + slack
        if share >= _LIKE * usual and inside and not _is_a_step(past, window, by):
            return Moved(side, before, now, share)
    return None


def _is_a_step(past: Sequence[tuple[float, ...]], window: tuple[float, ...], by: float) -> bool:
    """Whether amounts that come in few steps moved by a part of one, or not all of them: prices come, go and rise."""
    if min(ends[1] for ends in past) <= 0 or max(len(set(ends[1:])) for ends in past) > FEW_STEPS:
        return False
    before, now = np.array([ends[1:] for ends in past]), np.array(window[1:])
    as_it_is, undone = (float(np.abs(before - (now - moved)).mean(axis=1).min()) for moved in (0.0, by))
    return not float(by).is_integer() or undone > _BETTER * as_it_is


def new_limit(past: Sequence[tuple[float, ...]], window: tuple[float, ...]) -> Moved | None:
    """The end at which values pile up that thinned out at both ends in every window: a limit, or a code for missing.

    One within the range that was there, and 0 or -1, need fewer rows than one beyond it, where a season may run against
    a limit.
    """
    if len(past) < _LIMIT_WINDOWS or not is_known(past):
        return None
    for side, index in (("lowest", 1), ("highest", -1)):
        before, now, share = [ends[index] for ends in past], window[index], _at_end(window, index)
        inside = now < min(before) if side == "highest" else now > max(before)
        usual = max(_at_end(ends, index) for ends in past)
        least = _LIMIT if inside or now in _CODES else _LIMIT_BEYOND
        coded = share >= _CODE_IN_STEPS and share * window[0] >= _LEAST_IN_STEPS
        if index == 1 and now in _CODES and now < min(before) and coded and _is_apart(window, index, before):
            return Moved(side, before[-1], now, share)
        if usual > THIN or share < least or share * window[0] < (_LEAST_CODED if now in _CODES else _LEAST_EXPECTED):
            continue
        if inside or _is_apart(window, index, before):
            return Moved(side, before[-1], now, share)
    return None


def _is_apart(window: tuple[float, ...], index: int, before: Sequence[float]) -> bool:
    """Whether the next values lie where the end was before, or further in: a season comes nearer step by step."""
    values = window[1 : 1 + len(SHARES)] if index == 1 else window[: -1 - len(SHARES) : -1]
    others = [value for value in values if value != values[0]]
    nearest = min(before) if index == 1 else max(before)
    return bool(others) and abs(others[0] - values[0]) >= abs(nearest - values[0])


def _at_end(ends: tuple[float, ...], index: int) -> float:
    """The largest share of the rows that is known to lie at an end."""
    values = ends[1 : 1 + len(SHARES)] if index == 1 else ends[: -1 - len(SHARES) : -1]
    return max(share for share, value in zip(SHARES, values, strict=True) if value == ends[index])


def held(rows: pl.DataFrame, columns: Sequence[str]) -> dict[str, Held]:
    """`column where other` -> the commonest value of a column in the rows in which another is 0, its lowest value.

    Calm is none of it, and what goes with it has a meaning; what goes with a lowest price is the thing that has it.
    """
    by_pair: dict[str, Held] = {}
    for other in list(columns)[:_MOST_COLUMNS]:
        known = rows.filter(pl.col(other).is_not_null())
        if known.height < _LEAST_ROWS:
            continue
        at_end = known.filter(pl.col(other) == 0)
        if float(known[other].sort()[0]) < 0 or not _LEAST_AT_END <= at_end.height <= _ELSEWHERE * known.height:
            continue
        for column in list(columns)[:_MOST_COLUMNS]:
            values = at_end[column].drop_nulls()
            if column == other or values.len() < _LEAST_AT_END:
                continue
            value, count = values.alias("v").value_counts().sort(["count", "v"], descending=[True, False]).row(0)
            everywhere = float((known[column] == value).sum()) / known.height
            if everywhere <= _ELSEWHERE:
                by_pair[f"{column}{WHERE}{other}"] = (float(value), count / values.len(), values.len())
    return by_pair


def broken(past: Sequence[Mapping[str, Held]], window: Mapping[str, Held]) -> Iterator[tuple[str, str, Held, Held]]:
    """(column, other, what held in every window before, what is there now) of the rules that no longer hold."""
    for name, now in window.items():
        before = [earlier[name] for earlier in past if name in earlier]
        values = {value for value, _, _ in before}
        if len(before) < _LEAST_WINDOWS or len(before) < len(past) or len(values) > 1:
            continue
        if min(share for _, share, _ in before) >= _HELD and now[0] not in values and now[1] > 1 - _LOST:
            column, _, other = name.partition(WHERE)
            yield column, other, before[-1], now


def finite(rows: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """The columns as numbers, null where they are not finite."""
    return rows.select(
        pl.when(pl.col(name).cast(pl.Float64).is_finite()).then(pl.col(name).cast(pl.Float64)).alias(name)
        for name in columns
    )
