"""Does an input tell the outcome as none ever did? A field that is filled in afterwards knows what has become of it.

Of a number the measure is its rank correlation with the outcome, as a share of what it could be at most: an outcome of
two values ties most ranks. Of a name it is how far it fixes an outcome of few values (see associations).
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import polars as pl

from airloop.data.feed_history import associations
from airloop.data.feed_history.outcome_rates import MOST_VALUES
from airloop.data.feed_history.relations import PARTED

_MOST_ROWS, _MOST_COLUMNS, _LEAST_ROWS = 5_000, 20, 50
_LEAST_OF_A_VALUE = 30
_LEAST_WINDOWS = 3
_TELLS, _MORE, _LEAST_MORE = 0.85, 0.35, 0.15
_ERRORS = 6.0

Measured = Mapping[str, tuple[float, int]]


def find(
    joined: pl.DataFrame, inputs: Mapping[str, Sequence[str]], outcomes: Sequence[str]
) -> dict[str, tuple[float, int]]:
    """`input ~ outcome` -> how much the input tells (0 to 1), and rows.

    Args:
        joined: Rows of inputs beside their outcomes.
        inputs: `numbers` and `texts`: columns of the inputs.
    """
    rows = joined.gather_every(1 + joined.height // _MOST_ROWS)
    told_by = {}
    for outcome in outcomes:
        known = rows.filter(pl.col(outcome).is_not_null())
        few = known[outcome].n_unique() <= MOST_VALUES
        if known.height < _LEAST_ROWS or (few and _rare(known[outcome])):
            continue
        for name in list(inputs["numbers"])[:_MOST_COLUMNS] if known[outcome].dtype.is_numeric() else ():
            both = known.select(pl.col(name).cast(pl.Float64), pl.col(outcome).cast(pl.Float64)).drop_nulls()
            if (area := _of_numbers(both)) is not None:
                told_by[f"{name}{PARTED}{outcome}"] = (area, both.height)
        for name in list(inputs["texts"])[:_MOST_COLUMNS] if few else ():
            both = known.select(pl.col(name).alias("one"), pl.col(outcome).cast(pl.String).alias("other")).drop_nulls()
            if (fixed := associations.strength(both)) is not None:
                told_by[f"{name}{PARTED}{outcome}"] = (round(float(np.sqrt(max(fixed, 0.0))), 5), both.height)
    return told_by


def tells(past: Sequence[Measured], window: Measured) -> Iterator[tuple[str, str, float, float]]:
    """(input, outcome, how much it tells, the most in any window before) of what tells nearly all, and never did."""
    for name, (now, rows) in window.items():
        before = [earlier[name] for earlier in past if name in earlier]
        if len(before) < _LEAST_WINDOWS or now < _TELLS:
            continue
        most = max(strength for strength, _ in before)
        error = float(np.sqrt(1 / rows + 1 / min(count for _, count in before)))
        if now - most >= max(_LEAST_MORE, _MORE * (1 - most), _ERRORS * error * (1 - most**2)):
            one, _, other = name.partition(PARTED)
            yield one, other, now, most


def _rare(outcome: pl.Series) -> bool:
    """Whether all but a few outcomes are one value: what tells a few cases is luck, or one spell."""
    counts = outcome.value_counts(sort=True)["count"]
    return int(counts[1:].sum()) < _LEAST_OF_A_VALUE


def _of_numbers(both: pl.DataFrame) -> float | None:
    if both.height < _LEAST_ROWS:
        return None
    one, other = (both[name].rank().to_numpy() for name in both.columns)
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    most = float(np.corrcoef(np.arange(other.size), np.sort(other))[0, 1])
    return round(min(1.0, abs(float(np.corrcoef(one, other)[0, 1])) / most), 5)
