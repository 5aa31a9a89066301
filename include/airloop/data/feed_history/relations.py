"""Do two columns that went together go together still? Values of other rows, and a turned sign, keep distributions.

A relation is the rank correlation (Spearman) of two numeric columns, or of one with the minutes between two instants:
a delay goes with the time from schedule to event. In a window whose delays were moved by a row it does not.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

PARTED = " ~ "
"""Between the names of the two columns of a relation."""

_LEAST_ROWS, _MOST_ROWS = 20, 50_000
"""Of the least rows as many say different things."""
_MOST_COLUMNS = 20
_STRONG = 0.6
_LEAST_WINDOWS = 2
_KEPT = 0.995
_FALLS = 0.7
_DEVIATIONS, _ERRORS = 4.0, 6.0
_LASTING, _LASTING_WINDOWS, _LEFT = float(np.arctanh(0.8)), 3, 0.25


@dataclass(frozen=True)
class Broken:
    """A relation that is not what it was: its strength now, and the weakest of the windows before; `how` in words."""

    name: str
    observed: float
    expected: float
    how: str = ""


def find(
    rows: pl.DataFrame, columns: Sequence[str], others: Sequence[str] | None = None
) -> dict[str, tuple[float, int]]:
    """`one ~ other` -> rank correlation and rows with both values, of the columns among themselves or with others."""
    # Of millions of rows some tens of thousands say the same, in a hundredth of the time.
    rows = rows.gather_every(1 + rows.height // _MOST_ROWS)
    named, more = list(columns)[:_MOST_COLUMNS], list(others or ())[:_MOST_COLUMNS]
    different = {name: rows[name].n_unique() for name in {*named, *more}}
    whole = [name for name in different if not rows[name].null_count()]
    # Most columns are: each is ranked once, and not with every other.
    ranks, strengths = rows.select(pl.col(whole).rank()), {}
    for one, other in itertools.combinations(named, 2) if others is None else itertools.product(named, more):
        both = rows if one in whole and other in whole else rows.select(one, other).drop_nulls()
        # Five shops with two prices each are five points, however often their goods are bought.
        several = max(different[one], different[other]) >= _LEAST_ROWS or both.n_unique([one, other]) >= _LEAST_ROWS
        if both.height >= _LEAST_ROWS and several:
            ranked = ranks if both is rows else both.select(pl.all().rank())
            strength = ranked.select(pl.corr(one, other)).item()
            if strength is not None and np.isfinite(strength):
                strengths[f"{one}{PARTED}{other}"] = (round(float(strength), 5), both.height)
    return strengths


def broken(
    past: Sequence[Mapping[str, tuple[float, int]]],
    window: Mapping[str, tuple[float, int]],
    *,
    measure: str = "rank correlation",
) -> Iterator[Broken]:
    """The relations that were strong in every past window and have fallen off, or turned.

    Compared are Fisher's z = atanh(r): the fall below the weakest past window must be above 0.7, four deviations of the
    past windows and six standard errors of either. What was 0.8 or more in three windows or more may not fall below a
    quarter of its weakest z, however it varied.
    """
    for name, (now, rows) in window.items():
        before = [earlier[name] for earlier in past if name in earlier]
        strengths = [strength for strength, _ in before]
        if len(before) < _LEAST_WINDOWS or len(before) < 0.5 * len(past):
            continue
        sign = 1.0 if strengths[-1] > 0 else -1.0
        if min(sign * strength for strength in strengths) < _STRONG:
            continue
        known = np.array([_z(sign * strength) for strength in strengths])
        error = np.sqrt(1 / max(rows - 3, 1) + 1 / max(min(count for _, count in before) - 3, 1))
        least = known.min() - max(_FALLS, _DEVIATIONS * float(known.std()), _ERRORS * float(error))
        if known.size >= _LASTING_WINDOWS and known.min() >= _LASTING and known.min() >= 2 * _ERRORS * error:
            least = max(least, _LEFT * known.min())
        if _z(sign * now) < least:
            weakest = min(strengths, key=lambda strength: sign * strength)
            how = f"their {measure} is {now:.2f}, in the windows before {weakest:.2f} or more"
            yield Broken(name, now, weakest, how)


def _z(strength: float) -> float:
    return float(np.arctanh(np.clip(strength, -_KEPT, _KEPT)))
