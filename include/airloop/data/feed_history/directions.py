"""Does a direction point the other way? The wind that came from north blows to it, in the convention of another system.

Directions have no order, so no rank says that; their sine and cosine have one. What they went with (cold with north,
dry with west) they go with from the other side.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from airloop.data.feed_history import mirrored
from airloop.data.feed_history.mirrored import Mirrored

_CIRCLE, _FIRST, _LAST, _LEAST_DIFFERENT = 360.0, 60.0, 300.0, 12
_LEAST_ROWS, _LEAST_RELATIONS, _MOST_COLUMNS = 50, 4, 12
_DIGITS = 4

Relations = Mapping[str, tuple[float, int]]
"""`cos ~ other` -> Fisher's z of their rank correlation, and rows."""


def find(rows: pl.DataFrame, columns: Sequence[str]) -> dict[str, dict[str, tuple[float, int]]]:
    """Column of directions in degrees -> what its sine and its cosine go with."""
    by_column = {}
    for name in columns[:_MOST_COLUMNS]:
        if _is_direction(rows[name]):
            radians = pl.col(name).cast(pl.Float64).radians()
            turns = rows.with_columns(radians.cos().alias("a cosine"), radians.sin().alias("a sine"))
            others = [other for other in columns[:_MOST_COLUMNS] if other != name]
            by_column[name] = {
                f"{side} ~ {other}": strength
                for side in ("a cosine", "a sine")
                for other in others
                if (strength := _strength(turns.select(pl.col(side).alias("one"), pl.col(other).alias("other"))))
            }
    return {name: relations for name, relations in by_column.items() if relations}


def _is_direction(values: pl.Series) -> bool:
    known = values.drop_nulls()
    if known.len() < _LEAST_ROWS or known.n_unique() < _LEAST_DIFFERENT:
        return False
    lowest, highest = float(known.min()), float(known.max())  # type: ignore[arg-type]
    return 0 <= lowest <= _FIRST and _LAST <= highest <= _CIRCLE


def _strength(both: pl.DataFrame) -> tuple[float, int] | None:
    both = both.drop_nulls()
    if both.height < _LEAST_ROWS:
        return None
    strength = both.select(pl.corr(pl.col("one").rank(), pl.col("other").rank())).item()
    if strength is None or not np.isfinite(strength):
        return None
    return round(float(np.arctanh(np.clip(strength, -0.995, 0.995))), _DIGITS), both.height


def turned(past: Sequence[Relations], window: Relations) -> Mirrored | None:
    """How far the relations lie from their own past and from its image, where they are mirrored."""
    return mirrored.find(past, window, least=_LEAST_RELATIONS)
