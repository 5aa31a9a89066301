"""What do a text column's values look like? Codes have few shapes, and a shape that none had before is another code.

A shape is a text with its letters as A or a and its digits as 9: `N14228` is `A99999`, `02134` is `99999`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

_MOST_SHAPES = 40
_LONGEST_SHAPE = 40
_LEAST_ROWS, _MOST_VALUES = 50, 200_000
_LEAST_VALUES, _VALUES_A_SHAPE, _COVERED = 30, 5, 0.9
_NEW, _NEW_AMONG_MANY = 0.02, 0.3
_FEW_SHAPES = 12
_LEAST_WINDOWS = 2
_USUAL_NEW = 3.0


@dataclass(frozen=True)
class Shapes:
    """The shapes of a column: rows with a value, different values, different shapes, the most frequent ones.

    Attributes:
        top: Shape -> its rows, and a value of it.
    """

    rows: int
    values: int
    different: int
    top: dict[str, tuple[int, str]]

    @property
    def of_codes(self) -> bool:
        """Whether many values share a shape: words, names and categories have one each."""
        return self.values >= max(_LEAST_VALUES, _VALUES_A_SHAPE * self.different) and self.covered >= _COVERED

    @property
    def covered(self) -> float:
        """The share of rows that have one of the most frequent shapes."""
        return sum(rows for rows, _ in self.top.values()) / self.rows


@dataclass(frozen=True)
class NewShape:
    """A shape that no window had before.

    Attributes:
        share: Rows with a shape that is new; `example` a value of the most frequent one, `before` an earlier value.
        usual: The largest share of new shapes that an earlier window had.
    """

    share: float
    usual: float
    example: str
    before: str


def shapes_of(values: pl.Series) -> Shapes | None:
    """The shapes of a column of texts; None without a value, or where texts are long."""
    known = values.drop_nulls()
    counts = (
        known.gather_every(1 + known.len() // _MOST_VALUES).cast(pl.String).alias("value").value_counts(name="rows")
    )
    if not counts.height:
        return None
    shape = pl.col("value")
    for pattern, letter in ((r"\p{Lu}", "A"), (r"\p{Ll}", "a"), (r"[0-9]", "9")):
        shape = shape.str.replace_all(pattern, letter)
    shapes = (
        counts.sort("rows", "value", descending=[True, False])
        .group_by(shape.alias("shape"), maintain_order=True)
        .agg(pl.col("rows").sum(), pl.col("value").first())
        .sort("rows", "shape", descending=[True, False])
    )
    top = shapes.head(_MOST_SHAPES)
    if (top["shape"].str.len_chars() > _LONGEST_SHAPE).any():
        return None
    rows = {name: (count, value) for name, count, value in top.iter_rows()}
    return Shapes(int(shapes["rows"].sum()), counts.height, shapes.height, rows)


def new_shape(past: Sequence[Shapes], window: Shapes) -> NewShape | None:
    """The shape that too many rows have for the first time; None where shapes say nothing, or are as before.

    A number of one digit more is what a counter comes to, and is not new.
    """
    earlier = [shapes for shapes in past if shapes.rows >= _LEAST_ROWS]
    if len(earlier) < _LEAST_WINDOWS or window.rows < _LEAST_ROWS or not all(item.of_codes for item in earlier):
        return None
    known = {shape for shapes in earlier for shape in shapes.top}
    strange = {shape: rows for shape, (rows, _) in window.top.items() if not _is_known(shape, known)}
    share = sum(strange.values()) / window.rows
    usual = max(_share_new(earlier[:place], earlier[place]) for place in range(1, len(earlier)))
    least = _NEW if len(known) <= _FEW_SHAPES else _NEW_AMONG_MANY
    if share < max(least, _USUAL_NEW * usual):
        return None
    first = max(strange, key=lambda shape: (strange[shape], shape))
    return NewShape(share, usual, window.top[first][1], next(iter(earlier[-1].top.values()))[1])


def _share_new(past: Sequence[Shapes], window: Shapes) -> float:
    known = {shape for shapes in past for shape in shapes.top}
    return sum(rows for shape, (rows, _) in window.top.items() if not _is_known(shape, known)) / window.rows


def _is_known(shape: str, known: set[str]) -> bool:
    if shape in known:
        return True
    return any(shape[:place] + shape[place + 1 :] in known for place, sign in enumerate(shape) if sign == "9")
